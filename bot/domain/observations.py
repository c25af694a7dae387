"""Reports of providers about workspaces: observations, creations, events."""

from dataclasses import dataclass, field

from bot.domain.stops import ExpiryMode, StopRisk
from bot.domain.usability import Lack
from bot.domain.workspaces import Action, State


@dataclass(frozen=True, slots=True)
class Observed:
    """The result of one read of a workspace. ``progress`` is 0–100 if the provider reports it.

    ``actions`` is what may be done now; None means everything the provider is capable of. ``expires_at``
    (epoch seconds) is when the provider stops or removes it by itself. ``expires_after`` is the seconds until
    then, counted from when it entered this state or, if later, from the last use that ``expires_at``
    reflects; the store works it out. ``entry`` is a secret that opens it from Usher's page. ``survives_stop``
    says whether it survives being stopped, if the provider reports that per workspace. ``started_at`` is when
    it last came up (epoch seconds), ``down_at`` since when it has been down, ``last_used_at`` when somebody
    last used it; None if the provider doesn't say. ``reason`` is what holds it up or made it fail, in the
    provider's words; ``detail`` is anything else. ``lacks`` is what a running one still needs before people
    can use it: a start waits for that.
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
    #: The provider has more to say of why it is so, in a read of its own (``bot.providers.base.Reasons``).
    has_reason: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    """The result of a creation: the id and name on the provider.

    ``is_started`` is False if it was created stopped and still needs a start call. ``has_details`` is False
    for a candidate whose list entry lacks details: ``Creation.read_creation_time`` reads it.
    """

    remote_id: str
    name: str
    is_started: bool = True
    has_details: bool = True


@dataclass(frozen=True, slots=True)
class OutcomeSearch:
    """The result of the search after a creation or launch of unknown outcome.

    ``match`` has Usher's mark or a unique name: it is what the call made. Each of ``candidates`` may be;
    the caller takes one only if nothing else explains it. ``is_conclusive``: the result would be listed
    with Usher's mark, so finding nothing means nothing was made.
    """

    match: Created | None = None
    candidates: tuple[Created, ...] = ()
    is_conclusive: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """An event from a provider: its own key for it, the workspace, and a sentence for the owner.

    Times in the sentence are written as marks (``bot.messages.texts.times``).
    """

    key: str
    remote_id: str
    message: str
