"""Undoable actions of people: each is a row with its inverse; pure, like ``plan``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.row_times import Past, Stays
from bot.domain.runs import Run
from bot.domain.stops import NO_EFFECTS, StopEffects, is_final
from bot.domain.work_items import Call, Outcome, WorkItem

#: For how many seconds *undo* and *no* are about an action.
RECENT_SECONDS: Final = 120.0
#: Act by themselves, in the name of whoever set them up or agreed to them.
HOURS: Final = "hours"
TIMER: Final = "timer"
CLASS: Final = "class"
ROOM: Final = "room"
#: Among what an action changed: the operation whose place another took.
FORMER: Final = "former"
#: Among what an action changed: the request that leads back from what it began, once that was sent.
BACK: Final = "back"
#: Among what an action changed: the ends that a workspace had when its stop was asked for.
PLANNED_STOPS: Final = "planned_stops"
#: From these no request leads back: they make or end something, or it is as it was when they are done.
FINAL: Final = frozenset({OperationVerb.CREATE, OperationVerb.REMOVE, OperationVerb.RESTART})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The changes of an action: the work item that it began, and the values of rows before and since.

    A row is ``TABLE ID``, with the columns that differ; None stands for no row. ``former`` in ``old_values``
    is the operation that the work item took the place of, ``back`` the request that leads back from the work
    item, and ``planned_stops`` those that a stopped workspace had. ``until`` is for how long that is.
    ``initiator`` is what acted in its person's name, "" for themself.
    """

    #: The id of the work item, by its column's name.
    work_item_id: str = ""
    old_values: Mapping[str, Any] = field(default_factory=dict)
    new_values: Mapping[str, Any] = field(default_factory=dict)
    until: Stays | None = None
    initiator: str = ""

    def add_work_item(
        self,
        work_item: WorkItem,
        former: Operation | None = None,
        initiator: str = "",
        back: str = "",
        ends: str = "",
    ) -> Change:
        """Return the same with a work item that began, in place of a former one."""
        old_values = dict(self.old_values)
        if former is not None:
            old_values[FORMER] = {"verb": former.verb, "agreed": int(former.agreed)}
        if back:
            old_values[BACK] = {"verb": back}
        if ends and back == "start":
            old_values[PLANNED_STOPS] = {"rows": ends}
        return replace(self, work_item_id=work_item.id, old_values=old_values, initiator=initiator)


NO_CHANGE: Final = Change()


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoableAction(Change):
    """Hold one accepted wish of a person: what, on which row, until when, from which message, and its change.

    ``kind`` is the action of its audit row. ``subject`` is the id of a workspace or a run, "" for neither;
    ``name`` is what that was called. ``via`` is through what its person asked for it, "" for themself.
    """

    id: str
    principal: Principal
    kind: str
    done_at: Past
    subject: str = ""
    connection: str = ""
    name: str = ""
    channel_id: str = ""
    thread_ts: str = ""
    interaction: str = ""
    via: str = ""
    undone_at: Past | None = None

    @property
    def can_be_undone(self) -> bool:
        """Return whether it may still be possible to take it back: what has begun by then decides."""
        return bool(self.new_values) or (bool(self.work_item_id) and self.kind not in _MAKING)

    @property
    def has_way_back(self) -> bool:
        """Return whether *Undo* works whenever it is pressed: most work items are sent before anybody can."""
        return BACK in self.old_values if self.work_item_id else bool(self.new_values)


_MAKING: Final = frozenset({"workspace.create", "workspace.remove", "class.join"})
#: What begins nothing and changes no row that it could be read from.
_FINAL: Final = ("account.", "approval.", "class.", "job.", "workspace.start_another")


class Undone(StrEnum):
    """Outcomes of an undo."""

    #: It is as before: nothing was sent, or the rows say again what they said.
    BACK = "back"
    #: Something was sent for it; what leads back is a new request.
    SENT = "sent"
    #: The same, and that request was made.
    LED = "led"
    #: Somebody changed it since, or it isn't there any more.
    CHANGED = "changed"
    #: Nothing takes it back.
    NEVER = "never"
    #: It had no effect, or has none any more.
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Inverse:
    """Hold the decision; ``then`` is the request that leads back, "" where none does without an end."""

    undone: Undone
    then: str = ""


def inverse(
    action: UndoableAction,
    *,
    is_as_left: bool,
    work_item: Operation | Run | None = None,
    effects: StopEffects = NO_EFFECTS,
) -> Inverse:
    """Decide about the request that undoes an action.

    ``is_as_left``: rows still say what they said after it. ``work_item`` is what it began, and ``effects``
    what stopping the workspace does. Nothing that ends for good is ever the way back.
    """
    if action.undone_at is not None:
        return Inverse(Undone.NOTHING)
    if work_item is None and (action.work_item_id or action.new_values):
        return Inverse(Undone.BACK if is_as_left and not action.work_item_id else Undone.CHANGED)
    if work_item is None:
        return Inverse(Undone.NEVER if action.kind.startswith(_FINAL) else Undone.NOTHING)
    if work_item.outcome in _NOTHING:
        return Inverse(Undone.NOTHING)
    if work_item.outcome is Outcome.REPLACED:
        return Inverse(Undone.CHANGED if work_item.has_called else Undone.NOTHING)
    if not work_item.is_open or _is_sent(action, work_item):
        return Inverse(Undone.SENT, way_back(work_item, effects))
    former = OperationVerb(action.old_values[FORMER]["verb"]) if FORMER in action.old_values else None
    # A stop that was replaced before it was sent doesn't come back, as nobody is warned of it.
    is_back = former is not None and (_has_prior(work_item) or not former.brings_down)
    return Inverse(Undone.BACK, str(former) if is_back else "")


#: It came to nothing.
_NOTHING: Final = frozenset({Outcome.FAILED, Outcome.REFUSED, Outcome.CANCELLED})


def _has_prior(work_item: Operation | Run) -> bool:
    return isinstance(work_item, Operation) and work_item.prior_call is not Call.NONE


def _is_sent(action: UndoableAction, work_item: Operation | Run) -> bool:
    if isinstance(work_item, Operation):
        # What is created may have been made once a name was found for it.
        return work_item.has_called or work_item.verb is OperationVerb.CREATE
    return (work_item.start_call if action.kind == "job.run" else work_item.stop_call) is not Call.NONE


def is_done_with(work_item: Operation | Run, now: float) -> bool:
    """Return whether a work item ended so long ago that people have gone on from there."""
    return work_item.ended_at is not None and now - work_item.ended_at > RECENT_SECONDS


def way_back(work_item: Operation | Run, effects: StopEffects) -> str:
    """Return the request that undoes a work item; "" where none does without an end for good."""
    if not isinstance(work_item, Operation):
        return "job_stop" if work_item.is_open and not work_item.requested_stop else ""
    if work_item.verb in FINAL or (work_item.verb.brings_down and work_item.agreed):
        return ""
    return "start" if work_item.verb.brings_down else "" if is_final(effects, "stop") else "stop"
