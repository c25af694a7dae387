"""Workspaces at providers, as one user sees them: their states, and what can be done with them."""

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

#: Lead time, in seconds, of the warning that a provider will end a workspace.
EXPIRY_WARNING_SECONDS: Final = 300.0


class State(StrEnum):
    """The state of a workspace, named the same for every provider.

    Attributes:
        STOPPED: It is down and can be started.
        STARTING: It is coming up.
        RUNNING: It is up; ``lacks`` says whether people can use it.
        STOPPING: It is going down.
        SUSPENDED: It is down, and its memory is kept.
        FAILED: It has failed. Parts of it may still be running, so people can stop it, unless its ``actions``
            rule that out.
        GONE: It doesn't exist, or doesn't belong to this user.
        UNKNOWN: Its state can't be read, or is a word that Usher doesn't know. The last known state is kept.
    """

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUSPENDED = "suspended"
    FAILED = "failed"
    GONE = "gone"
    UNKNOWN = "unknown"


UP_STATES: Final = frozenset({State.STARTING, State.RUNNING})
#: States in which a workspace is certainly down.
DOWN_STATES: Final = frozenset({State.STOPPED, State.SUSPENDED})
#: States from which a workspace can be started. A failed workspace may still be partly running (``is_down``).
DOWN_OR_FAILED_STATES: Final = DOWN_STATES | {State.FAILED}
NOT_UP_STATES: Final = DOWN_OR_FAILED_STATES | {State.GONE}

#: States in which a workspace is or may be changing.
_MOVING_STATES: Final = frozenset({State.STARTING, State.STOPPING, State.UNKNOWN})

#: The actions that are possible on a workspace now. They determine the buttons shown.
#: - ``open``: open its link or page.
#: - ``start``: start it.
#: - ``stop``, ``suspend``, ``force``: stop it in that mode (``StopMode``).
#: - ``remove``: delete it.
Action = Literal["open", "start", "stop", "suspend", "force", "remove"]
_STOPS: Final[frozenset[Action]] = frozenset({"stop", "suspend", "force"})


def is_down(state: State, actions: Iterable[str] | None) -> bool:
    """Return whether a workspace is known to be down. In all other cases, *Stop* is offered.

    A failed workspace is down only if its provider is certain that no part of it is still running, and
    therefore reports ``actions`` without any stop.
    """
    if state is State.FAILED:
        return actions is not None and _STOPS.isdisjoint(actions)
    return state in DOWN_STATES or state is State.GONE


#: Prefix of the remote id of a workspace not yet created at its provider. The row's id follows.
PROVISIONAL = "new:"


def get_name_in_id(remote_id: str) -> str:
    """Return the workspace's name from a provider's id such as ``OWNER/NAME``, or "" if there is none."""
    return unquote(remote_id.partition("/")[2])


@dataclass(frozen=True, slots=True)
class Workspace:
    """One user's view of one workspace at a provider.

    ``verified_at`` is None until a read with this user's own credential succeeds. Until then, nothing found
    by another user's read is shown to them. Providers read:

    Attributes:
        remote_id: Its id at the provider.
        name: Its name at the provider.
        owner: Its owner, if it is shared with this user; None if it is their own.
        state: Its state as last read.
        spec: The form values from which it was created, if Usher created it.
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
    #: When the latest read couldn't tell the workspace's state, or None if it could. ``state`` is the last
    #: known state.
    unknown_at: Past | None = None
    verified_at: Past | None = None
    used_at: Past | None = None
    #: When the user last opened the workspace or made a request about it.
    last_request_at: Past | None = None
    origin: Literal["discovered", "added"] = "discovered"
    hidden: bool = False
    spec: Spec | None = None
    actions: frozenset[Action] | None = None
    expires_at: Stays | None = None
    expiry_mode: ExpiryMode | None = None
    #: The encrypted secret with which Usher's page opens the workspace (``bot.support.vault``), or None.
    entry: str | None = None
    #: The latest event that the provider has reported about the workspace, as a sentence.
    event_message: str | None = None
    #: Whether to tell the user when the workspace is ready and, in ``notify_stopped``, when it stops by
    #: itself. If None, the user's preferences decide.
    notify_ready: bool | None = None
    notify_stopped: bool | None = None
    survives_stop: bool | None = None
    #: When a read last showed the workspace as starting or running.
    up_at: Past | None = None
    #: When the workspace started running, according to its provider or to a read that saw it happen. None if
    #: neither is known.
    started_at: Stays | None = None
    #: When a read or list first showed the workspace running after its latest start. Used if ``started_at``
    #: isn't known.
    running_since: Past | None = None
    #: When the workspace's next planned stop is due, in epoch seconds. The time at which the provider itself
    #: will end the workspace is ``expires_at``.
    stop_at: Stays | None = None
    #: Whether the owner has been warned of the planned stop, or needs no warning.
    stop_warned: bool = False
    #: Whether the owner agreed to the planned stop although it is irreversible. ``stop_card`` is the id of
    #: the class card that set the stop, if one did. ``planned_stops`` contains both values as well, but SQL
    #: queries need columns to filter on.
    stop_agreed: bool = False
    stop_card: str | None = None
    #: All planned stops, and which of them takes effect (see ``bot.domain.planned_stops``).
    planned_stops: PlannedStops = NO_PLANNED_STOPS
    #: How many times the workspace has been started.
    generation: int = 0
    #: The workspace's machine (a template's name and a size) and hourly price, as far as they are known.
    template: str | None = None
    size: str | None = None
    price: str | None = None
    currency: str | None = None
    stop_risks: frozenset[StopRisk] | None = None
    last_used_at: Stays | None = None
    #: Why the workspace is held up or has failed, in its provider's words. The text is kept until the
    #: workspace runs or is started again.
    reason: str | None = None
    #: When the workspace went down, according to its provider, or None if the provider doesn't report that.
    down_at: Stays | None = None
    owner: str | None = None
    #: What the running workspace still lacks. ``lacks_since`` is when a read first found it missing.
    lacks: Lack | None = None
    lacks_since: Past | None = None

    @property
    def is_own(self) -> bool:
        """Return whether, as far as Usher knows, the workspace belongs to this user."""
        return self.owner is None

    @property
    def was_never_shown(self) -> bool:
        """Return whether the provider has never shown the workspace as this user's own, and still doesn't.

        It may be someone else's, because providers give the same answer for a workspace that doesn't exist.
        """
        return self.state is State.GONE and (self.verified_at is None or not self.is_own)

    def with_machine(self, machine: MachineKind) -> "Workspace":
        """Return a copy of the workspace with the given machine."""
        return replace(self, **machine.to_columns())

    @property
    def hourly_price(self) -> Price | None:
        """Return the hourly price, or None if it isn't known."""
        return parse_price(self.price, self.currency)

    @property
    def is_provisional(self) -> bool:
        """Return whether the workspace hasn't been created yet, so that it can't be read or stopped."""
        return self.remote_id.startswith(PROVISIONAL)

    @property
    def current_state(self) -> State:
        """Return the state that the latest read found, or UNKNOWN. ``state`` is the last known state."""
        return self.state if self.unknown_at is None else State.UNKNOWN

    @property
    def read_at(self) -> float | None:
        """Return the time of the latest read, even if that read couldn't tell the state."""
        return self.observed_at if self.unknown_at is None else self.unknown_at

    @property
    def is_down(self) -> bool:
        """Return whether the workspace is known to be down. If so, there is nothing to stop."""
        return is_down(self.current_state, self.actions)

    @property
    def is_moving(self) -> bool:
        """Return whether the workspace's state is changing or may be changing."""
        return self.current_state in _MOVING_STATES

    @property
    def has_ends(self) -> bool:
        """Return whether any stop of the workspace is planned."""
        return self.stop_at is not None or bool(self.planned_stops.rows)

    @property
    def stop_mode(self) -> StopMode | None:
        """Return how the timer stops the workspace, or None if there is no timer."""
        timer = self.planned_stops.counts
        return None if timer is None else timer.mode

    @property
    def title(self) -> str:
        """Return the name by which the user knows the workspace."""
        return self.alias or self.name

    def stops_at(self, second: float) -> bool:
        """Return whether the timer stops the workspace at the time stored in a button, to the second."""
        return self.stop_at is not None and abs(self.stop_at - second) < 1.0

    @property
    def stakes(self) -> frozenset[StopRisk]:
        """Return the known risks of a stop that apply in the current state.

        The state may have been read more recently than the risks.
        """
        found = self.stop_risks or frozenset()
        if self.state is State.SUSPENDED:
            return found & {"memory"}
        return found - {"memory"} if self.state is State.RUNNING else frozenset()

    @property
    def is_unusable(self) -> bool:
        """Return whether the workspace is running but can't be opened by anybody."""
        return self.state is State.RUNNING and self.lacks in UNUSABLE

    def allows(self, action: Action) -> bool:
        """Return whether the last read allowed the action. Someone else's workspace can't be removed."""
        return (self.is_own or action != "remove") and (self.actions is None or action in self.actions)
