"""Settings, errors, clocks, logs, secrets and HTTP, which all other packages use."""
