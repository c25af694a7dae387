"""Each provider by itself; what holds for all is in the contract tests."""
