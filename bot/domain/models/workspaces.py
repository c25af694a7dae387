"""Workspaces on providers: their states, what a read found, and claims to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from bot.domain.models.forms import Spec
from bot.domain.models.people import Account, Principal
from bot.domain.times import Past, Stays


class State(StrEnum):
    """Name the state of a workspace; the same for every provider."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUSPENDED = "suspended"
    FAILED = "failed"
    GONE = "gone"
    UNKNOWN = "unknown"


#: Coming up or up; there without being either; and not up, whether it is there or not.
UP: Final = frozenset({State.STARTING, State.RUNNING})
DOWN: Final = frozenset({State.STOPPED, State.SUSPENDED, State.FAILED})
NOT_UP: Final = DOWN | {State.GONE}

#: What may be done with a workspace now; decides which buttons are shown.
Action = Literal["open", "start", "stop", "suspend", "force", "remove"]
#: How a workspace is brought down: the provider's normal stop, keeping its state, or without asking the IDE.
StopMode = Literal["stop", "suspend", "force"]
#: What a stop would interrupt or lose now: something runs in it, or not everything in it is saved.
AtStake = Literal["busy", "unsaved"]
#: What happens to a workspace at ``ends_at`` if nobody does anything.
Ending = Literal["stops", "removed"]

#: The prefix of a remote id while the provider hasn't created the workspace; the workspace's own id follows.
PROVISIONAL = "new:"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Count consecutive reads that report something not certain yet: its kind, how often, and since when."""

    kind: str
    times: int
    since: float


@dataclass(frozen=True, slots=True)
class Workspace:
    """Hold one person's view of one workspace on a provider.

    ``verified_at`` is None until a read with this person's own credential succeeds; until then, nothing found
    by another person's read is shown here. ``spec`` is what it was created from, if Usher created it.
    ``actions`` is what the provider currently allows; None means everything it is capable of.
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
    observed_at: Past | None = None
    verified_at: Past | None = None
    used_at: Past | None = None
    origin: Literal["discovered", "added"] = "discovered"
    hidden: bool = False
    spec: Spec | None = None
    actions: frozenset[Action] | None = None
    ends_at: Stays | None = None
    ends_how: Ending | None = None
    #: The secret that opens it from Usher's page, sealed (``bot.support.vault``); not every provider has one.
    entry: str | None = None
    #: What its provider last reported in an event, as a sentence.
    remark: str | None = None
    #: Whether its person is told when it is ready, and when it stops by itself; None: by their settings.
    tells_ready: bool | None = None
    tells_stopped: bool | None = None
    #: Whether it survives being stopped; None if its provider hasn't said.
    is_kept: bool | None = None
    #: When a read last showed it starting or running.
    up_at: Past | None = None
    #: Since when it has been up: as its provider says, or a read that found it just come up; None if neither.
    started_at: Stays | None = None
    #: The timer: when its person wants it stopped (epoch seconds), how, and whether they agreed that this
    #: ends it for good; ``ends_at`` is the provider's own. ``stop_warned``: they were warned, or need not be.
    stop_at: Stays | None = None
    stop_mode: StopMode | None = None
    stop_agreed: bool = False
    stop_warned: bool = False
    #: How often it was brought up.
    episode: int = 0
    #: As its provider last said; None if it doesn't.
    at_stake: frozenset[AtStake] | None = None
    last_used_at: Stays | None = None

    @property
    def is_provisional(self) -> bool:
        """Return whether the provider hasn't created it yet: there is nothing there to read or stop."""
        return self.remote_id.startswith(PROVISIONAL)

    @property
    def title(self) -> str:
        """Return what the person calls it."""
        return self.alias or self.name

    def allows(self, action: Action) -> bool:
        """Return whether the action was allowed when it was last read."""
        return self.actions is None or action in self.actions


@dataclass(frozen=True, slots=True)
class Observed:
    """Hold what one read of a workspace found. ``progress`` is 0–100 if the provider reports it.

    ``actions`` is what may be done now; None means everything the provider is capable of. ``ends_at`` (epoch
    seconds) is when the provider stops or removes it by itself. ``lasts`` is the seconds until that happens,
    counted from when it entered this state or, if later, from the last use that ``ends_at`` reflects; the
    store works it out. ``entry`` is a secret that opens it from Usher's page. ``is_kept`` says whether it
    survives being stopped, if the provider reports that per workspace. ``started_at`` is when it last came up
    (epoch seconds), ``last_used_at`` when somebody last used it, None if the provider doesn't say.
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
    started_at: float | None = None
    at_stake: frozenset[AtStake] | None = None
    last_used_at: float | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """Hold the result of a creation: the id and name on the provider.

    ``is_started`` is False if it was created stopped and still needs a start call. ``is_described`` is False
    for a candidate whose list entry lacks details: ``Provider.made_at`` reads it.
    """

    remote_id: str
    name: str
    is_started: bool = True
    is_described: bool = True


@dataclass(frozen=True, slots=True)
class Traces:
    """Hold what was found after a creation or launch of unknown outcome.

    ``ours`` carries Usher's mark or a unique name: it is certainly what the call made. ``others`` may be the
    result of the call; the caller takes one only if nothing else explains it. ``is_proof``: the result would
    be listed with Usher's mark, so finding nothing means nothing was made.
    """

    ours: Created | None = None
    others: tuple[Created, ...] = ()
    is_proof: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Hold an event from a provider: its own key for it, the workspace, and a sentence for the owner.

    Times in the sentence are written as marks (``bot.messages.texts.times``).
    """

    key: str
    remote_id: str
    remark: str


@dataclass(frozen=True, slots=True)
class ReadClaim:
    """Hold the right to read one resource's status once, granted by the poll gate.

    ``gate_key`` is the key of the gate's row, ``account`` the one whose credential reads, ``workspace_ids``
    the rows that get the result. ``granted_at`` is the store's time of the claim, passed back in the result
    because an observation is as old as its request.
    """

    gate_key: str
    connection: str
    remote_id: str
    account: Account
    workspace_ids: tuple[str, ...]
    has_open_operation: bool
    state: State
    used_at: float | None
    granted_at: float = 0.0
    #: Whether a read or list with the person's own credential has shown that the first of ``workspace_ids``
    #: is theirs.
    is_proven: bool = True
    #: What this person's latest reads reported that isn't certain yet.
    doubt: Doubt | None = None
    #: A call that may end it was sent: finding it gone is expected.
    is_ending: bool = False
    #: The least seconds between two reads of it; passed back in the result.
    interval: float = 0.0
    #: The sealed entry in the reader's own row, if there is one.
    entry: str | None = None


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Hold the result of a claimed read: an observation or an error's sentence, and when to read next.

    ``next_in`` is seconds from now; None means only when somebody asks. If ``observed`` is None, the rows
    keep their state.
    """

    gate_key: str
    workspace_ids: tuple[str, ...]
    observed: Observed | None
    next_in: float | None
    hold: str | None = None
    #: ``ReadClaim.granted_at``; defaults to the gate's last claim.
    granted_at: float | None = None
    #: Period and offset, in seconds, of the times at which one account's reads are batched; the next read
    #: waits for such a time.
    slot: tuple[float, float] | None = None
    #: What the read reported that isn't certain yet, for the first of ``workspace_ids``; an observation
    #: clears it.
    doubt: Doubt | None = None
    #: How many seconds the gate stays closed from now on, whoever asks: only the answer shows when the
    #: request arrived.
    closed_for: float = 0.0
    #: Whether the credential opens only the reader's own workspaces: a read with one that opens everybody's
    #: doesn't disprove a list of theirs that lacks this one.
    is_own: bool = True
