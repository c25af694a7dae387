"""What all other packages build on: settings, errors, clock, logs, secrets and HTTP."""
