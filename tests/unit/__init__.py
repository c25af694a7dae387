"""Tests of pure functions and single modules."""
