"""What is done and remembered beside wishes: tasks and the audit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class TaskKind(StrEnum):
    """Name work of the reconciler that is no wish."""

    DISCOVER = "discover"
    REVOKE = "revoke"
    REVOKE_UNUSED = "revoke_unused"
    REPLAY = "replay"
    LOOK_UP_PERSON = "look_up_person"
    SYNC_PEOPLE = "sync_people"


@dataclass(frozen=True, slots=True)
class Task:
    """Hold one piece of such work; ``UNIQUE(kind, subject)`` while it is open."""

    id: str
    kind: TaskKind
    subject: str
    payload: dict[str, Any]
    created_at: float
    due_at: float
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Describe what is to be remembered: who did what to what, by which rule, with which result."""

    actor: str
    action: str
    target: str
    result: str
    detail: dict[str, Any] = field(default_factory=dict)
