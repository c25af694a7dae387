"""Lagoon passes the conformance kit that every provider has to pass."""

from usher.conformance.every import *  # noqa: F403
