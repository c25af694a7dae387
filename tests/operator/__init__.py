"""Tests of what an operator runs and reads: the command line, the doctor, the start and the end."""
