"""Tests of Usher; their folders follow the packages they are about."""
