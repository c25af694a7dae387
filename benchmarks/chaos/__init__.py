"""The chaos run: real processes are killed, other servers fail, and all of Usher's promises are checked."""
