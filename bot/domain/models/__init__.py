"""The domain's vocabulary as frozen data: no I/O, and no behaviour beyond derived properties.

Times are epoch seconds (float); durations are seconds. Import everything from here.
"""

from __future__ import annotations

from bot.domain.models.browsers import BrowserSession, Look
from bot.domain.models.classes import ClassCard, ClassCounts, ClassProblem, Joined, Participant
from bot.domain.models.forms import (
    Choice,
    Field,
    FieldKind,
    Form,
    FormProblems,
    Purpose,
    Spec,
    Value,
    Values,
    several_of,
    text_of,
)
from bot.domain.models.homes import Home, HomeUse
from bot.domain.models.installations import Installed
from bot.domain.models.notices import NOTICE_CLASS, Answer, Card, NewNotice, Notice, NoticeKind, NoticeState
from bot.domain.models.operations import Call, Operation, OperationVerb, Outcome, Surface
from bot.domain.models.people import Account, Link, Person, Preferences, Principal
from bot.domain.models.runs import (
    FoundRun,
    NewRun,
    ObservedRun,
    OutputChunk,
    Run,
    RunOutcome,
    RunState,
    Shown,
    StopKind,
)
from bot.domain.models.steps import Claimed, ClaimedOperation, ClaimedRun, Update
from bot.domain.models.stopping import Effects, StopEffect, Timer
from bot.domain.models.work import About, Approval, AuditEntry, Snapshot, Task, TaskKind, User
from bot.domain.models.workspaces import (
    PROVISIONAL,
    Action,
    Created,
    Doubt,
    Ending,
    Event,
    Observed,
    ReadClaim,
    ReadResult,
    State,
    StopMode,
    Traces,
    Workspace,
)

__all__ = [
    "NOTICE_CLASS",
    "PROVISIONAL",
    "About",
    "Account",
    "Action",
    "Answer",
    "Approval",
    "AuditEntry",
    "BrowserSession",
    "Call",
    "Card",
    "Choice",
    "Claimed",
    "ClaimedOperation",
    "ClaimedRun",
    "ClassCard",
    "ClassCounts",
    "ClassProblem",
    "Created",
    "Doubt",
    "Effects",
    "Ending",
    "Event",
    "Field",
    "FieldKind",
    "Form",
    "FormProblems",
    "FoundRun",
    "Home",
    "HomeUse",
    "Installed",
    "Joined",
    "Link",
    "Look",
    "NewNotice",
    "NewRun",
    "Notice",
    "NoticeKind",
    "NoticeState",
    "Observed",
    "ObservedRun",
    "Operation",
    "OperationVerb",
    "Outcome",
    "OutputChunk",
    "Participant",
    "Person",
    "Preferences",
    "Principal",
    "Purpose",
    "ReadClaim",
    "ReadResult",
    "Run",
    "RunOutcome",
    "RunState",
    "Shown",
    "Snapshot",
    "Spec",
    "State",
    "StopEffect",
    "StopKind",
    "StopMode",
    "Surface",
    "Task",
    "TaskKind",
    "Timer",
    "Traces",
    "Update",
    "User",
    "Value",
    "Values",
    "Workspace",
    "several_of",
    "text_of",
]
