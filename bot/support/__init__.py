"""The foundation of all other packages: settings, errors, clocks, logs, secrets and HTTP."""
