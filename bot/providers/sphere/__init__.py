"""Sphere Engine Containers: workspaces made from projects, opened in our own page.

Facts: ``docs/providers/sphere.md``. The published guide is the contract; other documents add to it.
"""

from bot.providers.sphere.provider import SphereProvider, SphereSettings

__all__ = ["SphereProvider", "SphereSettings"]
