"""Tests of what people type and press."""
