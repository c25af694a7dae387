"""The output of runs: made plain, told apart, its end in view and the whole of it in a file.

Everything but the spool is pure; nothing here knows of Slack or of a provider.
"""

from __future__ import annotations

from bot.output.board import Board, Entry
from bot.output.spool import Spool
from bot.output.transcript import Transcript

__all__ = ["Board", "Entry", "Spool", "Transcript"]
