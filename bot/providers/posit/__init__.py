"""Posit Workbench: a workspace is an IDE session, and a job is a Workbench job.

Facts: ``docs/internals/providers/posit.md``. The contract is the published API reference, from which live
servers differ.
"""

from bot.providers.posit.provider import PositProvider, PositSettings

__all__ = ["PositProvider", "PositSettings"]
