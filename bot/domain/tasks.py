"""Tasks: work that is to be done once, in the background."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.domain.row_times import Past, TaskDue


class TaskKind(StrEnum):
    """Name the reconciler's work that isn't an operation."""

    DISCOVER = "discover"
    #: Revoke the credential of a link that may never be confirmed; the subject is the secret's digest.
    REVOKE_UNUSED = "revoke_unused"
    #: Have a provider delete a secret that isn't used any more; the subject is the account's id.
    REVOKE_CREDENTIAL = "revoke_credential"
    #: Create the account's next credential before the current one ends; the subject is the account's id.
    RENEW_CREDENTIAL = "renew_credential"
    #: Have a provider end a workspace later; the subject is ``ACCOUNT/WORKSPACE``.
    EXTEND = "extend"
    REPLAY = "replay"
    LOOK_UP_PERSON = "look_up_person"
    SYNC_PEOPLE = "sync_people"
    #: Stop the workspaces that a leaver's plans were to stop, then end their links; the subject is their key.
    OFFBOARD = "offboard"
    #: Store what a provider offers, or says about itself, as a snapshot; the subject is ``ACCOUNT/KIND``.
    SNAPSHOT = "snapshot"
    #: Check an approved username with its provider and link it; the subject is the approval's id.
    APPROVE = "approve"
    #: Ask the provider for the requested account's e-mail address; the subject is the approval's id.
    LOOK_UP_USER = "look_up_user"
    #: Ask the people who may own the requested account, who have a day to answer; the subject is the
    #: approval's id.
    ASK_ACCOUNT_OWNERS = "ask_account_owners"
    #: Remind administrators of a request, and end it in time; the subject is the approval's id.
    FOLLOW_UP = "follow_up"
    #: List a person's runs again; the subject is the account's id.
    LIST_RUNS = "list_runs"
    #: Publish a person's Home; the subject is their key.
    HOME = "home"
    #: Apply to many rows, batch by batch, what follows from one row; the subject is the task's own id.
    FAN_OUT = "fan_out"


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
    #: How often it was claimed, including this time.
    claims: int = 0
