"""Messages about planned stops: the warning before a stop, and why a workspace wasn't stopped."""

from collections.abc import Mapping
from typing import Any

from bot.domain.feasibility import LINK_HELPS
from bot.domain.markup import Template
from bot.domain.message_context import RequestFacts, WorkspaceFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.stops import StopEffects, StopMode, is_final
from bot.domain.timers import list_coming_ends
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import (
    MAX_CHOICES,
    format_cost,
    format_obstacle,
    format_stop_risk,
    get_consent,
    list_buttons,
    list_later_button,
    list_page_button,
    make_change,
)
from bot.messages.blocks.cards import get_name, link_again_button
from bot.messages.blocks.kit import Element, Markup, fill, safe
from bot.messages.blocks.plans import name_stopper
from bot.messages.blocks.renderers import renders
from bot.messages.texts import answers, cards, courses, notices, problems, times
from bot.support.cleaning import natural_key

NEVER_CHOICE = "never"
STOP_LATER_CALLBACK = "stop_later"
#: The durations that the form offers, in minutes.
LENGTHS = frozenset(str(minutes) for minutes in cards.FORM_CHOICES)


def _is_coming(facts: WorkspaceFacts) -> bool:
    """Return whether the announced stop is still planned.

    Once its time has passed, it counts only if the owner was warned of it.
    """
    workspace = facts.workspace
    if workspace is None or workspace.stop_at is None or workspace.stop_at != facts.body.get("stop_at"):
        return False
    return workspace.stop_warned or facts.now < workspace.stop_at


@renders(NoticeKind.STOP_WARNING, is_true=_is_coming)
def render_warning(facts: WorkspaceFacts) -> Answer:
    """Render the warning before a stop, based on the workspace's current row."""
    workspace, names = facts.workspace, get_names(facts)
    if workspace is None or workspace.stop_at is None:
        is_resting = workspace is not None and workspace.is_down and bool(workspace.planned_stops.rows)
        return kit.message(fill(cards.OVER_DOWN if is_resting else cards.OVER, **names))
    mode, at = workspace.stop_mode or "stop", kit.moment_at(workspace.stop_at, facts.now, facts.zone)
    minutes = max(round((workspace.stop_at - facts.now) / 60), 1)
    left = times.format_count(minutes, "minute") if minutes < 60 else times.format_duration(minutes * 60)
    counts, buttons = workspace.planned_stops.counts, keep_buttons(workspace)
    because: str = "own" if counts is None else counts.because
    if counts is not None and counts.because == "lesson":
        because = "lesson_late" if workspace.stop_at - counts.over_at >= 60.0 else "lesson"
        names["over"] = kit.moment_at(counts.over_at, facts.now, facts.zone)
    template: Template = cards.ENDING.get("assistant" if counts and counts.via else because, "")
    names["course"] = "" if counts is None else counts.title
    if (of := facts.stopping_class) is not None:
        template = (courses.WARNED if of.card.stopped_by else courses.WARNED_BY_TIME)[of.is_stopper]
        names |= {"course": of.card.title, "who": name_stopper(of)}
    if facts.body.get("put_off") is not None:
        template, buttons = cards.PUT_OFF, [*buttons, *list_buttons(facts)]
    sentence = fill(
        template, done=Markup(cards.DONE[mode]), ends=Markup(cards.ENDS[mode]), left=left, at=at, **names
    )
    whole = kit.join(
        [sentence, *format_skipped_lesson(workspace, facts.now), *_format_cost(facts, workspace)]
    )
    return kit.message(whole, [], buttons)


def format_skipped_lesson(workspace: Workspace, now: float) -> list[str]:
    """Say that the end of a lesson won't stop a workspace, because its owner has set another time."""
    ends = workspace.planned_stops
    if ends.counts is None or ends.counts.because != "own":
        return []
    titles = dict.fromkeys(one.title for one in ends.rows if one.because == "lesson" and one.at > now)
    return [fill(cards.NOT_LESSON, course=title) for title in titles]


def _format_cost(facts: WorkspaceFacts, workspace: Workspace) -> list[str]:
    mode = workspace.stop_mode or "stop"
    if is_final(facts.effects, mode) and not workspace.stop_agreed:
        return ["Right now that would end it for good. If it still would then, I'll leave it running."]
    if is_final(facts.effects, mode):
        return [fill(cards.ENDING_FINAL, lost=format_cost(workspace, facts.effects[mode]))]
    said = [format_stop_risk(workspace)] if format_stop_risk(workspace) else []
    return [*said, *([] if mode == "suspend" else ["Save your work."])]


def keep_buttons(workspace: Workspace) -> list[Element]:
    """Return *Keep running* and *1 hour more*. Once the stop is moved to another time, neither works."""
    keep = ButtonValue("keep_running", workspace.id, at=workspace.stop_at or 0.0)
    return [
        kit.button(cards.KEEP, keep, style=kit.PRIMARY, of=workspace.title),
        kit.button("1 hour more", keep._replace(name="hour_more"), of=workspace.title),
    ]


def format_kept(facts: WorkspaceFacts) -> str:
    """Say that a workspace keeps running and, if its working hours will stop it, until when."""
    workspace = facts.workspace
    assert workspace is not None, "it was kept"
    until = facts.next_stop
    if until is None:
        return fill("*{name}* keeps running. No stop is planned.", name=workspace.title)
    said = fill(cards.KEPT_UNTIL, name=workspace.title, until=kit.moment(until, facts.now, facts.zone))
    return kit.announce("stop", workspace.id, said)


def _is_unstopped(facts: WorkspaceFacts) -> bool:
    workspace = facts.workspace
    if workspace is None or workspace.is_down or workspace.state is State.STOPPING:
        return False
    return facts.word("cause") not in LINK_HELPS or bool(facts.obstacle)


@renders(NoticeKind.PLANNED_STOP_FAILED, is_true=_is_unstopped)
def render_failed(facts: WorkspaceFacts) -> Answer:
    """Say that a planned stop failed, and why."""
    names = get_names(facts) | {"at": kit.moment_at(facts.time("stop_at"), facts.now, facts.zone)}
    cause = facts.word("cause")
    if cause == "restored":
        return _still_stop(facts, names)
    if cause in cards.OBSTACLES:
        return _format_obstacle(facts, cause)
    said = Markup(safe(problems.explain_cause(cause, facts.connection_title)))
    planned = kit.moment(facts.time("stop_at"), facts.now, facts.zone)
    sentence = fill(cards.FAILED, cause=said, **names | {"at": planned})
    buttons = list_later_button(facts)
    return kit.message(sentence, [], buttons)


def _format_obstacle(facts: WorkspaceFacts, cause: str) -> Answer:
    is_due = bool(facts.body.get("is_due"))
    then = cards.STOP_THERE if not is_due else cards.WHEN_LINKED if cause in LINK_HELPS else cards.WHEN_BACK
    mode: StopMode = "suspend" if facts.word("mode") == "suspend" else "stop"
    sentence = format_obstacle(cards.BLOCKED_PASSED, facts, cause, facts.time("stop_at"), mode)
    buttons = [link_again_button(facts)] if facts.obstacle in LINK_HELPS else []
    buttons += list_buttons(facts) if cause == "not_allowed_now" else []
    next_ = fill(then, do=mode, it="them" if facts.others else "it", title=facts.connection_title)
    pages = list_page_button(facts)
    if facts.others:
        ordered = sorted((facts, *facts.others), key=lambda one: natural_key(get_name(one)))
        each = [(button, get_name(one)) for one in ordered[:MAX_CHOICES] for button in list_page_button(one)]
        pages = [
            kit.add_number(button, number, fill("View {name}", name=name))
            for number, (button, name) in enumerate(each)
        ]
    return kit.message(kit.join([sentence, next_]), [], [*buttons, *pages])


def _still_stop(facts: WorkspaceFacts, names: Mapping[str, Any]) -> Answer:
    """Ask whether a stop found in a restored backup is still wanted."""
    workspace, at = facts.workspace, facts.time("stop_at")
    mode: StopMode = "suspend" if facts.word("mode") == "suspend" else "stop"
    names = {
        "since": kit.day(facts.time("backup_at"), facts.now, facts.zone),
        "do": mode,
        "done": cards.DONE[mode],
        **names,
    }
    is_coming = at > facts.now
    sentence = fill(cards.STILL_STOP if is_coming else cards.STILL_STOP_PASSED, **names)
    buttons = [] if workspace is None or is_coming else list_buttons(facts, State.RUNNING)
    if workspace is not None and is_coming:
        buttons = [kit.button("Stop it", make_change(mode, workspace, at=at), style=kit.PRIMARY)]
    return kit.message(sentence, [], [*buttons, kit.button(answers.LEAVE_IT, "leave")])


def get_names(facts: WorkspaceFacts) -> dict[str, Any]:
    """Return the names of a workspace and its connection, with a generic name if there is no row."""
    workspace = facts.workspace
    name = workspace.title if workspace is not None else facts.word("name") or "your workspace"
    return {"name": name, "title": facts.connection_title}


def ask_final_stop(
    workspace: Workspace,
    title: str,
    effects: StopEffects,
    verb: str,
    at: float,
    when: Markup,
    *,
    can_suspend: bool,
) -> Answer:
    """Ask whether a planned stop may end a workspace permanently. ``when`` is the formatted time."""
    sentence = fill(
        "This will end *{name}* on {title} for good {at}: it can't be started again. {lost}",
        name=workspace.title,
        title=title,
        at=when,
        lost=format_cost(workspace, effects["stop"]),
    )
    ending_then = make_change(verb, workspace, agreed=get_consent(workspace), at=at)
    name = workspace.title
    buttons = [kit.button(cards.END_THEN, ending_then, style=kit.DANGER, of=name)]
    if can_suspend:
        buttons.append(kit.button("Suspend it then", make_change("suspend", workspace, at=at), of=name))
    return kit.message(sentence, [], buttons)


def format_form_head(facts: WorkspaceFacts) -> str:
    """Say when a workspace will stop or end if its timer isn't changed."""
    assert facts.workspace is not None, "a form is about a workspace"
    coming = list_coming_ends(facts.workspace, facts.effects, facts.now)
    said = [
        fill(cards.FORM_NOW[how], at=kit.moment_at(at, facts.now, facts.zone), **get_names(facts))
        for how, at in coming
    ]
    return kit.join(said) or fill("No stop is planned for *{name}* on {title}.", **get_names(facts))


def build_form(facts: WorkspaceFacts, timer_mode: StopMode) -> dict[str, Any]:
    """Return the form that *Stop later…* opens.

    If a stop at the chosen time would end the workspace permanently, people confirm that in a separate step.
    """
    workspace = facts.workspace
    assert workspace is not None, "a form is about a workspace"
    notes = [format_form_head(facts)]
    if timer_mode == "suspend":
        notes.append("It will be suspended, so you can pick up where you left off.")
    options = [kit.option(str(minutes), label) for minutes, label in cards.FORM_CHOICES.items()]
    if workspace.stop_at is not None:
        options.append(kit.option(NEVER_CHOICE, "Not at all: keep it running"))
    proposed = next(one for one in options if one["value"] == "60")
    typed = {"type": "plain_text_input", "action_id": "other", "max_length": 60}
    return kit.modal(
        "Stop later",
        [
            kit.section(kit.join(notes)),
            kit.select("when", "When", options, proposed, optional=True),
            kit.field("other", "Or at another time", typed, cards.FORM_OTHER_HINT, optional=True),
        ],
        callback_id=STOP_LATER_CALLBACK,
        private_metadata=workspace.id,
        submit="Set",
    )


@renders(NoticeKind.WARNING_UNDELIVERED)
def _render_undelivered_warning(facts: RequestFacts) -> Answer:
    template = notices.UNWARNED_STOPPED if facts.body.get("survives_stop") else notices.UNWARNED_LEFT
    who = kit.mention(facts.people.get(facts.word("person")))
    return kit.message(fill(template, who=who, title=facts.connection_title, name=facts.word("name")))
