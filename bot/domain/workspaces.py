"""Workspaces on providers, each as one person sees it: its state, and what may be done with it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import unquote

from bot.domain.forms import Spec
from bot.domain.people import Principal
from bot.domain.prices import MachineKind, Price, parse_price
from bot.domain.row_times import Past, Stays
from bot.domain.stops import NO_PLANNED_STOPS, ExpiryMode, PlannedStops, StopMode, StopRisk
from bot.domain.usability import UNUSABLE, Lack

#: Seconds before a workspace ends by itself at which its owner is warned.
EXPIRY_WARNING_SECONDS: Final = 300.0


class State(StrEnum):
    """The state of a workspace; the same for every provider.

    Attributes:
        STOPPED: It is down, and can be started.
        STARTING: It is coming up.
        RUNNING: It is up; what it ``lacks`` says whether people can use it.
        STOPPING: It is going down.
        SUSPENDED: It is down, and its memory is kept.
        FAILED: It has failed. Something of it may still run, so people can stop it, unless ``actions`` are
            given without a stop.
        GONE: It doesn't exist, or isn't this person's.
        UNKNOWN: Its state can't be read, or is a word that Usher doesn't know. The last known state stays.
    """

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUSPENDED = "suspended"
    FAILED = "failed"
    GONE = "gone"
    UNKNOWN = "unknown"


#: States of a workspace that is up or coming up.
UP_STATES: Final = frozenset({State.STARTING, State.RUNNING})
#: States of a workspace that is down; of one that may be started; and of one that isn't up, gone included.
#: Something of a failed workspace may still run, which ``is_down`` decides.
DOWN_STATES: Final = frozenset({State.STOPPED, State.SUSPENDED})
DOWN_OR_FAILED_STATES: Final = DOWN_STATES | {State.FAILED}
NOT_UP_STATES: Final = DOWN_OR_FAILED_STATES | {State.GONE}

#: States of a workspace that is changing, or may be.
_MOVING_STATES: Final = frozenset({State.STARTING, State.STOPPING, State.UNKNOWN})

#: Actions that are possible on a workspace now. They decide which buttons are shown.
#: - ``open``: open its link or page.
#: - ``start``: start it.
#: - ``stop``, ``suspend``, ``force``: stop it in that way (``StopMode``).
#: - ``remove``: delete it.
Action = Literal["open", "start", "stop", "suspend", "force", "remove"]
_STOPS: Final[frozenset[Action]] = frozenset({"stop", "suspend", "force"})


def is_down(state: State, actions: Iterable[str] | None) -> bool:
    """Return whether a workspace is known to be down. Only then is *Stop* not offered.

    A failed workspace is down only if its provider is certain that nothing of it still runs, and says so with
    ``actions`` that have no way to stop it.
    """
    if state is State.FAILED:
        return actions is not None and _STOPS.isdisjoint(actions)
    return state in DOWN_STATES or state is State.GONE


#: Prefix of a remote id while the provider hasn't created the workspace. The workspace's own id follows.
PROVISIONAL = "new:"


def get_name_in_id(remote_id: str) -> str:
    """Return the workspace's name from a provider's id such as ``OWNER/NAME``; "" if the id has none."""
    return unquote(remote_id.partition("/")[2])


@dataclass(frozen=True, slots=True)
class Workspace:
    """One person's view of one workspace on a provider.

    ``verified_at`` is None until a read with this person's own credential succeeds. Until then, nothing that
    another person's read found is shown to them. Providers read:

    Attributes:
        remote_id: Its id on the provider.
        name: Its name there.
        owner: Whose it is, if it is shared with this person; None if it is their own.
        state: Its state as last read.
        spec: The form's values that it was created from, if Usher created it.
        actions: The actions possible at that read; None for everything that the provider is capable of.
        survives_stop: Whether it survives a stop; None if the provider hasn't said.
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
    #: When the latest read found an unknown state; None if it found a known one, which is ``state``.
    unknown_at: Past | None = None
    verified_at: Past | None = None
    used_at: Past | None = None
    #: When its person last opened it or requested anything about it.
    last_request_at: Past | None = None
    origin: Literal["discovered", "added"] = "discovered"
    hidden: bool = False
    spec: Spec | None = None
    actions: frozenset[Action] | None = None
    expires_at: Stays | None = None
    expiry_mode: ExpiryMode | None = None
    #: The encrypted secret that opens it from Usher's page (``bot.support.vault``), if the provider has one.
    entry: str | None = None
    #: The provider's last event about it, as a sentence.
    event_message: str | None = None
    #: Whether its person is told when it is ready, and when it stops by itself; None: as their settings say.
    notify_ready: bool | None = None
    notify_stopped: bool | None = None
    #: Whether it survives a stop; None if its provider hasn't said.
    survives_stop: bool | None = None
    #: When a read last showed it starting or running.
    up_at: Past | None = None
    #: Since when it has been up: as its provider says, or when a read saw it come up; None if neither.
    started_at: Stays | None = None
    #: When a read or a list first found it running this time. It counts if ``started_at`` isn't known.
    running_since: Past | None = None
    #: The timer: when it is to be stopped (epoch seconds), how, and whether its person agreed that the stop
    #: is irreversible. ``expires_at`` is the provider's own end. ``stop_warned``: the person was warned, or
    #: needs no warning.
    stop_at: Stays | None = None
    stop_mode: StopMode | None = None
    stop_agreed: bool = False
    stop_warned: bool = False
    #: The class that set the timer; None for any other reason.
    stop_card: str | None = None
    #: The hours or course that set the timer; None for any other reason.
    stop_rule: str | None = None
    #: The assistant that asked for the timer, "" for the person themself, and the start without which the
    #: timer is dropped, "" if it holds in any case.
    stop_via: str = ""
    stop_start: str = ""
    #: All planned stops, one of which is the timer. ``bot.domain.planned_stops`` decides which.
    planned_stops: PlannedStops = NO_PLANNED_STOPS
    #: Number of times it was brought up.
    generation: int = 0
    #: What it runs on, and the price of an hour, as far as is known: a template's name, a size, a number.
    template: str | None = None
    size: str | None = None
    price: str | None = None
    currency: str | None = None
    #: Risks of a stop, as its provider last said; None if it doesn't.
    stop_risks: frozenset[StopRisk] | None = None
    last_used_at: Stays | None = None
    #: Why it is held up or failed, in its provider's words, until it runs or is started again.
    reason: str | None = None
    #: Since when it has been down, as its provider says; None if it doesn't.
    down_at: Stays | None = None
    owner: str | None = None
    #: What it lacks while it runs, and when a read first found that missing.
    lacks: Lack | None = None
    lacks_since: Past | None = None

    @property
    def is_own(self) -> bool:
        """Return whether it is this person's own, as far as is known, and not shared with them."""
        return self.owner is None

    @property
    def was_never_shown(self) -> bool:
        """Return whether its provider has never shown it as this person's own, and doesn't show it now.

        It may be somebody else's, as providers give the same answer for a workspace that doesn't exist.
        """
        return self.state is State.GONE and (self.verified_at is None or not self.is_own)

    def with_machine(self, machine: MachineKind) -> "Workspace":
        """Return it with what it runs on."""
        return replace(self, **machine.to_columns())

    @property
    def hourly_price(self) -> Price | None:
        """Return the price of an hour; None if none is known."""
        return parse_price(self.price, self.currency)

    @property
    def is_provisional(self) -> bool:
        """Return whether the provider hasn't created it yet, so that there is nothing to read or stop."""
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
        """Return whether it is changing its state, or may be."""
        return self.current_state in _MOVING_STATES

    @property
    def has_ends(self) -> bool:
        """Return whether any stop of it is planned."""
        return self.stop_at is not None or bool(self.planned_stops.rows)

    @property
    def title(self) -> str:
        """Return the name that the person uses."""
        return self.alias or self.name

    def stops_at(self, second: float) -> bool:
        """Return whether the timer stops it at this time, compared to the second, as buttons carry times."""
        return self.stop_at is not None and abs(self.stop_at - second) < 1.0

    @property
    def stakes(self) -> frozenset[StopRisk]:
        """Return the known risks of a stop that apply in the present state, which may be newer."""
        found = self.stop_risks or frozenset()
        if self.state is State.SUSPENDED:
            return found & {"memory"}
        return found - {"memory"} if self.state is State.RUNNING else frozenset()

    @property
    def is_unusable(self) -> bool:
        """Return whether it runs but nobody can open it."""
        return self.state is State.RUNNING and self.lacks in UNUSABLE

    def allows(self, action: Action) -> bool:
        """Return whether the action was possible at the last read; what is somebody else's isn't removed."""
        return (self.is_own or action != "remove") and (self.actions is None or action in self.actions)
