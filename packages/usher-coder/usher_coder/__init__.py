"""Coder as a provider for Usher."""

from usher_coder.provider import Coder

__all__ = ["Coder"]
