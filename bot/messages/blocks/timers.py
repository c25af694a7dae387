"""Timers as people see them: the line on cards and lists, the warning, the answers, and the form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.facts import WorkspaceFacts
from bot.domain.moments import Moment
from bot.domain.notices import Answer, NoticeKind
from bot.domain.workspaces import Effects, StopMode, Workspace, coming_ends, is_final
from bot.messages.blocks import kit
from bot.messages.blocks.buttons import changing
from bot.messages.blocks.drawn import draws
from bot.messages.blocks.kit import Element, Press
from bot.messages.blocks.limits import BUTTON, Markup, fill, line, safe
from bot.messages.texts import cards, past, problems, times
from bot.messages.texts import timers as words

#: How many workspaces are offered as buttons.
FEW = 5
#: The value of the choice that takes a timer back.
NEVER = "never"
CALLBACK = "stop_later"
#: What the form proposes, in minutes.
PROPOSED = "60"
#: The values of the form's choices: lengths in minutes.
LENGTHS = frozenset(str(minutes) for minutes in words.FORM_CHOICES)


def ends(facts: WorkspaceFacts) -> list[str]:
    """Return the lines that say until when a workspace runs, or is kept.

    While an operation is under way, what its provider said before that doesn't hold any more.
    """
    workspace, operation = facts.workspace, facts.operation
    if workspace is None:
        return []
    coming = coming_ends(workspace, facts.effects, facts.now)
    if operation is not None and operation.is_open:
        coming = [(how, at) for how, at in coming if at == workspace.stop_at]
    return [fill(words.LINE[how], at=kit.day_moment(at)) for how, at in coming]


def later_button(facts: WorkspaceFacts) -> list[Element]:
    """Return *Stop later…*, if the workspace can be stopped; its click opens the form."""
    workspace = facts.workspace
    if workspace is None or not (facts.may("stop") or facts.may("suspend")):
        return []
    return [kit.button(words.LATER, "stop_later", workspace.id)]


def _is_up(facts: WorkspaceFacts) -> bool:
    return facts.is_up


def _is_coming(facts: WorkspaceFacts) -> bool:
    """Return whether the stop that a message warned of was neither put off nor taken back."""
    stop_at = facts.workspace.stop_at if facts.workspace is not None else None
    return facts.is_up and stop_at == facts.body.get("stop_at")


@draws(NoticeKind.TIMER_ENDING, past=past.TIMER_ENDING, holds=_is_coming, keeps_open=True)
def ending(facts: WorkspaceFacts) -> Answer:
    """Draw the warning by the current row: what has changed since is said instead."""
    workspace, names = facts.workspace, _names(facts)
    if workspace is None or workspace.stop_at is None:
        return _message(fill(words.OVER, **names))
    done, at = Markup(words.DONE[_mode(workspace)]), kit.day_moment(workspace.stop_at)
    if workspace.stop_at != facts.time("stop_at"):
        text, sentence = (
            fill(words.MOVED_SHORT, done=done, **names),
            fill(words.MOVED, done=done, at=at, **names),
        )
        return kit.message(text, sentence, [], keep_buttons(workspace)[:1])
    left = times.duration(max(round((workspace.stop_at - facts.now) / 60), 1) * 60)
    sentence = fill(words.ENDING, done=done, left=left, at=at, **names)
    text = fill(words.ENDING_SHORT, done=done, left=left, **names)
    whole = " ".join([sentence, *_lost(facts, workspace)])
    return kit.message(text, whole, [], keep_buttons(workspace))


def _lost(facts: WorkspaceFacts, workspace: Workspace) -> list[str]:
    mode = _mode(workspace)
    if is_final(facts.effects, mode):
        return [fill(words.ENDING_FINAL, lost=Markup(cards.LOST[facts.effects[mode]]))]
    return [] if mode == "suspend" else [words.ENDING_UNSAVED]


def keep_buttons(workspace: Workspace) -> list[Element]:
    """Return *Keep running* and *1 hour more*, for exactly the timer that the message is about."""
    at = workspace.stop_at or 0.0
    return [
        kit.button(words.KEEP, Press("keep_running", workspace.id, at=at), style=kit.PRIMARY),
        kit.button(words.MORE, Press("hour_more", workspace.id, at=at)),
    ]


@draws(NoticeKind.TIMER_FAILED, past=past.TIMER_FAILED, holds=_is_up, keeps_open=True)
def failed(facts: WorkspaceFacts) -> Answer:
    """Say that a workspace wasn't stopped as planned, and why."""
    names = _names(facts) | {"at": kit.day_moment(facts.time("stop_at"))}
    cause = facts.word("cause")
    if cause == "unlinked":
        return kit.message(fill(words.UNLINKED_SHORT, **names), fill(words.UNLINKED, **names))
    said = Markup(safe(problems.sentence(cause, facts.connection_title)))
    sentence = fill(words.FAILED, cause=said, **names)
    buttons = later_button(facts)
    return kit.message(fill(words.FAILED_SHORT, **names), sentence, [], buttons)


def _message(sentence: str, buttons: Sequence[Element] = ()) -> Answer:
    return kit.message(kit.bare(sentence), sentence, [], buttons)


def _names(facts: WorkspaceFacts) -> dict[str, Any]:
    workspace = facts.workspace
    name = workspace.title if workspace is not None else facts.word("name") or "your workspace"
    return {"name": name, "title": facts.connection_title}


def _mode(workspace: Workspace) -> StopMode:
    return workspace.stop_mode or "stop"


def said(template: str, workspace: Workspace, title: str, **more: object) -> str:
    """Fill a sentence about a workspace with its timer."""
    at = kit.day_moment(workspace.stop_at or 0.0)
    done = Markup(words.DONE[_mode(workspace)])
    return fill(template, name=workspace.title, title=title, at=at, done=done, **more)


def day_said(moment: Moment) -> list[str]:
    """Say what nobody named: that it is tomorrow's, or that the clocks skip the time."""
    return [
        *([words.TOMORROW] if moment.is_next_day and moment.seconds is None else []),
        *([words.SHIFTED] if moment.is_shifted else []),
    ]


def planned(template: str, workspace: Workspace, title: str, moment: Moment) -> Answer:
    """Answer that a timer is set, with the way back."""
    sentence = " ".join([said(template, workspace, title), *day_said(moment)])
    return _message(sentence, keep_buttons(workspace)[:1])


def asked(
    workspace: Workspace, title: str, effects: Effects, verb: str, at: float, *, can_suspend: bool
) -> Answer:
    """Ask whether a timer may end a workspace for good."""
    sentence = fill(
        words.ASK,
        name=workspace.title,
        title=title,
        at=kit.day_moment(at),
        lost=Markup(cards.LOST[effects["stop"]]),
    )
    ending_then = changing(verb, workspace, agreed=True, at=at)
    buttons = [kit.button(words.END_THEN, ending_then, style=kit.DANGER)]
    if can_suspend:
        buttons.append(kit.button(words.SUSPEND_THEN, changing("suspend", workspace, at=at)))
    return _message(sentence, buttons)


def choices(
    verb: str, workspaces: Sequence[Workspace], labels: Sequence[str], times: Sequence[float | None]
) -> list[Element]:
    """Return a button for each workspace that may be meant; pressing one chooses it."""
    offered = zip(workspaces[:FEW], labels, times, strict=False)
    return [
        kit.button(line(label, BUTTON), changing(verb, one, number=number, at=at))
        for number, (one, label, at) in enumerate(offered)
    ]


def form_head(facts: WorkspaceFacts) -> str:
    """Say until when a workspace runs as things are."""
    assert facts.workspace is not None, "a form is about a workspace"
    coming = coming_ends(facts.workspace, facts.effects, facts.now)
    said = [fill(words.FORM_NOW[how], at=kit.day_moment(at), **_names(facts)) for how, at in coming]
    return " ".join(said) or fill(words.FORM_NONE, **_names(facts))


def form(facts: WorkspaceFacts, timer_mode: StopMode) -> dict[str, Any]:
    """Return the form of *Stop later…*; a time at which that ends it for good is asked about once sent."""
    workspace = facts.workspace
    assert workspace is not None, "a form is about a workspace"
    notes = [form_head(facts)]
    if timer_mode == "suspend":
        notes.append(words.FORM_SUSPENDS)
    choices_ = [(str(minutes), label) for minutes, label in words.FORM_CHOICES.items()]
    if workspace.stop_at is not None:
        choices_.append((NEVER, words.FORM_NEVER))
    options = {value: {"text": kit.plain(label, 75), "value": value} for value, label in choices_}
    when = {
        "type": "input",
        "block_id": "when",
        "optional": True,
        "label": kit.plain(words.FORM_WHEN, 2000),
        "element": {
            "type": "static_select",
            "action_id": "when",
            "options": list(options.values()),
            "initial_option": options[PROPOSED],
        },
    }
    other = kit.text_field("other", words.FORM_OTHER, max_length=60) | {
        "optional": True,
        "hint": kit.plain(words.FORM_OTHER_HINT, 2000),
    }
    return kit.modal(
        words.FORM_TITLE,
        [kit.section(" ".join(notes)), when, other],
        callback_id=CALLBACK,
        private_metadata=workspace.id,
        submit=words.FORM_SUBMIT,
        close=words.FORM_CLOSE,
    )
