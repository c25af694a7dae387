"""Tests that the benchmarks run. Their sizes are tiny, so their figures mean nothing."""
