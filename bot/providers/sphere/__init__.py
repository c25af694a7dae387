"""Sphere Engine Containers: workspaces made from projects, opened in our own page."""

from bot.providers.sphere.provider import SphereProvider, SphereSettings

__all__ = ["SphereProvider", "SphereSettings"]
