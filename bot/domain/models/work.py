"""Work and records other than operations: tasks, approvals, snapshots and the audit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from bot.domain.models.people import Principal
from bot.domain.times import Past, TaskDue

Payload = TypeVar("Payload")


class TaskKind(StrEnum):
    """Name the reconciler's work that isn't an operation."""

    DISCOVER = "discover"
    REVOKE = "revoke"
    REVOKE_UNUSED = "revoke_unused"
    REPLAY = "replay"
    LOOK_UP_PERSON = "look_up_person"
    SYNC_PEOPLE = "sync_people"
    #: Read what a provider offers, or says about itself, into the snapshots; the subject is ``ACCOUNT/KIND``.
    SNAPSHOT = "snapshot"
    #: Check an approved username with its provider and link it; the subject is the approval's id.
    APPROVE = "approve"
    #: List a person's runs again; the subject is the account's id.
    LIST_JOBS = "list_jobs"
    #: Set a job's schedule; the subject names account, job and interaction.
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Task:
    """Hold one task; ``UNIQUE(kind, subject)`` while it is open."""

    id: str
    kind: TaskKind
    subject: str
    payload: dict[str, Any]
    created_at: Past
    due_at: TaskDue
    attempts: int = 0
    #: How often it was claimed, this time included.
    claims: int = 0


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Describe an entry of the audit: who did what to what, by which rule, with which result."""

    actor: str
    action: str
    target: str
    result: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class User:
    """Describe one user of a provider, for approvals and ``about``; ``level`` is display text."""

    username: str
    is_active: bool
    level: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """Describe a provider to its administrators: short facts, and its users if they can be listed."""

    facts: tuple[tuple[str, str], ...]
    users: tuple[User, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[Payload]):
    """Hold what a provider answered at ``read_at``, shown until it is read again.

    ``owner`` is the id of the account whose view it is, or "" if everybody sees the same. ``kind`` is
    ``templates`` (what forms are built from, in the provider's own type) or ``about``. Rows store it as JSON.
    """

    connection: str
    owner: str
    kind: str
    payload: Payload
    read_at: Past


@dataclass(frozen=True, slots=True)
class Approval:
    """Hold a person's request to be linked as a username, which an administrator decides.

    ``state``: ``asked`` → ``approved`` (being checked with the provider) → ``linked``, or ``denied``, or
    ``failed`` (the provider doesn't know the username; ``detail`` says so). ``waiting`` is the command to run
    afterwards.
    """

    id: str
    principal: Principal
    connection: str
    username: str
    state: str
    asked_at: Past
    decided_by: str | None = None
    decided_at: Past | None = None
    detail: str | None = None
    waiting: dict[str, Any] | None = None
