"""Posit Workbench: sessions of its IDEs are workspaces; its jobs are jobs.

Facts: seed 001 (the reference of the API) is the contract; ``posit.md`` marks what live servers do besides.
"""

from __future__ import annotations

from bot.providers.posit.provider import PositProvider, PositSettings

__all__ = ["PositProvider", "PositSettings"]
