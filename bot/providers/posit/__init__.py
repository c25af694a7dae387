"""Posit Workbench: a workspace is an IDE session, and a job is a Workbench job.

Facts: ``docs/internals/providers/posit.md``. The published API reference is the contract, though live servers
deviate from it.
"""

from bot.providers.posit.provider import PositProvider, PositSettings

__all__ = ["PositProvider", "PositSettings"]
