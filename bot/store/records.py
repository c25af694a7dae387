"""Arguments and results of the store besides the models: requests, results, tasks."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

from bot.domain.people import TaskKind
from bot.domain.workspaces import Action, Ending, Operation, State

Calls = Literal["any", "start"]


class Woken(IntEnum):
    """Say what happened to an operation or a run while a step held it: the strongest of what did."""

    READ = 1  #: A read was recorded.
    CHANGED = 2  #: A read was recorded that changed something.
    AT_ONCE = 3  #: It must be stepped again at once.
    #: The same, because another kind of stop was asked for: the answer to one under way doesn't count.
    OTHER_STOP = 4


@dataclass(frozen=True, slots=True)
class Owned:
    """Hold what a process owns, and for how many seconds more unless it is renewed."""

    name: str
    owner: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """Hold the result of accepting an operation.

    ``joined``: one with the same verb was open, and ``operation`` is that one. ``replaced``: the open one of
    another verb that this one ended. ``repeated``: the interaction was seen before; nothing changed.
    """

    operation: Operation
    joined: bool = False
    replaced: Operation | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Describe a pause that a provider asked for, ``ago`` seconds ago, with ``left`` seconds to go.

    ``calls``: ``any``, or ``start`` for those that start something. ``who`` is an account, "" for everybody.
    """

    connection: str
    calls: Calls
    who: str
    ago: float
    left: float


@dataclass(frozen=True, slots=True)
class NewTask:
    """Describe a task; while one with this kind and subject is open, a second one joins it.

    Joining keeps the open one's payload, except that a list under ``then`` (waiting commands) is extended. A
    task already running runs again afterwards with what was added, so nothing that waits for it is lost.
    """

    kind: TaskKind
    subject: str
    payload: dict[str, Any] = field(default_factory=dict)
    due_in: float = 0.0


@dataclass(frozen=True, slots=True)
class FoundWorkspace:
    """Describe a workspace found on a provider, to be merged into a person's list.

    ``actions`` and ``ends_at`` as in ``Observed``; if a list leaves them out, what a read found is kept.
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
