"""Unescaped texts for people that are long or used in several places. All other texts are written inline."""
