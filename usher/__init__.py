"""The public interface: names and the kit, no logic. ``bot`` and ``handlers`` may change with any release."""
