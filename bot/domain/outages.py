"""Outages: when a connection or Slack last answered, and when it fell silent."""

from dataclasses import dataclass
from typing import Final

from bot.domain.row_times import Past

#: Name used for Slack where a connection's name is expected. Connection names can't begin with ``#``, so
#: there is no clash.
SLACK: Final = "#slack"


@dataclass(frozen=True, slots=True)
class Reached:
    """When a connection or Slack last answered, and when it stopped answering (None if it answers)."""

    name: str
    answered_at: Past | None = None
    silent_since: Past | None = None
