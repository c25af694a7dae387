"""The chaos run: kills the real process, makes other servers fail, and checks every promise Usher makes."""
