"""Tests that Codespaces passes the contracts of every provider, and of its own facets."""

from usher.conformance.every import *  # noqa: F403
