"""Posit Workbench: a workspace is an IDE session, and a job is a Workbench job.

``docs/internals/providers/posit.md`` describes how live servers behave, which deviates from the published API
reference.
"""

from bot.providers.posit.provider import PositProvider, PositSettings

__all__ = ["PositProvider", "PositSettings"]
