"""The chaos run in short, and that its verdict finds what it is there to find."""
