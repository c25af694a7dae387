"""Expiries: links that end, with a reminder and a renewal before."""
