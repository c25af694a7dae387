"""GitHub Codespaces as a provider for Usher."""

from usher_codespaces.provider import Codespaces, CodespacesSettings

__all__ = ["Codespaces", "CodespacesSettings"]
