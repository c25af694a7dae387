"""Timers: what warns of a stop, asks whether something is still needed, and says why it was not stopped."""

from collections.abc import Mapping
from typing import Any

from bot.domain import ends
from bot.domain.facts import RequestFacts, WorkspaceFacts
from bot.domain.hours import HoursKind
from bot.domain.notices import Answer
from bot.domain.promises import LINK_HELPS
from bot.domain.stops import Effects, StopMode, is_final, planned_mode
from bot.domain.timers import coming_ends
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit
from bot.messages.blocks.buttons import (
    FEW,
    at_stake,
    changing,
    format_obstacle,
    knowing,
    later_button,
    lost,
    offered,
    page_button,
)
from bot.messages.blocks.cards import link_again_button, name_of
from bot.messages.blocks.kit import Element, Markup, Press, draws, fill, safe
from bot.messages.texts import answers, cards, classes, notices, problems, times, verbs
from bot.messages.texts import hours as words

#: The value of the choice that takes a timer back.
NEVER = "never"
CALLBACK = "stop_later"
#: What the form proposes, in minutes.
PROPOSED = "60"
#: The values of the form's choices: lengths in minutes.
LENGTHS = frozenset(str(minutes) for minutes in cards.FORM_CHOICES)


def _can_run(facts: WorkspaceFacts) -> bool:
    """Return whether a workspace isn't known to be down, nor being stopped."""
    workspace = facts.workspace
    return workspace is not None and not workspace.is_down and workspace.state is not State.STOPPING


def _is_coming(facts: WorkspaceFacts) -> bool:
    """Return whether the stop that a message warned of was neither put off nor taken back.

    After its time it comes without another warning, or not as it was announced.
    """
    workspace = facts.workspace
    if workspace is None or workspace.stop_at is None or workspace.stop_at != facts.body.get("stop_at"):
        return False
    return workspace.stop_warned or facts.now < workspace.stop_at


@draws(HoursKind.TIMER_ENDING, is_true=_is_coming)
def ending(facts: WorkspaceFacts) -> Answer:
    """Draw the warning by the current row."""
    workspace, names = facts.workspace, _names(facts)
    if workspace is None or workspace.stop_at is None:
        return kit.message(fill(cards.OVER, **names))
    done, at = Markup(cards.DONE[_mode(workspace)]), kit.day_moment(workspace.stop_at)
    left = times.duration(max(round((workspace.stop_at - facts.now) / 60), 1) * 60)
    counts, buttons = workspace.ends.counts, keep_buttons(workspace)
    because: str = "own" if counts is None else counts.because
    if counts is not None and counts.because == "lesson":
        because = "lesson_late" if workspace.stop_at - counts.over_at >= 60.0 else "lesson"
        names["over"] = kit.day_moment(counts.over_at)
    template = cards.ENDING.get("assistant" if workspace.stop_via else because, "")
    names["course"] = "" if counts is None else counts.title
    if (of := facts.of_class) is not None:
        template = classes.WARNED
        names |= {"course": of.card.title, "who": kit.person(of.people.get(of.card.stopper))}
    if facts.body.get("put_off") is not None:
        template, buttons = cards.PUT_OFF, [*buttons, *offered(facts)]
    sentence = fill(template, done=done, left=left, at=at, **names)
    whole = " ".join([sentence, *instead(workspace, facts.now), *_lost(facts, workspace)])
    return kit.message(whole, [], buttons)


def instead(workspace: Workspace, now: float) -> list[str]:
    """Say which lesson doesn't stop a workspace because its person has set another time."""
    ends = workspace.ends
    if ends.counts is None or ends.counts.because != "own":
        return []
    titles = dict.fromkeys(one.title for one in ends.rows if one.because == "lesson" and one.at > now)
    return [fill(cards.NOT_LESSON, course=title) for title in titles]


def _lost(facts: WorkspaceFacts, workspace: Workspace) -> list[str]:
    mode = _mode(workspace)
    if is_final(facts.effects, mode) and not workspace.stop_agreed:
        return [cards.ENDING_SPARED]
    if is_final(facts.effects, mode):
        return [fill(cards.ENDING_FINAL, lost=lost(workspace, facts.effects[mode]))]
    said = [at_stake(workspace)] if at_stake(workspace) else []
    return [*said, *([] if mode == "suspend" else [cards.ENDING_UNSAVED])]


def keep_buttons(workspace: Workspace) -> list[Element]:
    """Return *Keep running* and *1 hour more*, for exactly the timer that the message is about."""
    at = workspace.stop_at or 0.0
    return [
        kit.button(cards.KEEP, Press("keep_running", workspace.id, at=at), style=kit.PRIMARY),
        kit.button(cards.HOUR_MORE, Press("hour_more", workspace.id, at=at)),
    ]


def format_kept(facts: WorkspaceFacts) -> str:
    """Say that a workspace keeps running, and until when, if its hours stop it later."""
    workspace = facts.workspace
    assert workspace is not None, "it was kept"
    until = ends.find_next_stop(workspace, facts.hours, facts.now)
    if until is None:
        return fill(cards.KEPT, name=workspace.title)
    return fill(cards.KEPT_UNTIL, name=workspace.title, until=kit.day_moment(until))


def _is_left(facts: WorkspaceFacts) -> bool:
    """Return whether a workspace still runs as it did when its person was asked about it."""
    workspace, planned = facts.workspace, facts.body.get("stop_at") or facts.body.get("planned")
    if workspace is None or workspace.current_state is not State.RUNNING:
        return False
    return workspace.stop_at == planned and (workspace.used_at or 0.0) <= facts.written_at


@draws(HoursKind.NEEDED, is_true=_is_left)
def still_needed(facts: WorkspaceFacts) -> Answer:
    """Ask whether a workspace that was left running is needed, and say what comes without an answer."""
    names, stop_at = _names(facts), facts.body.get("stop_at")
    since = kit.day_moment(facts.time("since"))
    sentences = [fill(words.NEEDED[bool(facts.body.get("is_unused"))], since=since, **names)]
    if stop_at is None and facts.body.get("next_stop") is not None:
        sentences.append(fill(words.NEEDED_UNTIL, at=kit.day_moment(facts.time("next_stop"))))
    buttons, workspace = [], facts.workspace
    if workspace is not None:
        keep = Press("needed", workspace.id, at=stop_at)
        buttons = [kit.button(words.KEEP, keep, style=kit.PRIMARY), *offered(facts, State.RUNNING)]
        if stop_at is not None:
            sentences.append(fill(words.NEEDED_STOPS[_mode(workspace)], at=kit.day_moment(stop_at)))
            sentences += [at_stake(workspace)] if at_stake(workspace) else []
        elif facts.body.get("evening") is not None:
            mode = planned_mode(facts.effects)
            can_stop, later = offer_then(mode, workspace, facts.time("evening"), number=1)
            sentences, buttons = [*sentences, can_stop], [*buttons, later]
    return kit.message(" ".join(sentences), [], buttons)


def offer_then(
    verb: str, workspace: Workspace, at: float, number: int | None = None, style: str | None = None
) -> tuple[str, Element]:
    """Return the sentence that names a time, and the button that does something then or until then."""
    press = changing(verb, workspace, number=number, at=at)
    return fill(words.DONE_THEN[verb], at=kit.day_moment(at)), kit.button(
        words.DO_THEN[verb], press, style=style
    )


def _is_unstopped(facts: WorkspaceFacts) -> bool:
    """Return whether a workspace still runs for which its stop wasn't possible, and why still holds."""
    return _can_run(facts) and (facts.word("cause") not in LINK_HELPS or bool(facts.obstacle))


@draws(HoursKind.TIMER_FAILED, is_true=_is_unstopped)
def failed(facts: WorkspaceFacts) -> Answer:
    """Say that a workspace wasn't stopped as planned, and why."""
    names = _names(facts) | {"at": kit.day_moment(facts.time("stop_at"))}
    cause = facts.word("cause")
    if cause == "restored":
        return _still_stop(facts, names)
    if cause in cards.OBSTACLES:
        return _format_obstacle(facts, cause)
    said = Markup(safe(problems.sentence(cause, facts.connection_title)))
    sentence = fill(cards.FAILED, cause=said, **names)
    buttons = later_button(facts)
    return kit.message(sentence, [], buttons)


def _format_obstacle(facts: WorkspaceFacts, cause: str) -> Answer:
    """Format the reason for which a stop wasn't possible at its time, and the consequence."""
    is_due = bool(facts.body.get("is_due"))
    then = cards.STOP_THERE if not is_due else cards.WHEN_LINKED if cause in LINK_HELPS else cards.WHEN_BACK
    mode: StopMode = "suspend" if facts.word("mode") == "suspend" else "stop"
    sentence = format_obstacle(cards.BLOCKED_PASSED, facts, cause, facts.time("stop_at"), mode)
    buttons = [link_again_button(facts)] if facts.obstacle in LINK_HELPS else []
    buttons += offered(facts) if cause == "not_allowed_now" else []
    next_ = fill(then, do=mode, it="them" if facts.others else "it", title=facts.connection_title)
    pages = page_button(facts)
    if facts.others:
        ordered = sorted((facts, *facts.others), key=lambda one: name_of(one).casefold())
        each = [(button, name_of(one)) for one in ordered[:FEW] for button in page_button(one)]
        pages = [
            kit.numbered(button, number, fill(cards.SEE_NAMED, name=name))
            for number, (button, name) in enumerate(each)
        ]
    return kit.message(f"{sentence} {next_}", [], [*buttons, *pages])


def _still_stop(facts: WorkspaceFacts, names: Mapping[str, Any]) -> Answer:
    """Ask whether a stop that a backup has is still wanted; now, if its time has passed."""
    workspace, at = facts.workspace, facts.time("stop_at")
    mode: StopMode = "suspend" if facts.word("mode") == "suspend" else "stop"
    names = {"since": kit.day(facts.time("backup_at")), "do": mode, "done": cards.DONE[mode], **names}
    is_coming = at > facts.now
    sentence = fill(cards.STILL_STOP if is_coming else cards.STILL_STOP_PASSED, **names)
    buttons = [] if workspace is None or is_coming else offered(facts, State.RUNNING)
    if workspace is not None and is_coming:
        buttons = [kit.button(cards.STOP_IT, changing(mode, workspace, at=at), style=kit.PRIMARY)]
    return kit.message(sentence, [], [*buttons, kit.button(answers.LEAVE_IT, "leave")])


def _names(facts: WorkspaceFacts) -> dict[str, Any]:
    workspace = facts.workspace
    name = workspace.title if workspace is not None else facts.word("name") or "your workspace"
    return {"name": name, "title": facts.connection_title}


def _mode(workspace: Workspace) -> StopMode:
    return workspace.stop_mode or "stop"


def asked(
    workspace: Workspace, title: str, effects: Effects, verb: str, at: float, *, can_suspend: bool
) -> Answer:
    """Ask whether a timer may end a workspace for good."""
    sentence = fill(
        cards.ASK,
        name=workspace.title,
        title=title,
        at=kit.day_moment(at),
        lost=lost(workspace, effects["stop"]),
    )
    ending_then = changing(verb, workspace, agreed=knowing(workspace), at=at)
    buttons = [kit.button(cards.END_THEN, ending_then, style=kit.DANGER)]
    if can_suspend:
        buttons.append(kit.button(cards.SUSPEND_THEN, changing("suspend", workspace, at=at)))
    return kit.message(sentence, [], buttons)


def form_head(facts: WorkspaceFacts) -> str:
    """Say until when a workspace runs as things are."""
    assert facts.workspace is not None, "a form is about a workspace"
    coming = coming_ends(facts.workspace, facts.effects, facts.now)
    said = [fill(cards.FORM_NOW[how], at=kit.day_moment(at), **_names(facts)) for how, at in coming]
    return " ".join(said) or fill(cards.FORM_NONE, **_names(facts))


def form(facts: WorkspaceFacts, timer_mode: StopMode) -> dict[str, Any]:
    """Return the form of *Stop later…*; a time at which that ends it for good is asked about once sent."""
    workspace = facts.workspace
    assert workspace is not None, "a form is about a workspace"
    notes = [form_head(facts)]
    if timer_mode == "suspend":
        notes.append(cards.FORM_SUSPENDS)
    options = [kit.option(str(minutes), label) for minutes, label in cards.FORM_CHOICES.items()]
    if workspace.stop_at is not None:
        options.append(kit.option(NEVER, cards.FORM_NEVER))
    proposed = next(one for one in options if one["value"] == PROPOSED)
    typed = {"type": "plain_text_input", "action_id": "other", "max_length": 60}
    return kit.modal(
        cards.FORM_TITLE,
        [
            kit.section(" ".join(notes)),
            kit.select("when", cards.FORM_WHEN, options, proposed, optional=True),
            kit.field("other", cards.FORM_OTHER, typed, cards.FORM_OTHER_HINT, optional=True),
        ],
        callback_id=CALLBACK,
        private_metadata=workspace.id,
        submit=cards.FORM_SUBMIT,
        close=verbs.CLOSE,
    )


@draws(HoursKind.UNWARNED)
def _unwarned(facts: RequestFacts) -> Answer:
    """Tell an administrator what became of an end whose person couldn't be warned."""
    template = notices.UNWARNED_STOPPED if facts.body.get("is_kept") else notices.UNWARNED_LEFT
    who = kit.person(facts.people.get(facts.word("person")))
    return kit.message(fill(template, who=who, title=facts.connection_title, name=facts.word("name")))
