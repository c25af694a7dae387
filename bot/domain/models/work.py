"""What is done and remembered beside operations: tasks and the audit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from bot.domain.models.people import Principal

Payload = TypeVar("Payload")


class TaskKind(StrEnum):
    """Name work of the reconciler that is no operation."""

    DISCOVER = "discover"
    REVOKE = "revoke"
    REVOKE_UNUSED = "revoke_unused"
    REPLAY = "replay"
    LOOK_UP_PERSON = "look_up_person"
    SYNC_PEOPLE = "sync_people"
    #: Read what a provider offers, or tells of itself, into the snapshots; the subject is ``ACCOUNT/KIND``.
    SNAPSHOT = "snapshot"
    #: Check an approved username at its provider and link it; the subject is the approval's id.
    APPROVE = "approve"
    #: List a person's runs again; the subject is the account's id.
    LIST_JOBS = "list_jobs"
    #: Set when a job runs by itself; the subject names account, job and interaction.
    SCHEDULE = "schedule"


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


@dataclass(frozen=True, slots=True)
class User:
    """Describe one user of a provider, for approvals and ``about``; ``level`` is in words for people."""

    username: str
    is_active: bool
    level: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """Describe a provider to its administrators: short facts, and its users where they can be listed."""

    facts: tuple[tuple[str, str], ...]
    users: tuple[User, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[Payload]):
    """Hold what a provider told at ``read_at``, shown until it is read again.

    ``owner`` is the account's id whose view it is, or "" where it is the same for everybody. ``kind``:
    ``templates`` (what a form is made from, in the provider's own type), ``about``. Rows hold it as JSON.
    """

    connection: str
    owner: str
    kind: str
    payload: Payload
    read_at: float


@dataclass(frozen=True, slots=True)
class Approval:
    """Hold a person's request to act as a username, which an administrator decides.

    ``state``: ``asked`` → ``approved`` (being checked at the provider) → ``linked``, or ``denied``, or
    ``failed`` (the provider does not know the username; ``detail`` says it). ``waiting`` is the command that
    runs afterwards.
    """

    id: str
    principal: Principal
    connection: str
    username: str
    state: str
    asked_at: float
    decided_by: str | None = None
    decided_at: float | None = None
    detail: str | None = None
    waiting: dict[str, Any] | None = None
