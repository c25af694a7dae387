"""The chaos run: the real process under kill -9 and failures of others, and every promise looked at."""
