"""The public interface: only names and the kit. ``bot`` and ``handlers`` may change in any release."""
