"""Local stand-ins for Slack and the providers, each of which can be run alone.

They follow the documentation of the real services, not the code of Usher's clients. This package and ``bot``
and ``handlers`` don't import each other.
"""
