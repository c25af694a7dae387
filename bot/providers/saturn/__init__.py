"""Saturn Cloud: workspaces and jobs; each workspace's state is read at most every ten seconds."""

from bot.providers.saturn.offers import SaturnSettings
from bot.providers.saturn.provider import Saturn

__all__ = ["Saturn", "SaturnSettings"]
