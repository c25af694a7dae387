"""Posit Workbench: a workspace is an IDE session, and a job is a Workbench job.

Facts: ``docs/internals/providers/posit.md``. We rely on the published API reference, but live servers deviate
from it.
"""

from bot.providers.posit.provider import PositProvider, PositSettings

__all__ = ["PositProvider", "PositSettings"]
