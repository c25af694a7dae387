"""What every package may use and what depends on none: settings, errors, clock, logs, secrets, HTTP."""
