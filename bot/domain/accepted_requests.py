"""Requests that Usher has accepted. Each row says who made the request, when, and where in Slack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.domain.people import Principal
from bot.domain.row_times import Past

#: How far back to look, in seconds, for the requests made by a Slack interaction, such as a button press. If
#: Slack delivers the interaction twice, the second delivery finds the requests of the first.
RECENT_SECONDS: Final = 120.0
#: How long, in seconds, Slack usually takes to deliver a request.
DELIVERY_SECONDS: Final = 1.0
#: Values of ``initiator``, which says what made a request on the user's behalf: working hours, a timer, a
#: class, or the waitlist (``ROOM``).
HOURS: Final = "hours"
TIMER: Final = "timer"
CLASS: Final = "class"
ROOM: Final = "room"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRequest:
    """A person's accepted request, with its conversation and the work item that it created.

    ``kind`` is the action recorded in the audit log. ``subject`` is the id of a workspace or run ("" if the
    request concerns neither), and ``name`` is its name at the time of the request. ``initiator`` says what
    made the request automatically. If the person made it themselves, it is "". ``via`` names the assistant
    that made the request for them, if any.
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
