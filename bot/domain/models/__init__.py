"""The words of the domain as frozen data: no I/O, no behaviour beyond reading themselves.

Times are epoch seconds (float); durations are seconds. Everything is imported from here.
"""

from __future__ import annotations

from bot.domain.models.browsing import BrowserSession, Look
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
from bot.domain.models.jobs import (
    FoundJob,
    Job,
    JobOutcome,
    JobState,
    NewJob,
    ObservedJob,
    OutputChunk,
    StopKind,
)
from bot.domain.models.notices import NOTICE_CLASS, Answer, Card, NewNotice, Notice, NoticeKind, NoticeState
from bot.domain.models.operations import Call, Operation, OperationVerb, Outcome, Surface
from bot.domain.models.people import Account, Link, Person, Principal
from bot.domain.models.steps import Claimed, ClaimedJob, ClaimedOperation, Update
from bot.domain.models.stopping import Effects, StopEffect
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
    "ClaimedJob",
    "ClaimedOperation",
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
    "FoundJob",
    "Job",
    "JobOutcome",
    "JobState",
    "Joined",
    "Link",
    "Look",
    "NewJob",
    "NewNotice",
    "Notice",
    "NoticeKind",
    "NoticeState",
    "Observed",
    "ObservedJob",
    "Operation",
    "OperationVerb",
    "Outcome",
    "OutputChunk",
    "Participant",
    "Person",
    "Principal",
    "Purpose",
    "ReadClaim",
    "ReadResult",
    "Snapshot",
    "Spec",
    "State",
    "StopEffect",
    "StopKind",
    "StopMode",
    "Surface",
    "Task",
    "TaskKind",
    "Traces",
    "Update",
    "User",
    "Value",
    "Values",
    "Workspace",
    "several_of",
    "text_of",
]
