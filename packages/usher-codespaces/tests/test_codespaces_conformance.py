"""Tests that Codespaces fulfils the contract that all providers share, and those of its facets."""

from usher.conformance.every import *  # noqa: F403
