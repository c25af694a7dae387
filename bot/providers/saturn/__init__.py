"""Saturn Cloud: workspaces and jobs. A workspace's state is read at most once every ten seconds."""

from bot.providers.saturn.offers import SaturnSettings
from bot.providers.saturn.provider import Saturn

__all__ = ["Saturn", "SaturnSettings"]
