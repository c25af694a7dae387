"""Reports of providers about workspaces: observations, creations, events."""

from dataclasses import dataclass, field, replace

from bot.domain.stops import ExpiryMode, StopRisk
from bot.domain.usability import Lack
from bot.domain.workspaces import Action, State

#: The most seconds by which our clock and a provider's may differ.
MAX_CLOCK_SKEW_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Observed:
    """The result of one read of a workspace. What the provider doesn't say is None.

    Attributes:
        state: Its state.
        url: The link to its IDE, through ``allowed_url``; None unless it runs.
        detail: Anything else to say of it, cleaned, in the provider's words.
        progress: 0–100, if the provider reports that.
        name: Its name now, cleaned; None if this read doesn't say.
        actions: What may be done now; None for everything that the provider is capable of.
        expires_at: When the provider stops or removes it by itself (epoch seconds).
        expiry_mode: What happens then.
        expires_after: How long it stays in this state, in seconds, where the provider doesn't say since when:
            counted from the read that first found it so. With ``expires_at``, the later one counts.
        entry: The secret that opens it from Usher's page (``EmbeddedPage``).
        survives_stop: Whether it survives being stopped, if the provider reports that per workspace.
        started_at: When it last came up (epoch seconds).
        stop_risks: What a stop would interrupt or lose now; None if the provider doesn't say.
        last_used_at: When somebody last used it (epoch seconds).
        reason: What holds it up or made it fail, cleaned, in the provider's words.
        down_at: Since when it has been down (epoch seconds).
        lacks: What a running one still needs before people can use it: a start waits for that.
        has_reason: Whether the provider has more to say of why it is so, in a read of its own (``Reasons``).
    """

    state: State
    url: str | None = None
    detail: str | None = None
    progress: int | None = None
    name: str | None = None
    actions: frozenset[Action] | None = None
    expires_at: float | None = None
    expiry_mode: ExpiryMode | None = None
    expires_after: float | None = None
    entry: str | None = field(default=None, repr=False)
    survives_stop: bool | None = None
    started_at: float | None = None
    stop_risks: frozenset[StopRisk] | None = None
    last_used_at: float | None = None
    reason: str | None = None
    down_at: float | None = None
    lacks: Lack | None = None
    has_reason: bool = False


def drop_impossible_times(seen: Observed, now: float) -> Observed:
    """Return an observation without times that can't be right, which are no news.

    Nothing has happened later than now, and no use of a running workspace is older than its start: a server
    may write a local time without its zone.
    """
    latest = now + MAX_CLOCK_SKEW_SECONDS
    started_at, down_at = drop_future_time(seen.started_at, latest), drop_future_time(seen.down_at, latest)
    used_at = drop_future_time(seen.last_used_at, latest)
    if seen.state is State.RUNNING and started_at is not None and used_at is not None:
        used_at = None if used_at < started_at - MAX_CLOCK_SKEW_SECONDS else used_at
    if (started_at, down_at, used_at) == (seen.started_at, seen.down_at, seen.last_used_at):
        return seen
    return replace(seen, started_at=started_at, down_at=down_at, last_used_at=used_at)


def drop_future_time(at: float | None, latest: float) -> float | None:
    """Return a time, None if it is after the ``latest`` that it can be."""
    return None if at is None or at > latest else at


@dataclass(frozen=True, slots=True)
class Created:
    """The result of a creation or launch.

    Attributes:
        remote_id: Its id on the provider.
        name: Its name there.
        is_started: False if it was created stopped and still needs a start call.
        has_details: False for a candidate whose list entry lacks details: ``Creation.read_creation_time``
            reads them.
    """

    remote_id: str
    name: str
    is_started: bool = True
    has_details: bool = True


@dataclass(frozen=True, slots=True)
class OutcomeSearch:
    """The result of the search after a creation or launch of unknown outcome.

    Attributes:
        match: What the call made: it has Usher's mark or a unique name.
        candidates: What it may have made; one is taken only if nothing else explains it.
        is_conclusive: Whether the result would be listed with Usher's mark, so that finding nothing means
            that nothing was made.
    """

    match: Created | None = None
    candidates: tuple[Created, ...] = ()
    is_conclusive: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """An event from a provider.

    Attributes:
        key: The provider's own key for it: one is told once.
        remote_id: The workspace.
        message: A sentence for its owner; times in it are written as marks (``bot.messages.texts.times``).
    """

    key: str
    remote_id: str
    message: str
