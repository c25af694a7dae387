"""Posit Workbench: a workspace is an IDE session, and a job is a Workbench job.

Live servers don't always behave as the published API reference says. For the differences, see
``docs/internals/providers/posit.md``.
"""

from bot.providers.posit.provider import PositProvider, PositSettings

__all__ = ["PositProvider", "PositSettings"]
