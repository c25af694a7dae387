"""Short chaos runs, and tests that their verdict finds the faults it is meant to find."""
