"""Requests that Usher has accepted, recorded so that it knows who asked for something last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.domain.people import Principal
from bot.domain.row_times import Past

#: For this many seconds, an interaction's requests can be looked up again, in case Slack delivers the
#: interaction twice.
RECENT_SECONDS: Final = 120.0
#: How long Slack usually takes to deliver a request, in seconds.
DELIVERY_SECONDS: Final = 1.0
#: What can make a request on a person's behalf: working hours, a timer, a class, or a turn on the waitlist
#: (``ROOM``). Each acts for the person who set it up or agreed to it.
HOURS: Final = "hours"
TIMER: Final = "timer"
CLASS: Final = "class"
ROOM: Final = "room"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRequest:
    """A person's accepted request, with its conversation and the work item that it created.

    ``kind`` is the action in its audit row. ``subject`` is the id of a workspace or run ("" if neither), and
    ``name`` is what it was called. ``initiator`` is what acted for the person, or "" if they acted
    themselves. ``via`` names the assistant that made the request for them, if any.
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
