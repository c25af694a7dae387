"""Tasks: pieces of work that are done once, in the background."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.domain.row_times import Past, TaskDue


class TaskKind(StrEnum):
    """Kinds of background work other than operations. The comments say what each task's subject is."""

    DISCOVER = "discover"
    #: Revoke the credential of a link that wasn't confirmed in time. Subject: the secret's digest.
    REVOKE_UNUSED = "revoke_unused"
    #: Have the provider delete a secret that is no longer used. Subject: the account's id.
    REVOKE_CREDENTIAL = "revoke_credential"
    #: Create an account's next credential before the current one expires. Subject: the account's id.
    RENEW_CREDENTIAL = "renew_credential"
    #: Ask the provider to let a workspace run longer. Subject: ``ACCOUNT/WORKSPACE``.
    EXTEND = "extend"
    REPLAY = "replay"
    LOOK_UP_PERSON = "look_up_person"
    SYNC_PEOPLE = "sync_people"
    #: Stop the workspaces of a person who has left, as planned, then end the person's links. Subject: the
    #: person's key.
    OFFBOARD = "offboard"
    #: Take a snapshot of what a provider offers, or of facts about its server. Subject: ``ACCOUNT/KIND``.
    SNAPSHOT = "snapshot"
    #: Check an approved username with its provider, and link it. Subject: the approval's id.
    APPROVE = "approve"
    #: Look up the requested account's e-mail address at the provider. Subject: the approval's id.
    LOOK_UP_USER = "look_up_user"
    #: Ask the people who may own the requested account, and give them a day to answer. Subject: the
    #: approval's id.
    ASK_ACCOUNT_OWNERS = "ask_account_owners"
    #: Remind each administrator once of an undecided request for an account, and end the request after a
    #: week. Subject: the approval's id.
    FOLLOW_UP = "follow_up"
    #: Refresh the list of a user's runs. Subject: the account's id.
    LIST_RUNS = "list_runs"
    #: Publish a user's Home tab. Subject: the user's key.
    HOME = "home"
    #: After a change to one row, update in batches the many rows that it affects. Subject: the task's own id.
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
