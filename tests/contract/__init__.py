"""Contract tests that every implementation of an interface passes, run against real engines and servers."""
