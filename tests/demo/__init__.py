"""Tests of the demonstration: what a person at a terminal sees, and how it ends."""
