"""What people had done and what takes it back: each act is a row with its inverse; pure, like ``plan``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.row_times import Past, Stays
from bot.domain.runs import Run
from bot.domain.stops import NO_EFFECTS, Effects, is_final
from bot.domain.work_items import Call, Errand, Outcome

#: For how many seconds *undo* and *no* are about an act.
RECENT_SECONDS: Final = 120.0
#: Act by themselves, in the name of whoever set them up or agreed to them.
HOURS: Final = "hours"
TIMER: Final = "timer"
CLASS: Final = "class"
ROOM: Final = "room"
#: Among what an act changed: the operation whose place another took.
FORMER: Final = "former"
#: Among what an act changed: the request that leads back from what it began, once that was sent.
BACK: Final = "back"
#: Among what an act changed: the ends that a workspace had when its stop was asked for.
PLANNED_ENDS: Final = "ends"
#: From these no request leads back: they make or end something, or it is as it was when they are done.
FINAL: Final = frozenset({OperationVerb.CREATE, OperationVerb.REMOVE, OperationVerb.RESTART})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Hold what an act changed: the errand that it began, and what rows said before and say since.

    A row is ``TABLE ID``, with the columns that differ; None stands for no row. ``former`` in ``was`` is the
    operation that the errand took the place of, ``back`` the request that leads back from the errand, and
    ``ends`` those that a stopped workspace had. ``until`` is for how long that is. ``asker`` is what acted in
    its person's name, "" for themself.
    """

    errand: str = ""
    was: Mapping[str, Any] = field(default_factory=dict)
    became: Mapping[str, Any] = field(default_factory=dict)
    until: Stays | None = None
    asker: str = ""

    def begun(
        self,
        errand: Errand,
        former: Operation | None = None,
        asker: str = "",
        back: str = "",
        ends: str = "",
    ) -> Change:
        """Return the same with an errand that began, in place of a former one."""
        was = {} if former is None else {FORMER: {"verb": former.verb, "agreed": int(former.agreed)}}
        was |= {BACK: {"verb": back}} if back else {}
        was |= {PLANNED_ENDS: {"rows": ends}} if ends and back == "start" else {}
        return replace(self, errand=errand.id, was={**self.was, **was}, asker=asker)


NO_CHANGE: Final = Change()


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(Change):
    """Hold one accepted wish of a person: what, on which row, until when, from which message, and its change.

    ``action`` is the word of the audit. ``subject`` is the id of a workspace or a run, "" for neither;
    ``name`` is what that was called. ``via`` is through what its person asked for it, "" for themself.
    """

    id: str
    principal: Principal
    action: str
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
        return bool(self.became) or (bool(self.errand) and self.action not in _MAKING)

    @property
    def has_way_back(self) -> bool:
        """Return whether *Undo* works whenever it is pressed: most errands are sent before anybody can."""
        return BACK in self.was if self.errand else bool(self.became)


_MAKING: Final = frozenset({"workspace.create", "workspace.remove", "class.press"})
#: What begins nothing and changes no row that it could be read from.
_FINAL: Final = ("account.", "approval.", "class.", "job.", "workspace.another")


class Undone(StrEnum):
    """Name what becomes of an act that its person takes back."""

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
    act: Act, *, is_as_left: bool, errand: Operation | Run | None = None, effects: Effects = NO_EFFECTS
) -> Inverse:
    """Decide what takes an act back.

    ``is_as_left``: rows still say what they said after it. ``errand`` is what it began, and ``effects`` what
    stopping the workspace does. Nothing that ends for good is ever the way back.
    """
    if act.undone_at is not None:
        return Inverse(Undone.NOTHING)
    if errand is None and (act.errand or act.became):
        return Inverse(Undone.BACK if is_as_left and not act.errand else Undone.CHANGED)
    if errand is None:
        return Inverse(Undone.NEVER if act.action.startswith(_FINAL) else Undone.NOTHING)
    if errand.outcome in _NOTHING:
        return Inverse(Undone.NOTHING)
    if errand.outcome is Outcome.REPLACED:
        return Inverse(Undone.CHANGED if errand.has_called else Undone.NOTHING)
    if not errand.is_open or _is_sent(act, errand):
        return Inverse(Undone.SENT, way_back(errand, effects))
    former = OperationVerb(act.was[FORMER]["verb"]) if FORMER in act.was else None
    # A stop that was replaced before it was sent doesn't come back, as nobody is warned of it.
    is_back = former is not None and (_has_prior(errand) or not former.brings_down)
    return Inverse(Undone.BACK, str(former) if is_back else "")


#: It came to nothing.
_NOTHING: Final = frozenset({Outcome.FAILED, Outcome.REFUSED, Outcome.CANCELLED})


def _has_prior(errand: Operation | Run) -> bool:
    return isinstance(errand, Operation) and errand.prior_call is not Call.NONE


def _is_sent(act: Act, errand: Operation | Run) -> bool:
    if isinstance(errand, Operation):
        # What is created may have been made once a name was found for it.
        return errand.has_called or errand.verb is OperationVerb.CREATE
    return (errand.start_call if act.action == "job.run" else errand.stop_call) is not Call.NONE


def is_done_with(errand: Operation | Run, now: float) -> bool:
    """Return whether an errand ended so long ago that people have gone on from there."""
    return errand.ended_at is not None and now - errand.ended_at > RECENT_SECONDS


def way_back(errand: Operation | Run, effects: Effects) -> str:
    """Return the request that leads back from what began; "" where none does without an end for good."""
    if not isinstance(errand, Operation):
        return "job_stop" if errand.is_open and not errand.stop_wanted else ""
    if errand.verb in FINAL or (errand.verb.brings_down and errand.agreed):
        return ""
    return "start" if errand.verb.brings_down else "" if is_final(effects, "stop") else "stop"
