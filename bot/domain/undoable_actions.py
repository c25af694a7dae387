"""Accepted requests of people, kept to know who asked for something last. Nothing is undone with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.domain.people import Principal
from bot.domain.row_times import Past

#: Seconds for which the action of an interaction is found again if Slack delivers it once more.
RECENT_SECONDS: Final = 120.0
#: Initiators other than people. Each acts for the person who set it up or agreed to it.
HOURS: Final = "hours"
TIMER: Final = "timer"
CLASS: Final = "class"
ROOM: Final = "room"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoableAction:
    """One accepted request of a person, with its conversation and the work item that it began.

    ``kind`` is the action of its audit row. ``subject`` is the id of a workspace or a run, "" for neither,
    and ``name`` what that was called. ``initiator`` acted for the person, "" if they acted themself, and
    ``via`` names the assistant that asked for them, "" if none did.
    """

    work_item_id: str = ""
    initiator: str = ""
    id: str
    principal: Principal
    kind: str
    done_at: Past
    subject: str = ""
    connection: str = ""
    name: str = ""
    channel_id: str = ""
    thread_ts: str = ""
    interaction: str = ""
    via: str = ""
