"""The base of all other packages, which depends on none: settings, errors, clock, logs, secrets, HTTP."""
