"""Tests of the pure functions: plans, policy, timeouts."""
