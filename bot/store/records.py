"""What goes into the store and comes out of it beside the models: requests, results, leased work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.domain.models import (
        Account,
        Action,
        AuditEntry,
        Ending,
        NewNotice,
        Operation,
        OperationVerb,
        Principal,
        State,
        TaskKind,
        Workspace,
    )


@dataclass(frozen=True, slots=True)
class NewOperation:
    """Describe an operation to be accepted; the store gives it its id, reference and times.

    ``reads_first``: nothing can be decided before the workspace was read, so its first step comes with that
    read, or shortly after without one. A person who is not known yet is looked up first all the same.
    """

    principal: Principal
    workspace_id: str
    connection: str
    verb: OperationVerb
    deadline_seconds: float
    reference: str
    channel_id: str | None = None
    reads_first: bool = False
    #: As ``Operation.agreed``.
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """Say what became of a new operation.

    ``joined``: one with the same verb was open, and ``operation`` is that one. ``replaced``: the open one of
    another verb that this one ended. ``repeated``: the interaction was seen before; nothing changed.
    """

    operation: Operation
    joined: bool = False
    replaced: Operation | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Activation:
    """Describe the end of a linking: the account to write, and what follows from it at once.

    ``settles`` is the subject of the REVOKE_UNUSED task that this makes needless, if there is one.
    """

    account: Account
    notices: Sequence[NewNotice] = ()
    tasks: Sequence[NewTask] = ()
    audit: Sequence[AuditEntry] = ()
    settles: str = ""


@dataclass(frozen=True, slots=True)
class NewTask:
    """Describe a task; while one with this kind and subject is open, a second is joined to it.

    Joining keeps the open one's payload, except that a list under ``then`` (waiting commands) is extended.
    One that is under way runs once more afterwards with what was added, so nothing that waits for it is
    forgotten.
    """

    kind: TaskKind
    subject: str
    payload: dict[str, Any] = field(default_factory=dict)
    due_in: float = 0.0

    @classmethod
    def lists(
        cls, kind: TaskKind, accounts: Sequence[Account], then: Mapping[str, Any] | None
    ) -> list[NewTask]:
        """Return the tasks that read lists of accounts; the command that waits (``then``) runs once."""
        waiting = [dict(then)] if then is not None else []
        return [
            cls(kind, account.id, {"then": [] if number else waiting})
            for number, account in enumerate(accounts)
        ]


@dataclass(frozen=True, slots=True)
class FoundWorkspace:
    """Describe a workspace found at a provider, ready to be merged into a person's list.

    ``actions`` and ``ends_at`` as in ``Observed``; a list that leaves them out leaves what a read told.
    """

    remote_id: str
    gate_key: str
    name: str
    state: State
    url: str | None = None
    detail: str | None = None
    actions: frozenset[Action] | None = None
    ends_at: float | None = None
    ends_how: Ending | None = None


@dataclass(frozen=True, slots=True)
class NewParticipant:
    """Describe a press to be written down with all that follows from it, in one transaction.

    ``operation`` is None where ``workspace`` runs already. A provisional ``workspace`` is written with its
    operation; ``instead_of`` is one that is gone and is forgotten with it. ``channel_id`` and ``message_ts``
    say where the pressed card stands: one whose sending had an unknown outcome is found by that.
    """

    card_id: str
    principal: Principal
    workspace: Workspace
    operation: NewOperation | None
    interaction: str
    audit: Sequence[AuditEntry] = ()
    instead_of: str = ""
    channel_id: str | None = None
    message_ts: str | None = None
