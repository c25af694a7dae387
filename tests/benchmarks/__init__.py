"""The benchmarks run, at toy sizes: what they measure there decides nothing."""
