"""Codespaces keeps the contract of every provider and of its facets."""

from usher.conformance.every import *  # noqa: F403
