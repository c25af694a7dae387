"""Saturn Cloud: workspaces and jobs."""

from bot.providers.saturn.offers import SaturnSettings
from bot.providers.saturn.provider import Saturn

__all__ = ["Saturn", "SaturnSettings"]
