"""Tests of features, a folder each, which goes with its feature."""
