"""Sentences: requests in people's own words."""
