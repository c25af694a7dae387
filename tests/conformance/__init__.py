"""The kit for providers from outside: Coder passes it, and each broken one fails it."""
