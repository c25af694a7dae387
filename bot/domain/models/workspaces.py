"""What is at the providers: states, workspaces, what a read found and who may read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from bot.domain.models.forms import Spec
from bot.domain.models.people import Account, Principal


class State(StrEnum):
    """Name what a workspace is; one vocabulary for every provider."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUSPENDED = "suspended"
    FAILED = "failed"
    GONE = "gone"
    UNKNOWN = "unknown"


#: What may be done with a workspace just now; its buttons are shown by it.
Action = Literal["open", "start", "stop", "suspend", "force", "remove"]
#: How a workspace is brought down: as its provider does it, with its state kept, or without asking it.
StopMode = Literal["stop", "suspend", "force"]
#: What happens to a workspace at ``ends_at`` when nobody does anything.
Ending = Literal["stops", "removed"]

#: How the remote id of a workspace begins that the provider has not made yet; the workspace's own id follows.
PROVISIONAL = "new:"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Count what reads say in a row that is no news yet: its kind, how often, and since when."""

    kind: str
    times: int
    since: float


@dataclass(frozen=True, slots=True)
class Workspace:
    """Hold one person's view of one workspace at a provider.

    ``verified_at`` is None until a read with this person's own credential succeeded: before that nothing that
    another person's read found out is shown here. ``spec`` is what it was created from, where Usher created
    it. ``actions`` is what its provider says may be done with it now; None: whatever the provider can do.
    """

    id: str
    principal: Principal
    connection: str
    remote_id: str
    gate_key: str
    name: str
    alias: str | None = None
    state: State = State.UNKNOWN
    url: str | None = None
    detail: str | None = None
    progress: int | None = None
    observed_at: float | None = None
    verified_at: float | None = None
    used_at: float | None = None
    origin: Literal["discovered", "added"] = "discovered"
    hidden: bool = False
    spec: Spec | None = None
    actions: frozenset[Action] | None = None
    ends_at: float | None = None
    ends_how: Ending | None = None
    #: What opens it in a page of ours, sealed (``bot.support.vault``); only where its provider has that.
    entry: str | None = None
    #: What its provider told last by itself, as a sentence.
    remark: str | None = None
    #: Whether its person is told when it stops without their having asked for it.
    tells_stop: bool = False
    #: Whether it is kept when it is stopped; None where its provider has not said.
    is_kept: bool | None = None
    #: When a read last showed it starting or running.
    up_at: float | None = None

    @property
    def is_provisional(self) -> bool:
        """Say whether the provider has yet to make it: there is nothing to read or to stop there."""
        return self.remote_id.startswith(PROVISIONAL)

    @property
    def title(self) -> str:
        """Return what the person calls it."""
        return self.alias or self.name

    def allows(self, action: Action) -> bool:
        """Say whether something may be done with it now, as it was last seen."""
        return self.actions is None or action in self.actions


@dataclass(frozen=True, slots=True)
class Observed:
    """Hold what one read of a provider found. ``progress`` is 0–100 where the provider tells it.

    ``actions`` is what may be done now, None for whatever the provider can do. ``ends_at`` is epoch seconds:
    when the provider stops or removes it by itself. ``lasts``: the seconds after which that happens, counted
    from when it came into this state or, where that is later, from the last use that ``ends_at`` tells of;
    who keeps the records works it out. ``entry`` is a secret that opens it in a page of ours.
    ``is_kept`` says whether it is kept when it is stopped, where the provider tells that of each.
    """

    state: State
    url: str | None = None
    detail: str | None = None
    progress: int | None = None
    name: str | None = None
    actions: frozenset[Action] | None = None
    ends_at: float | None = None
    ends_how: Ending | None = None
    lasts: float | None = None
    entry: str | None = field(default=None, repr=False)
    is_kept: bool | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """Say what came of a creation: the id at the provider and the name that it has there.

    ``is_started`` is False where it stands still until it is started, as any other. ``is_described`` is False
    for a candidate that a list tells too little of: ``Provider.made_at`` reads it.
    """

    remote_id: str
    name: str
    is_started: bool = True
    is_described: bool = True


@dataclass(frozen=True, slots=True)
class Traces:
    """Hold what a look after a creation or launch of unknown outcome found.

    ``ours`` carries our mark, or has a name that only one can have: it is certainly what was made. ``others``
    may have come of the call; the caller takes one only when nothing else can explain it. ``is_proof``: what
    was made would be shown with our mark, so that nothing found is nothing made.
    """

    ours: Created | None = None
    others: tuple[Created, ...] = ()
    is_proof: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Hold what a provider told by itself: its own key for it, the workspace, and a sentence for its owner.

    A time stands in the sentence as a mark (``bot.messages.texts.times``).
    """

    key: str
    remote_id: str
    remark: str


@dataclass(frozen=True, slots=True)
class ReadClaim:
    """Hold the right to read one resource's status once, granted by the poll gate.

    ``gate_key`` names the gate's row, ``account_id`` whose credential reads, ``workspace_ids``
    who sees the result. ``claimed_at`` is the injected monotonic time just before the claim was issued;
    ``granted_at`` is the store's time of the claim, handed back in the result: news is as old as its request.
    """

    gate_key: str
    connection: str
    remote_id: str
    account: Account
    workspace_ids: tuple[str, ...]
    has_open_operation: bool
    state: State
    used_at: float | None
    claimed_at: float
    granted_at: float = 0.0
    #: Whether the first of ``workspace_ids`` is known to be its person's: a read or a list with their own
    #: credential said so.
    is_proven: bool = True
    #: What this person's reads said last that was no news yet.
    doubt: Doubt | None = None
    #: A call has left that may end it: that it is gone is no surprise.
    is_ending: bool = False
    #: The least seconds between two reads of it; the result hands it back.
    interval: float = 0.0


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Hold what a claimed read brought: an observation, or an error's sentence; and when to read next.

    ``next_in`` is seconds from now, None for *when somebody asks*. With ``observed`` None the rows
    keep their state.
    """

    gate_key: str
    workspace_ids: tuple[str, ...]
    observed: Observed | None
    next_in: float | None
    hold: str | None = None
    #: ``ReadClaim.granted_at``; where it is left out, the gate's last claim stands for it.
    granted_at: float | None = None
    #: Period and offset, in seconds, of the times at which the reads of one account are made together; the
    #: next one waits for such a time.
    slot: tuple[float, float] | None = None
    #: What the read said that is no news yet, for the first of ``workspace_ids``; an observation ends it.
    doubt: Doubt | None = None
    #: How many seconds the gate stays closed from now on, whoever asks: only the answer tells by when the
    #: request had arrived.
    closed_for: float = 0.0
    #: Whether it was read with what opens only what is the reader's own: what opens everybody's tells nothing
    #: against a list of theirs that lacks it.
    is_own: bool = True
