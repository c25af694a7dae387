"""Saturn Cloud: workspaces and jobs, with at most one status read per workspace in ten seconds."""

from bot.providers.saturn.offers import SaturnSettings
from bot.providers.saturn.provider import Saturn

__all__ = ["Saturn", "SaturnSettings"]
