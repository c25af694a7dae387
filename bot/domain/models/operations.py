"""Operations, and where requests for them come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.domain.models.people import Principal
from bot.domain.models.workspaces import State
from bot.domain.times import Deadline, Past, Since, Stays, Step


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


class Outcome(StrEnum):
    """Name how an operation ended."""

    FULFILLED = "fulfilled"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    #: It can't be determined whether it succeeded.
    UNKNOWN = "unknown"


class Call(StrEnum):
    """Name what is known about an operation's one start (or stop) call.

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


@dataclass(frozen=True, slots=True)
class Surface:
    """Identify where a request came from, so that the answer can be sent there."""

    kind: Literal["command", "button", "home", "message", "mention", "shortcut", "form", "search", "replay"]
    channel_id: str | None = None
    thread_ts: str | None = None
    message_ts: str | None = None
    response_url: str | None = None
    trigger_id: str | None = None
    is_direct: bool = False
    #: Pressed in what only its person sees, in their direct message with the bot: cards come there, too.
    is_beside_cards: bool = False
    #: Asked by mentioning the bot in a channel, and to be answered there.
    is_mention: bool = False
    #: The inbox key: an interaction takes effect once, however often it is delivered.
    interaction: str = ""
    #: The form that the request came from or that the answer fills: Slack's id, or Usher's external id.
    view_id: str | None = None
    view_hash: str | None = None
    view_external_id: str | None = None

    @property
    def is_form(self) -> bool:
        """Return whether the answer updates an open form."""
        return self.view_id is not None or self.view_external_id is not None


@dataclass(frozen=True, slots=True)
class Operation:
    """Hold what a person asked for, and its progress.

    It is open until ``outcome`` is set. ``deadline_number`` counts the deadlines set so far; ``deadline_at``
    is None once the person was told that it's taking longer. ``attempts`` counts temporary failures in a row.

    ``called_at`` is when its call was committed; clock healing moves it. ``sent_at`` is the same time by
    the provider's clock: what a creation made is recognised by its age. ``read_since``: after an unknown
    outcome, a read later than this is required before the next call. ``unknown_since`` is when the call's
    outcome became unknown, ``called_from`` the last known state when the call was sent. ``prior_call`` and
    ``prior_at`` describe the opposite call sent by the previous operation, which may still take effect.
    ``asked_at`` is since when the person is asked whether to repeat it, ``held_since`` since when it has been
    held up.
    """

    id: str
    principal: Principal
    workspace_id: str
    connection: str
    verb: OperationVerb
    created_at: Past
    deadline_at: Deadline | None
    deadline_number: int = 1
    start_call: Call = Call.NONE
    stop_call: Call = Call.NONE
    called_at: Since | None = None
    sent_at: Past | None = None
    unknown_since: Since | None = None
    called_from: State | None = None
    prior_call: Call = Call.NONE
    prior_at: Since | None = None
    asked_at: Past | None = None
    held_since: Past | None = None
    read_since: Past | None = None
    attempts: int = 0
    next_step_at: Step = 0.0
    outcome: Outcome | None = None
    cause: str | None = None
    ended_at: Past | None = None
    #: The highest progress that the card has shown, 0–100: the bar never moves back.
    progress_floor: int = 0
    #: A sentence on what is holding it up now ("Saturn Cloud has not answered since 14:02").
    hold: str | None = None
    reference: str = ""
    #: The person agreed that the workspace ends for good. A restart then creates a new one from the same
    #: spec, as it does for a workspace that failed for good: from then on its verb is CREATE, with this set.
    agreed: bool = False
    #: The channel of the command: used to tell the person when direct messages don't reach them.
    channel_id: str | None = None
    #: The time of the timer that it carries out, if it does.
    planned_for: Stays | None = None
    #: How long such starts usually take, and what nine of ten stayed below, as known when it was accepted.
    usual_seconds: Stays | None = None
    slow_seconds: Stays | None = None

    @property
    def asked_verb(self) -> OperationVerb:
        """Return what the person asked for: RESTART where this creates the replacement workspace."""
        return OperationVerb.RESTART if self.is_renewal else self.verb

    @property
    def is_renewal(self) -> bool:
        """Return whether it creates the replacement for a workspace that a restart ended."""
        return self.agreed and self.verb is OperationVerb.CREATE

    @property
    def is_open(self) -> bool:
        """Return whether the reconciler is still working on it."""
        return self.outcome is None

    @property
    def has_called(self) -> bool:
        """Return whether a call was sent for it."""
        return self.start_call is not Call.NONE or self.stop_call is not Call.NONE
