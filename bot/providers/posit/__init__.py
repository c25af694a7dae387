"""Posit Workbench: a workspace is an IDE session, and a job is a Workbench job.

See ``docs/internals/providers/posit.md`` for the facts about live servers, which deviate from the published
API reference.
"""

from bot.providers.posit.provider import PositProvider, PositSettings

__all__ = ["PositProvider", "PositSettings"]
