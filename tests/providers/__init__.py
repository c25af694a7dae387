"""Tests of each provider on its own. The contract tests check what all providers have in common."""
