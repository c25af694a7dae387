"""Posit Workbench: IDE sessions are workspaces; its jobs are jobs.

Facts: ``docs/internals/providers/posit.md``. The contract is the published reference of the API, from which
live servers differ.
"""

from bot.providers.posit.provider import PositProvider, PositSettings

__all__ = ["PositProvider", "PositSettings"]
