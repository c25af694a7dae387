"""Saturn Cloud: workspaces and jobs by id, with at most one status read per workspace in ten seconds."""

from bot.providers.saturn.provider import Saturn
from bot.providers.saturn.settings import SaturnSettings

__all__ = ["Saturn", "SaturnSettings"]
