"""What every room may use, and what knows none of them: settings, errors, clock, logs, secrets, HTTP."""
