"""Outages: when a connection or Slack last answered, and when it fell silent."""

from dataclasses import dataclass
from typing import Final

from bot.domain.row_times import Past

#: The name that stands for Slack among the names of connections. Those can't begin with #.
SLACK: Final = "#slack"


@dataclass(frozen=True, slots=True)
class Reached:
    """When a connection or Slack last answered, and when it stopped doing so.

    If it answers, the latter is None.
    """

    name: str
    answered_at: Past | None = None
    silent_since: Past | None = None
