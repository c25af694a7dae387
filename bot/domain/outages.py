"""Outages: when a connection or Slack last answered."""

from dataclasses import dataclass
from typing import Final

from bot.domain.row_times import Past

#: The key for Slack among the names of connections, which can't begin with #.
SLACK: Final = "#slack"


@dataclass(frozen=True, slots=True)
class Reached:
    """When a connection or Slack last answered, and when it stopped answering (None if it answers)."""

    name: str
    answered_at: Past | None = None
    silent_since: Past | None = None
