"""The output of runs: cleaned, split into lines, its end kept for display and all of it in a file.

Everything except the spool is pure; nothing here knows about Slack or a provider.
"""

from __future__ import annotations

from bot.output.board import Board, Entry
from bot.output.spool import Spool
from bot.output.transcript import Transcript

__all__ = ["Board", "Entry", "Spool", "Transcript"]
