"""Frames of last requests, which follow-ups continue: a verb, its objects, and a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bot.domain import time_parsing
from bot.domain.undoable_actions import UndoableAction
from bot.domain.workspaces import Workspace
from bot.features.hours.verbs import find_made
from bot.features.sentences.chat import RecentReferents
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.verb import is_operation
from bot.store import undoable_actions
from handlers.request import Request

START_VERBS: Final = frozenset({"start", "restart", "resume"})
#: The verbs of actions and questions, where their own word is none.
_TYPED_VERBS: Final = {
    "timer": "stop",
    "until": "stop",
    "job-stop": "stop",
    "force": "stop",
    "needed": "keep",
} | {
    "run": "start",
    "job-run": "start",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """The last request: its verb, its objects, its time, and the actions that were done for it.

    ``at`` is in epoch seconds, ``seconds`` the length if the time was one. ``is_half_open``: the half of the
    day is an open question. ``is_start_time``: the time is of a start, and no end.
    """

    verb: str
    objects: tuple[Workspace, ...] = ()
    #: Of runs, or of a course.
    names: tuple[str, ...] = ()
    at: float | None = None
    seconds: float | None = None
    hours: time_parsing.Wanted | None = None
    actions: tuple[UndoableAction, ...] = ()
    #: What all acts of the last minutes were about.
    recent_objects: tuple[Workspace, ...] = ()
    #: The rule of ``hours``.
    rule: str = ""
    #: The workspaces of all acts of the last minutes that are of its kind.
    similar_objects: tuple[Workspace, ...] = ()
    is_question: bool = False
    #: The question isn't about a choice, but asked for consent.
    is_confirmation: bool = False
    is_half_open: bool = False
    is_start_time: bool = False


async def frame_last_act(
    request: Request, referents: RecentReferents, rows: Sequence[Workspace]
) -> Frame | None:
    """Return the frame of the last action of two minutes, unless there was a question since."""
    conversation = (request.surface.channel_id or "", request.surface.thread_ts or "")
    recent = await request.services.store.read(
        undoable_actions.list_recent_actions, request.principal, *conversation
    )
    if referents.about.ask or referents.about.takes_press or not recent or not recent[0].can_be_undone:
        return None
    # One click on several workspaces is one request.
    action, click = recent[0], recent[0].interaction.partition("/")[0]
    actions = [row for row in recent if row is action or (click and row.interaction.startswith(f"{click}/"))]
    keys = {row.subject for row in actions}
    objects = tuple(row for row in rows if row.id in keys)
    verb, length = action.kind.rpartition(".")[2], (action.until or 0.0) - action.done_at
    # A clock's times are whole minutes; a length rarely ends on one.
    is_clock = action.until is None or (action.until % 60.0 == 0.0 and length % 60.0 >= 1.0)
    verb = "keep" if verb == "timer" and action.until is None else _TYPED_VERBS.get(verb, verb)
    made = (
        await find_made(request, action) if verb == "hours" and None in action.old_values.values() else None
    )
    hours, rule = made or (None, "")
    verb = find_exception(action, await request.find_today()) or verb
    names = () if objects else tuple(row.name for row in actions)
    subjects = {action.subject for action in recent}
    recent_objects = tuple(row for row in rows if row.id in subjects)
    similar_ids = {row.subject for row in recent if row.kind == action.kind}
    return Frame(
        verb,
        objects,
        names,
        action.until,
        None if is_clock else length,
        hours,
        tuple(actions),
        recent_objects,
        rule,
        tuple(row for row in rows if row.id in similar_ids),
    )


def find_exception(action: UndoableAction, today: date) -> str:
    """Return the verb that left days out of hours, or out of a course; "" for any other action.

    Several days in a row from today on are a pause until the day after them.
    """
    if action.kind.endswith(".cancel_lesson"):
        return "skip"
    rows = [(action.old_values.get(key) or {}, row or {}) for key, row in action.new_values.items()]
    if (
        action.kind != "workspace.hours"
        or not rows
        or not all({*row} <= {"off", "paused"} for _, row in rows)
    ):
        return ""
    if any(row.get("paused") for _, row in rows):
        return "pause"
    before, after = ({day for pair in rows for day in pair[side].get("off", "").split()} for side in (0, 1))
    days = sorted(after - before)
    is_pause = len(days) > 1 and days == [(today + timedelta(at)).isoformat() for at in range(len(days))]
    return "pause" if is_pause else "skip" if days else ""


def frame_referents(recent: RecentReferents) -> Frame | None:
    """Return the frame of the last question, or of the last referents."""
    about, value = recent.about, ButtonValue.from_text(recent.about.ask)
    at, is_question = value.at or next(iter(about.times), None), bool(about.ask) or about.takes_press
    verb = _TYPED_VERBS.get(about.verb, about.verb)
    verb, is_half_open = verb if is_operation(verb) else "status", len(about.times) > 1
    names = tuple(run.name for run in recent.runs)
    is_start_time = verb in START_VERBS and about.takes_press and not about.ask and len(about.times) == 1
    frame = Frame(
        verb,
        tuple(recent.workspaces),
        names,
        at,
        is_question=is_question,
        is_confirmation=is_question and about.ask != "which",
        is_half_open=is_half_open,
        is_start_time=is_start_time,
    )
    return frame if recent.workspaces or names else None
