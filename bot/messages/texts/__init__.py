"""Unescaped texts for people that are long or used in several places. All others are written inline."""
