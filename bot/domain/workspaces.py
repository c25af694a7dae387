"""Workspaces on providers: their states, what reads found, operations on them, and how long starts take."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from statistics import median
from typing import Final, Literal

from bot.domain.forms import Spec
from bot.domain.people import Account, Principal
from bot.domain.times import Deadline, Past, SessionEnd, Since, Stays, Step


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
#: What a stop would interrupt or lose now: something runs in it, not everything in it is saved, or its memory
#: is kept while it is suspended.
AtStake = Literal["busy", "unsaved", "memory"]
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
    #: What holds it up or made it fail, in its provider's words, until it is up or started again.
    reason: str | None = None
    #: Since when it has been down, as its provider says; None if it doesn't.
    down_at: Stays | None = None

    @property
    def is_provisional(self) -> bool:
        """Return whether the provider hasn't created it yet: there is nothing there to read or stop."""
        return self.remote_id.startswith(PROVISIONAL)

    @property
    def title(self) -> str:
        """Return what the person calls it."""
        return self.alias or self.name

    @property
    def stakes(self) -> frozenset[AtStake]:
        """Return what is at stake in the state that it is in, which a list may have found since."""
        found = self.at_stake or frozenset()
        if self.state is State.SUSPENDED:
            return found & {"memory"}
        return found - {"memory"} if self.state is State.RUNNING else frozenset()

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
    (epoch seconds), ``down_at`` since when it has been down, ``last_used_at`` when somebody last used it;
    None if the provider doesn't say.
    ``reason`` is what holds it up or made it fail, in the provider's words; ``detail`` is anything else.
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
    reason: str | None = None
    down_at: float | None = None
    #: The provider has more to say of why it is so, in a read of its own (``bot.providers.base.Reasons``).
    has_reason: bool = False


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


#: How long before a timer ends a workspace its person is warned.
TIMER_WARNING_SECONDS: Final = 600.0
#: Nobody's workspace is stopped sooner than this after the warning, however late that came.
LEAST_TIMER_WARNING_SECONDS: Final = 300.0
#: After nobody has looked at a timer for this long, its person may have started the workspace again.
ABSENT_SECONDS: Final = 120.0
#: The shortest time that a timer can be set for.
SOONEST_SECONDS: Final = 60.0
#: When an end for good is tried again whose person couldn't be warned of it.
AGAIN_SECONDS: Final = 86_400.0
#: What *1 hour more* adds.
MORE_SECONDS: Final = 3600.0


class StopEffect(StrEnum):
    """Name what happens to a workspace when it is stopped."""

    #: It can be started again; what was in its memory is lost.
    RETURNS = "returns"
    #: It can be started again and resumes where it was, memory included.
    KEEPS = "keeps"
    #: It can't be started again; saved files survive it.
    ENDS = "ends"
    #: It can't be started again, and everything stored only in it is lost.
    ERASES = "erases"

    @property
    def is_final(self) -> bool:
        """Return whether the workspace is gone for good."""
        return self in (StopEffect.ENDS, StopEffect.ERASES)


class Consent(IntEnum):
    """Name what a person agreed to: that a workspace ends for good, and knowing what was at stake or not."""

    NONE = 0
    GIVEN = 1
    KNOWING = 2


def costs_more(at_stake: frozenset[AtStake], consent: Consent, *, is_planned: bool) -> bool:
    """Return whether an end would cost more than its person knew when they agreed to it.

    Of a planned one they were warned; but what is busy then wasn't when they planned it. That a suspended one
    loses its memory is said in any case.
    """
    counted = at_stake & ({"busy"} if is_planned else {"busy", "unsaved"})
    return bool(counted) and consent is not Consent.KNOWING


#: What each way of stopping does to a workspace; ways that aren't listed aren't available.
Effects = Mapping[StopMode, StopEffect]
NO_EFFECTS: Final[Effects] = {}


def restart_mode(effects: Effects) -> StopMode | None:
    """Return how to stop a workspace so that it can be started again; None if there is no way."""
    if effects.get("stop") is StopEffect.RETURNS:
        return "stop"
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else None


def gentlest_mode(effects: Effects) -> StopMode:
    """Return how anyone but its owner stops a workspace: suspended if that keeps its memory, else stopped."""
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else "stop"


def planned_mode(effects: Effects) -> StopMode:
    """Return how a workspace is stopped at a time that its owner named: suspended if a stop would end it."""
    return gentlest_mode(effects) if is_final(effects, "stop") else "stop"


def ends_by_consent(effects: Effects, *, is_any: bool) -> bool:
    """Return whether a class card warns that its end may end workspaces for good; pressing agrees to that.

    ``effects`` is what the card goes by. ``is_any``: it isn't known for every workspace whether it can be
    suspended.
    """
    return is_final(effects, "stop") and (is_any or gentlest_mode(effects) == "stop")


def is_final(effects: Effects, mode: StopMode) -> bool:
    """Return whether stopping a workspace this way ends it for good."""
    effect = effects.get(mode)
    return effect is not None and effect.is_final


def coming_ends(workspace: Workspace, effects: Effects, now: float) -> list[tuple[StopMode | Ending, float]]:
    """Return how and when a workspace ends: by itself, unless its person's timer comes first, and by that.

    What is stopped for good is lost like something that is removed.
    """
    timer = [] if workspace.stop_at is None else [(workspace.stop_mode or "stop", workspace.stop_at)]
    at, how = workspace.ends_at, workspace.ends_how
    if at is None or how is None or not now < at < (workspace.stop_at or math.inf):
        return [*timer]
    return [("removed" if is_final(effects, "stop") else how, at), *timer]


@dataclass(frozen=True, slots=True)
class Timer:
    """Hold when and how a workspace is stopped; ``agreed``: its person knows that this ends it for good.

    ``warns``: its person is warned in any case, as somebody who didn't name that time just now.
    """

    at: float
    mode: StopMode
    agreed: bool = False
    warns: bool = False

    def needs_warning(self, now: float) -> bool:
        """Return whether its person is warned; somebody who has just named a near end isn't."""
        return self.warns or self.at - now > TIMER_WARNING_SECONDS + SOONEST_SECONDS


class OperationVerb(StrEnum):
    """Name what a person can ask Usher to do with a workspace."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    CREATE = "create"
    SUSPEND = "suspend"
    #: Stop without asking the IDE first: unsaved work is lost.
    FORCE = "force"
    REMOVE = "remove"

    @property
    def brings_down(self) -> bool:
        """Return whether it ends a running workspace; the other verbs result in a running one."""
        return self in (OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.FORCE, OperationVerb.REMOVE)

    @property
    def lapses(self) -> bool:
        """Return whether its calls aren't sent after the deadline; a stop costs nothing but what runs."""
        return not self.brings_down or self is OperationVerb.REMOVE


class Outcome(StrEnum):
    """Name how an operation or a run ended."""

    FULFILLED = "fulfilled"
    #: Of a run, whose state says how.
    ENDED = "ended"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    #: It can't be determined whether it succeeded.
    UNKNOWN = "unknown"


class Call(StrEnum):
    """Name what is known about the one call that starts (or stops) something.

    ``CALLING`` is committed before the request is sent; found after a crash, it means *unknown*.
    """

    NONE = "none"
    CALLING = "calling"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"

    @property
    def is_unsure(self) -> bool:
        """Return whether the call's outcome isn't known yet."""
        return self in (Call.CALLING, Call.UNKNOWN)


class Where(StrEnum):
    """Say where an answer is read, which decides how it names commands and what it leaves to a card."""

    #: By its person alone where they asked, perhaps among messages of others.
    CHANNEL = "channel"
    #: The same, after the bot was mentioned there.
    MENTION = "mention"
    #: In the person's direct message with the bot, where cards and notices come, too.
    DIRECT = "direct"
    #: In the form that is open.
    FORM = "form"
    #: In the person's Home, whose next view it is part of.
    HOME = "home"


@dataclass(frozen=True, slots=True)
class Surface:
    """Identify where a request came from, so that the answer can be sent there."""

    kind: Literal["command", "button", "message", "shortcut", "form", "search", "replay"]
    where: Where = Where.CHANNEL
    channel_id: str | None = None
    thread_ts: str | None = None
    message_ts: str | None = None
    response_url: str | None = None
    trigger_id: str | None = None
    #: The inbox key: an interaction takes effect once, however often it is delivered.
    interaction: str = ""
    #: When it was said (epoch seconds), where that may be long ago: what Slack couldn't deliver comes later.
    said_at: float | None = None
    #: Whether what was typed looks like a quotation.
    is_quoted: bool = False
    #: The form that the request came from or that the answer fills: Slack's id, or Usher's external id.
    view_id: str | None = None
    view_hash: str | None = None
    view_external_id: str | None = None

    @property
    def is_in_conversation(self) -> bool:
        """Return whether it came from a direct message, whoever's: a slash command can be typed in all."""
        return (self.channel_id or "").startswith("D")


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Hold what is done for a person in steps until it ends: an operation, or a run of a job.

    ``start_call`` is what is known of the call that starts, creates or launches, ``stop_call`` of the one
    that stops. It is open until ``outcome`` is set; ``cause`` then names a text. ``attempts`` counts
    temporary failures in a row, ``deadline_number`` the deadlines set so far. The person is told at
    ``deadline_at``, which is None afterwards; from then on no call is sent that ``lapses``, unless they keep
    waiting or ask again.

    ``called_at`` is when its call was committed; clock healing moves it. ``sent_at`` is the same time by the
    provider's clock: what a creation or launch made is recognised by its age. ``unknown_since`` is when the
    call's outcome became unknown, ``asked_at`` since when the person is asked whether to repeat it, and
    ``held_since`` since when it has been held up for the current cause.
    """

    id: str
    principal: Principal
    connection: str
    created_at: Past
    reference: str = ""
    #: The channel of the command: used to tell the person when direct messages don't reach them.
    channel_id: str | None = None
    start_call: Call = Call.NONE
    stop_call: Call = Call.NONE
    called_at: Since | None = None
    sent_at: Past | None = None
    unknown_since: Since | None = None
    asked_at: Past | None = None
    held_since: Past | None = None
    deadline_at: Deadline | None = None
    deadline_number: int = 0
    attempts: int = 0
    next_step_at: Step = 0.0
    #: A sentence on what is holding it up now ("Saturn Cloud has not answered since 14:02").
    hold: str | None = None
    outcome: Outcome | None = None
    cause: str | None = None
    ended_at: Past | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the reconciler is still working on it."""
        return self.outcome is None

    @property
    def has_called(self) -> bool:
        """Return whether a call was sent for it."""
        return self.start_call is not Call.NONE or self.stop_call is not Call.NONE

    @property
    def is_asked(self) -> bool:
        """Return whether its person is being asked whether to repeat it."""
        return self.is_open and self.asked_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Errand):
    """Hold what a person asked for, and its progress.

    ``read_since``: after an unknown outcome, a read later than this is required before the next call.
    ``called_from`` is the last known state when the call was sent. ``prior_call`` and ``prior_at`` describe
    the opposite call sent by the previous operation, which may still take effect.
    """

    workspace_id: str
    verb: OperationVerb
    deadline_number: int = 1
    called_from: State | None = None
    prior_call: Call = Call.NONE
    prior_at: Since | None = None
    read_since: Past | None = None
    #: The highest progress that the card has shown, 0–100: the bar never moves back.
    progress_floor: int = 0
    #: The person agreed that the workspace ends for good. A restart then creates a new one from the same
    #: spec, as it does for a workspace that failed for good: from then on its verb is CREATE, with this set.
    agreed: Consent = Consent.NONE
    #: The time of the timer that it carries out, if it does.
    planned_for: Stays | None = None
    #: For how many seconds its workspace was to run from when it was asked for, if that was said.
    lasts: Stays | None = None
    #: How long such starts usually take, and what nine of ten stayed below, as known when it was accepted.
    usual_seconds: Stays | None = None
    slow_seconds: Stays | None = None

    @property
    def has_lapsed(self) -> bool:
        """Return whether its deadline has passed before anything was sent: its person is asked first."""
        return self.is_open and self.deadline_at is None and self.verb.lapses and not self.has_called

    @property
    def asked_verb(self) -> OperationVerb:
        """Return what the person asked for: RESTART where this creates the replacement workspace."""
        return OperationVerb.RESTART if self.is_renewal else self.verb

    @property
    def is_renewal(self) -> bool:
        """Return whether it creates the replacement for a workspace that a restart ended."""
        return bool(self.agreed) and self.verb is OperationVerb.CREATE


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """Identify who is signed in to a browser, keyed by the SHA-256 of its cookie's value.

    ``principal`` is the person proven by Sign in with Slack. Use doesn't extend the session past
    ``expires_at``.
    """

    id_hash: str
    principal: Principal
    created_at: Past
    seen_at: Past
    expires_at: SessionEnd


@dataclass(frozen=True, slots=True)
class PageRows:
    """Hold what a signed-in browser needs to show a workspace, read in one go.

    ``workspace`` is None if it doesn't exist; the caller must check who owns it. ``operation`` is its newest
    one, ``channel_id`` the direct message channel with its owner if known.
    """

    now: float
    session: BrowserSession
    workspace: Workspace | None = None
    operation: Operation | None = None
    channel_id: str | None = None


# -- how long starts take ----------------------------------------------------------------------------------

#: How many of a person's own starts of a workspace give a usual time; otherwise, how many similar ones do.
ENOUGH_OWN: Final = 3
ENOUGH: Final = 10


@dataclass(frozen=True, slots=True)
class Typical:
    """Hold how many seconds a start usually takes, and what nine of ten stayed below; None: not known."""

    usual: float | None = None
    slow: float | None = None


def start_kind(verb: OperationVerb, principal: Principal, connection: str, spec: Spec | None) -> str | None:
    """Return what starts of one kind have in common: Slack workspace, connection, what they are made from.

    None for operations that aren't compared: those that stop something first take as long as the stop.
    """
    if verb not in (OperationVerb.START, OperationVerb.CREATE):
        return None
    chosen = "" if spec is None else json.dumps(spec.chosen, sort_keys=True, default=str)
    digest = hashlib.sha256(chosen.encode()).hexdigest()[:16] if chosen else ""
    team = principal.key.rpartition(":")[0]
    return f"{team}|{connection}|{verb}|{digest}"


def typical(own: Sequence[float], alike: Sequence[float]) -> Typical:
    """Return how long a start takes: from the person's own starts if there are enough, else from others'."""
    usual = median(own) if len(own) >= ENOUGH_OWN else median(alike) if len(alike) >= ENOUGH else None
    compared = own if len(own) >= ENOUGH else alike if len(alike) >= ENOUGH else ()
    slow = sorted(compared)[math.ceil(len(compared) * 0.9) - 1] if compared else None
    return Typical(usual, slow)
