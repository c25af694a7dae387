"""Tasks: what is to be done once, in the background."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.domain.row_times import Past, TaskDue


class TaskKind(StrEnum):
    """Name the reconciler's work that isn't an operation."""

    DISCOVER = "discover"
    #: The credential of a link that nobody may have confirmed; the subject is its secret's digest.
    REVOKE_UNUSED = "revoke_unused"
    #: Have a provider delete a secret that is used no more; the subject is the account's id.
    REVOKE_CREDENTIAL = "revoke_credential"
    #: Mint the next credential of Usher's own before the one in use ends; the subject is the account's id.
    RENEW_CREDENTIAL = "renew_credential"
    #: Have a provider end a workspace later; the subject is ``ACCOUNT/WORKSPACE``.
    EXTEND = "extend"
    REPLAY = "replay"
    LOOK_UP_PERSON = "look_up_person"
    SYNC_PEOPLE = "sync_people"
    #: Stop what a leaver's plans were to stop, and then end their links; the subject is their key.
    OFFBOARD = "offboard"
    #: Read what a provider offers, or says about itself, into the snapshots; the subject is ``ACCOUNT/KIND``.
    SNAPSHOT = "snapshot"
    #: Check an approved username with its provider and link it; the subject is the approval's id.
    APPROVE = "approve"
    #: Learn a wanted user's address from the provider; the subject is the approval's id.
    LOOK_UP_USER = "look_up_user"
    #: Ask whose account is wanted, until they had a day to answer; the subject is the approval's id.
    ASK_ACCOUNT_OWNERS = "ask_account_owners"
    #: Remind administrators of a request, and end it; the subject is the approval's id.
    FOLLOW_UP = "follow_up"
    #: List a person's runs again; the subject is the account's id.
    LIST_RUNS = "list_runs"
    #: Publish a person's Home; the subject is their key.
    HOME = "home"
    #: Go on with what follows from one row for many others; the subject is its own.
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
    #: How often it was claimed, this time included.
    claims: int = 0
