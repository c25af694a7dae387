"""The worlds of the scenarios, for attacks on the bot as a whole."""

from __future__ import annotations

from tests.scenarios.conftest import bare, linked

__all__ = ["bare", "linked"]
