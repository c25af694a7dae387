"""Contracts that every implementation of a seam passes, at real engines and servers."""
