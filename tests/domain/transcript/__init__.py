"""Outputs of runs, piece by piece."""
