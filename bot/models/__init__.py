"""The words of the domain as frozen data: no I/O, no behaviour beyond reading themselves.

Times are epoch seconds (float); durations are seconds. Everything is imported from here.
"""

from __future__ import annotations

from bot.models.notices import NOTICE_CLASS, Answer, Card, NewNotice, Notice, NoticeKind, NoticeState
from bot.models.people import Account, Link, Person, Principal
from bot.models.wishes import Call, Outcome, Surface, Wish, WishVerb
from bot.models.work import AuditEntry, Task, TaskKind
from bot.models.workspaces import Observed, ReadClaim, ReadResult, State, Workspace

__all__ = [
    "NOTICE_CLASS",
    "Account",
    "Answer",
    "AuditEntry",
    "Call",
    "Card",
    "Link",
    "NewNotice",
    "Notice",
    "NoticeKind",
    "NoticeState",
    "Observed",
    "Outcome",
    "Person",
    "Principal",
    "ReadClaim",
    "ReadResult",
    "State",
    "Surface",
    "Task",
    "TaskKind",
    "Wish",
    "WishVerb",
    "Workspace",
]
