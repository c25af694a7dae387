"""The conformance kit's tests, run for Coder, which is a separate package."""

from usher.conformance.every import *  # noqa: F403
