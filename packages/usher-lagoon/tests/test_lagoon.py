"""Lagoon keeps what the kit asks of every provider."""

from usher.conformance.every import *  # noqa: F403
