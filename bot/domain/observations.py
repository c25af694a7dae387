"""Reports from providers: workspaces that were read, results of creations and launches, and events."""

from dataclasses import dataclass, field, replace

from bot.domain.prices import MachineKind
from bot.domain.stops import ExpiryMode, StopRisk
from bot.domain.usability import Lack
from bot.domain.workspaces import Action, State

#: Maximum difference between Usher's clock and a provider's, in seconds. If a provider reports a time that is
#: further in the future than this, Usher ignores it.
MAX_CLOCK_SKEW_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Observed:
    """The result of one read of a workspace. Whatever the provider doesn't report is None.

    Attributes:
        state: Its state.
        url: The link to its IDE, through ``allowed_url``; None unless it is running.
        detail: More about it, cleaned, in the provider's words.
        progress: 0–100, if the provider reports it.
        name: Its current name, cleaned; None if this read doesn't include it.
        owner: The person or group that owns it, cleaned, if it is shared with this account.
        actions: The actions that are possible now; None for everything that the provider supports.
        expires_at: When the provider will stop or remove it unless someone acts (epoch seconds).
        expiry_mode: What the provider does at that time.
        expires_after: How many seconds it stays in this state, if the provider doesn't say when that began.
            They count from the read that first found this state. If ``expires_at`` is set, too, the later
            time applies.
        removed_at: When the provider removes it no matter what (epoch seconds), if that is earlier.
        entry: The secret that opens it from Usher's page (``EmbeddedPage``).
        survives_stop: Whether it survives a stop, if the provider reports that per workspace.
        started_at: When it last came up (epoch seconds).
        stop_risks: What a stop would interrupt or lose now; None if the provider doesn't say.
        last_used_at: When it was last used (epoch seconds).
        reason: Why it is held up or has failed, cleaned, in the provider's words. "" while it is starting if
            nothing holds it up any more.
        down_at: When it went down (epoch seconds).
        lacks: What it still needs, while running, before anyone can use it. A start waits until it has that.
        machine: Its machine and price, if the provider reports them per workspace.
        has_reason: Whether another read (the facet ``Reasons``) can tell why it is in this state.
    """

    state: State
    url: str | None = None
    detail: str | None = None
    progress: int | None = None
    name: str | None = None
    owner: str | None = None
    actions: frozenset[Action] | None = None
    expires_at: float | None = None
    expiry_mode: ExpiryMode | None = None
    expires_after: float | None = None
    removed_at: float | None = None
    entry: str | None = field(default=None, repr=False)
    survives_stop: bool | None = None
    started_at: float | None = None
    stop_risks: frozenset[StopRisk] | None = None
    last_used_at: float | None = None
    reason: str | None = None
    down_at: float | None = None
    lacks: Lack | None = None
    has_reason: bool = False
    machine: MachineKind | None = None


def drop_impossible_times(seen: Observed, now: float) -> Observed:
    """Return an observation of a workspace with any impossible times removed.

    These are times in the future, and the last use of a running workspace if that is before its start. They
    occur, for instance, if a server writes local times without a time zone.
    """
    latest = now + MAX_CLOCK_SKEW_SECONDS
    started_at, down_at = drop_future_time(seen.started_at, latest), drop_future_time(seen.down_at, latest)
    used_at = drop_future_time(seen.last_used_at, latest)
    if seen.state is State.RUNNING and started_at is not None and used_at is not None:
        used_at = None if used_at < started_at - MAX_CLOCK_SKEW_SECONDS else used_at
    if used_at is None and seen.last_used_at is not None and seen.expires_after is not None:
        # The expiry time was computed from that impossible last use, so drop it as well.
        seen = replace(seen, expires_at=None)
    if (started_at, down_at, used_at) == (seen.started_at, seen.down_at, seen.last_used_at):
        return seen
    return replace(seen, started_at=started_at, down_at=down_at, last_used_at=used_at)


def drop_future_time(at: float | None, latest: float) -> float | None:
    """Return a time, or None if it is later than ``latest``."""
    return None if at is None or at > latest else at


@dataclass(frozen=True, slots=True)
class Created:
    """The result of a creation or launch.

    Attributes:
        remote_id: Its id at the provider.
        name: Its name there.
        is_started: False if it was created in a stopped state and still needs a start call.
        has_details: False for a candidate that the list describes only in part;
            ``Creation.read_creation_time`` reads the rest.
    """

    remote_id: str
    name: str
    is_started: bool = True
    has_details: bool = True


@dataclass(frozen=True, slots=True)
class OutcomeSearch:
    """The result of a search for what was created by a creation or launch whose outcome is unknown.

    Attributes:
        match: The call's result, recognised by Usher's mark or a unique name.
        candidates: Possible results. A candidate is accepted only if nothing else explains it.
        is_conclusive: Whether the provider would list the result with Usher's mark, so that finding none
            proves that nothing was created.
    """

    match: Created | None = None
    candidates: tuple[Created, ...] = ()
    is_conclusive: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """An event from a provider.

    Attributes:
        key: The provider's own key for the event, so that each event is reported only once.
        remote_id: The workspace's id at the provider.
        message: A sentence for its owner, with placeholders for times (``bot.domain.time_marks``).
    """

    key: str
    remote_id: str
    message: str
