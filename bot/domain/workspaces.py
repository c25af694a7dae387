"""Workspaces: one person's view of one on a provider, its state, and what may be done with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import unquote

from bot.domain.forms import Spec
from bot.domain.people import Principal
from bot.domain.row_times import Past, Stays
from bot.domain.stops import NO_PLANNED_STOPS, ExpiryMode, PlannedStops, StopMode, StopRisk
from bot.domain.usability import UNUSABLE, Lack

#: How long before a workspace ends by itself its owner is warned, in seconds.
EXPIRY_WARNING_SECONDS: Final = 300.0


class State(StrEnum):
    """The state of a workspace; the same for every provider.

    Attributes:
        STOPPED: It is down, and can be started.
        STARTING: It is coming up.
        RUNNING: It is up; what it ``lacks`` says whether people can use it.
        STOPPING: It is going down.
        SUSPENDED: It is down, and its memory is kept.
        FAILED: It has failed; something of it may still run, so people can stop it, unless ``actions`` are
            given without a stop.
        GONE: There is none, or none of this person's.
        UNKNOWN: Its state can't be read, or has a new word; the last known one stays.
    """

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUSPENDED = "suspended"
    FAILED = "failed"
    GONE = "gone"
    UNKNOWN = "unknown"


#: Coming up, or up.
UP_STATES: Final = frozenset({State.STARTING, State.RUNNING})
#: There without being either; what may be started; and not up, whether it is there or not. Of what has
#: failed, something may still run: ``is_down`` has the last word.
DOWN_STATES: Final = frozenset({State.STOPPED, State.SUSPENDED})
DOWN_OR_FAILED_STATES: Final = DOWN_STATES | {State.FAILED}
NOT_UP_STATES: Final = DOWN_OR_FAILED_STATES | {State.GONE}

#: On its way to another state, or nobody knows.
_MOVING_STATES: Final = frozenset({State.STARTING, State.STOPPING, State.UNKNOWN})

#: What may be done with a workspace now; decides which buttons are shown.
#: - ``open``: open its link or page.
#: - ``start``: start it.
#: - ``stop``, ``suspend``, ``force``: stop it in that way (``StopMode``).
#: - ``remove``: delete it for good.
Action = Literal["open", "start", "stop", "suspend", "force", "remove"]
_STOPS: Final[frozenset[Action]] = frozenset({"stop", "suspend", "force"})


def is_down(state: State, actions: Iterable[str] | None) -> bool:
    """Return whether a workspace is known to be down: nothing else takes *Stop* away.

    A failed one is down only if its provider is certain that nothing is left of it, and says so by
    ``actions`` without any way to stop it.
    """
    if state is State.FAILED:
        return actions is not None and _STOPS.isdisjoint(actions)
    return state in DOWN_STATES or state is State.GONE


#: The prefix of a remote id while the provider hasn't created the workspace; the workspace's own id follows.
PROVISIONAL = "new:"


def get_name_in_id(remote_id: str) -> str:
    """Return the name that a provider's id has after its owner's, as a hub's does; "" if ids are no names."""
    return unquote(remote_id.partition("/")[2])


@dataclass(frozen=True, slots=True)
class Workspace:
    """One person's view of one workspace on a provider.

    ``verified_at`` is None until a read with this person's own credential succeeds; until then, nothing found
    by another person's read is shown here. Providers read:

    Attributes:
        remote_id: Its id on the provider.
        name: Its name there.
        state: Its state as last read.
        spec: What it was created from, if Usher created it.
        actions: What could be done then; None for everything that the provider is capable of.
        survives_stop: Whether it survives being stopped; None if the provider hasn't said.
        stop_risks: What a stop would interrupt or lose; None if the provider doesn't say.
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
    #: When the latest read found a state that isn't known; None if it found a known one, which is ``state``.
    unknown_at: Past | None = None
    verified_at: Past | None = None
    used_at: Past | None = None
    #: When its person last opened it or asked anything of it.
    last_request_at: Past | None = None
    origin: Literal["discovered", "added"] = "discovered"
    hidden: bool = False
    spec: Spec | None = None
    actions: frozenset[Action] | None = None
    expires_at: Stays | None = None
    expiry_mode: ExpiryMode | None = None
    #: The secret that opens it from Usher's page, sealed (``bot.support.vault``); not every provider has one.
    entry: str | None = None
    #: What its provider last reported in an event, as a sentence.
    event_message: str | None = None
    #: Whether its person is told when it is ready, and when it stops by itself; None: by their settings.
    notify_ready: bool | None = None
    notify_stopped: bool | None = None
    #: Whether it survives being stopped; None if its provider hasn't said.
    survives_stop: bool | None = None
    #: When a read last showed it starting or running.
    up_at: Past | None = None
    #: Since when it has been up: as its provider says, or a read that found it just come up; None if neither.
    started_at: Stays | None = None
    #: When a read or a list first found it running, this time: what counts where nothing says ``started_at``.
    running_since: Past | None = None
    #: The timer: when its person wants it stopped (epoch seconds), how, and whether they agreed that this
    #: ends it for good; ``expires_at`` is the provider's own. ``stop_warned``: they were warned, or need not
    #: be.
    stop_at: Stays | None = None
    stop_mode: StopMode | None = None
    stop_agreed: bool = False
    stop_warned: bool = False
    #: The class because of which the timer is set; None for a person's own.
    stop_card: str | None = None
    #: The hours because of which it is set; None for a person's own.
    stop_rule: str | None = None
    #: Through what its person asked for it, "" for themself; and the start that has to bring the workspace up
    #: for it to hold, "" if it holds in any case.
    stop_via: str = ""
    stop_start: str = ""
    #: What the timer is set because of, and what else; ``bot.domain.planned_stops`` says which of them
    #: counts.
    planned_stops: PlannedStops = NO_PLANNED_STOPS
    #: How often it was brought up.
    generation: int = 0
    #: As its provider last said; None if it doesn't.
    stop_risks: frozenset[StopRisk] | None = None
    last_used_at: Stays | None = None
    #: What holds it up or made it fail, in its provider's words, until it is up or started again.
    reason: str | None = None
    #: Since when it has been down, as its provider says; None if it doesn't.
    down_at: Stays | None = None
    #: What it lacks while it runs, and when a read first found it running without that.
    lacks: Lack | None = None
    lacks_since: Past | None = None

    @property
    def was_never_shown(self) -> bool:
        """Return whether its provider has never shown it to its person, and doesn't now.

        It may be somebody else's: providers answer the same for what isn't there.
        """
        return self.state is State.GONE and self.verified_at is None

    @property
    def is_provisional(self) -> bool:
        """Return whether the provider hasn't created it yet: there is nothing there to read or stop."""
        return self.remote_id.startswith(PROVISIONAL)

    @property
    def current_state(self) -> State:
        """Return the state that the latest read found; ``state`` is the last known one."""
        return self.state if self.unknown_at is None else State.UNKNOWN

    @property
    def read_at(self) -> float | None:
        """Return the time of the latest read, whether or not it found a known state."""
        return self.observed_at if self.unknown_at is None else self.unknown_at

    @property
    def is_down(self) -> bool:
        """Return whether it is known to be down, so that there is nothing to stop."""
        return is_down(self.current_state, self.actions)

    @property
    def is_moving(self) -> bool:
        """Return whether it is on its way to another state, as far as anybody knows."""
        return self.current_state in _MOVING_STATES

    @property
    def has_ends(self) -> bool:
        """Return whether any end of it is planned."""
        return self.stop_at is not None or bool(self.planned_stops.rows)

    @property
    def title(self) -> str:
        """Return the name that the person uses."""
        return self.alias or self.name

    def stops_at(self, second: float) -> bool:
        """Return whether the timer is for a time, to the second as buttons carry it."""
        return self.stop_at is not None and abs(self.stop_at - second) < 1.0

    @property
    def stakes(self) -> frozenset[StopRisk]:
        """Return the risks of a stop in the present state, which a list may have found since."""
        found = self.stop_risks or frozenset()
        if self.state is State.SUSPENDED:
            return found & {"memory"}
        return found - {"memory"} if self.state is State.RUNNING else frozenset()

    @property
    def is_unusable(self) -> bool:
        """Return whether it runs, and nobody can open it."""
        return self.state is State.RUNNING and self.lacks in UNUSABLE

    def allows(self, action: Action) -> bool:
        """Return whether the action was allowed when it was last read."""
        return self.actions is None or action in self.actions
