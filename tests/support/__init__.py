"""Tests of the code that all other packages use: settings, errors, logs, secrets and HTTP."""
