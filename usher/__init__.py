"""The public interface: the names that providers in other packages use, and the conformance kit.

``bot`` and ``handlers`` may change in any release.
"""
