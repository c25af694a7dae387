"""Coder as a provider of Usher."""

from usher_coder.provider import Coder

__all__ = ["Coder"]
