"""Private calendars: addresses from which calendar apps read hours and lessons."""
