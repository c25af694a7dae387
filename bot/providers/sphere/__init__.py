"""Sphere Engine Containers: workspaces made from projects, opened in a page of ours.

Facts: seed 003 (how to embed) is the contract, ``sphere.md`` marks what the vendor's documents add to it.
"""

from __future__ import annotations

from bot.providers.sphere.provider import SphereProvider
from bot.providers.sphere.settings import SphereSettings

__all__ = ["SphereProvider", "SphereSettings"]
