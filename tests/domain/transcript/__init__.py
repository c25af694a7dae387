"""Tests of the output of runs, which arrives in pieces."""
