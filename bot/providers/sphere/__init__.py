"""Sphere Engine Containers: workspaces created from projects and opened in a page that Usher serves."""

from bot.providers.sphere.provider import SphereProvider, SphereSettings

__all__ = ["SphereProvider", "SphereSettings"]
