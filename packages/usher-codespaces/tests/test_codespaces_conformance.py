"""Tests that Codespaces passes the conformance kit, as every provider must."""

from usher.conformance.every import *  # noqa: F403
