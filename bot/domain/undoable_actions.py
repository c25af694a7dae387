"""What people asked for lately, by which it is known who asked last; nothing is taken back by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from bot.domain.people import Principal
from bot.domain.row_times import Past
from bot.domain.work_items import WorkItem

#: For how many seconds what an interaction did is found again when it is delivered once more.
RECENT_SECONDS: Final = 120.0
#: Act by themselves, in the name of whoever set them up or agreed to them.
HOURS: Final = "hours"
TIMER: Final = "timer"
CLASS: Final = "class"
ROOM: Final = "room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The work item that an action began; ``initiator`` acted in its person's name, "" for themself."""

    #: The id of the work item, by its column's name.
    work_item_id: str = ""
    initiator: str = ""

    def add_work_item(self, work_item: WorkItem, initiator: str = "") -> Change:
        """Return the same with a work item that began."""
        return replace(self, work_item_id=work_item.id, initiator=initiator)


NO_CHANGE: Final = Change()


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoableAction(Change):
    """One accepted request of a person: what, on which row, in which conversation, and what began.

    ``kind`` is the action of its audit row. ``subject`` is the id of a workspace or a run, "" for neither;
    ``name`` is what that was called. ``via`` is through what its person asked for it, "" for themself.
    """

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
