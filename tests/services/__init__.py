"""Tests of use cases, the functions that carry out what people ask for."""
