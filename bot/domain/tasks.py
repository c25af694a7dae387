"""Tasks: pieces of work that are done once, in the background."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.domain.row_times import Past, TaskDue


class TaskKind(StrEnum):
    """The kinds of background work that the reconciler does besides operations."""

    DISCOVER = "discover"
    #: Revoke the credential of a link that wasn't confirmed in time. The task's subject is the secret's
    #: digest.
    REVOKE_UNUSED = "revoke_unused"
    #: Have the provider delete a secret that is no longer used. The task's subject is the account's id.
    REVOKE_CREDENTIAL = "revoke_credential"
    #: Create an account's next credential before the current one expires. The task's subject is the account's
    #: id.
    RENEW_CREDENTIAL = "renew_credential"
    #: Ask the provider to let a workspace run longer. The task's subject is ``ACCOUNT/WORKSPACE``.
    EXTEND = "extend"
    REPLAY = "replay"
    LOOK_UP_PERSON = "look_up_person"
    SYNC_PEOPLE = "sync_people"
    #: Once a person has left, carry out the stops planned for their workspaces, then end their links. The
    #: task's subject is the person's key.
    OFFBOARD = "offboard"
    #: Take a snapshot of what a provider offers, or of its facts about itself. The task's subject is
    #: ``ACCOUNT/KIND``.
    SNAPSHOT = "snapshot"
    #: Check an approved username with its provider, and link it. The task's subject is the approval's id.
    APPROVE = "approve"
    #: Look up the e-mail address of the requested account at the provider. The task's subject is the
    #: approval's id.
    LOOK_UP_USER = "look_up_user"
    #: Ask the people who may own the requested account. They have a day to answer. The task's subject is the
    #: approval's id.
    ASK_ACCOUNT_OWNERS = "ask_account_owners"
    #: Remind administrators of a request for an account, and close it when its time is up. The task's subject
    #: is the approval's id.
    FOLLOW_UP = "follow_up"
    #: Refresh the list of a user's runs. The task's subject is the account's id.
    LIST_RUNS = "list_runs"
    #: Publish a user's Home tab. The task's subject is the user's key.
    HOME = "home"
    #: Update many rows in batches, because a row that affects them has changed. The task's subject is its own
    #: id.
    FAN_OUT = "fan_out"


@dataclass(frozen=True, slots=True)
class Task:
    """A background task. Only one with the same kind and subject can be open at a time."""

    id: str
    kind: TaskKind
    subject: str
    payload: dict[str, Any]
    created_at: Past
    due_at: TaskDue
    attempts: int = 0
    #: How many times the task has been claimed, including the current claim.
    claims: int = 0
