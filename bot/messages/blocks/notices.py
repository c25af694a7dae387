"""The messages that a person must not miss: always a new message, because an edit doesn't notify."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from bot.domain.facts import Facts
from bot.domain.models import Answer, NoticeKind, Outcome, State
from bot.messages.blocks import approvals, classes, kit, replies, timers
from bot.messages.blocks.buttons import (
    down_buttons,
    open_buttons,
    page_button,
    stop_button,
)
from bot.messages.blocks.cards import (
    again_buttons,
    asked_buttons,
    cause_words,
    force_buttons,
    link_again_button,
    name_of,
    operation_card,
    reference_of,
    retry_buttons,
    short,
    while_running,
)
from bot.messages.blocks.classes import stopped_with_class
from bot.messages.blocks.expiry import ending
from bot.messages.blocks.kit import Element
from bot.messages.blocks.limits import Markup, fill
from bot.messages.blocks.outages import outage
from bot.messages.blocks.preferences import held
from bot.messages.blocks.run_notices import render_job
from bot.messages.blocks.welcome import list_button, new_button
from bot.messages.texts import cards, links, notices, problems, schedules, times
from bot.messages.texts import timers as timer_words


def render(kind: NoticeKind, facts: Facts) -> Answer:
    """Draw a notice from its facts; REPLY and MESSAGE carry their Answer."""
    if kind.subject == "job":
        return render_job(kind, facts)
    answer = _of_class(kind, facts) if kind.subject == "class" else _DRAWN[kind](facts)
    return _still_open(answer, facts) if kind in _OF_WORKSPACES else answer


def _still_open(answer: Answer, facts: Facts) -> Answer:
    """Offer *Open* whatever is said about a workspace that runs: no other message about it may be live."""
    workspace, operation = facts.workspace, facts.operation
    if workspace is None or workspace.state is not State.RUNNING or not facts.ide_url:
        return answer
    if operation is not None and operation.is_open and operation.verb.brings_down and not operation.hold:
        return answer
    offered = list(kit.buttons_of(answer.blocks))
    if any(one["action_id"] == "open_url" for one in offered):
        return answer
    [button] = open_buttons(facts)
    if any(one.get("style") == kit.PRIMARY for one in offered):
        button = kit.quiet(button)
    first, *others = answer.blocks
    return kit.with_blocks(answer, [{**first, "accessory": button}, *others])


def _of_class(kind: NoticeKind, facts: Facts) -> Answer:
    of = facts.of_class
    if of is None:
        return classes.unknown()
    match kind:
        case NoticeKind.CLASS_ENDING:
            return classes.ending(facts)
        case NoticeKind.CLASS_OVER:
            return classes.summary(of)
        case NoticeKind.CLASS_POSTED:
            is_unsure, cause = bool(facts.body.get("is_unsure")), facts.word("cause") or "not_in_channel"
            return classes.posted(of.card, cause, is_unsure=is_unsure)
        case _:
            return classes.class_card(of)


def carried(facts: Facts) -> Answer:
    """Return the Answer that a reply or a plain message carries in its body."""
    body = facts.body
    return kit.answer(
        str(body.get("text") or ""), body.get("blocks") or (), replaces=bool(body.get("replaces"))
    )


def _link_again(facts: Facts) -> Answer:
    """Say that a link was ended."""
    if renamed := str(facts.body.get("renamed") or ""):
        names = {"title": facts.connection_title, "username": facts.body.get("username"), "renamed": renamed}
        said = fill(notices.LINK_RENAMED, **names)
        return kit.message(short(notices.LINK_RENAMED_SHORT, facts), said, [], [link_again_button(facts)])
    template, text = notices.LINK_AGAIN, notices.LINK_AGAIN_SHORT
    if facts.body.get("cause") == "secret":
        template, text = notices.LINK_UNREADABLE, notices.LINK_UNREADABLE_SHORT
    elif facts.link_has_ended:
        template, text = notices.LINK_EXPIRED, notices.LINK_EXPIRED_SHORT
    return kit.message(short(text, facts), short(template, facts), [], [link_again_button(facts)])


def _link_ending(facts: Facts) -> Answer:
    """Say when a link ends."""
    ends_at = facts.time("ends_at")
    left = ends_at - facts.now
    # A reminder comes a moment after it is due: that isn't an hour, or a day, less.
    unit = 3600 if left >= 3600 else 60
    names = {"title": facts.connection_title, "left": times.duration(max(round(left / unit), 1) * unit)}
    sentence = fill(notices.LINK_ENDING, at=kit.day_moment(ends_at), **names)
    return kit.message(fill(notices.LINK_ENDING_SHORT, **names), sentence, [], [link_again_button(facts)])


def _sign_in_refused(facts: Facts) -> Answer:
    """Say that a link may be accepted again without anybody doing anything."""
    if facts.link_has_ended:
        return _link_again(facts)
    since = kit.moment(facts.time("since"), facts.now)
    sentence = fill(notices.SIGN_IN_REFUSED, title=facts.connection_title, since=since)
    return kit.message(short(notices.SIGN_IN_REFUSED_SHORT, facts), sentence, [], [link_again_button(facts)])


def _ready(facts: Facts) -> Answer:
    operation = facts.operation
    small = []
    if operation is not None and operation.ended_at is not None and operation.called_at is not None:
        took = times.duration(operation.ended_at - operation.called_at)
        small = [fill(notices.READY_AFTER, took=took)]
    lines, more, buttons = while_running(facts)
    sentence = "\n".join([f"{short(notices.READY, facts)} {lines[0]}", *lines[1:]])
    return kit.message(short(notices.READY_SHORT, facts), sentence, [*small, *more], buttons)


def _refused(facts: Facts) -> Answer:
    return _not_done(facts, notices.REFUSED, notices.REFUSED_SHORT)


def _not_done(facts: Facts, template: str = notices.FAILED, text: str = notices.FAILED_SHORT) -> Answer:
    """Say that an operation failed, was refused, or has an unknown outcome; cancelled is none of these."""
    operation = facts.operation
    if operation is not None and operation.outcome is Outcome.UNKNOWN:
        template, text = notices.NOT_KNOWN, cards.ENDED_SHORT["unknown"]
    if operation is not None and operation.outcome is Outcome.CANCELLED:
        template, text = notices.CALLED_OFF, notices.CALLED_OFF_SHORT
    cause = (operation.cause if operation is not None else None) or facts.word("cause") or "internal"
    sentence = f"{short(template, facts)} {cause_words(facts, cause)}"
    if facts.of_class is not None:
        failed = stopped_with_class(facts.of_class, name_of(facts), None)
        sentence = f"{failed} {cause_words(facts, cause)}"
    buttons = retry_buttons(facts, operation) if operation is not None else []
    return kit.message(short(text, facts), sentence, reference_of(operation), buttons)


def _stopped(facts: Facts) -> Answer:
    """Say that a workspace is down, whether the person asked for it or it was stopped elsewhere."""
    operation, workspace = facts.operation, facts.workspace
    if operation is not None and operation.cause == "not_made":
        return _not_made(facts)
    if workspace is not None and workspace.state is State.SUSPENDED:
        sentence = short(notices.SUSPENDED, facts)
        if facts.of_class is not None:
            sentence = stopped_with_class(facts.of_class, name_of(facts), workspace.state)
        if operation is not None and operation.planned_for is not None:
            sentence = f"{sentence} {timer_words.AS_PLANNED}"
        return kit.message(short(notices.SUSPENDED_SHORT, facts), sentence, [], down_buttons(facts))
    is_gone = workspace is not None and workspace.state is State.GONE
    asked = operation is not None and operation.verb.brings_down
    sentence, text = (
        short(notices.STOPPED if asked else notices.STOPPED_ELSEWHERE, facts),
        notices.STOPPED_SHORT,
    )
    if asked and operation is not None and not operation.has_called and operation.planned_for is None:
        sentence, text = short(notices.STOPPED_ALREADY, facts), notices.STOPPED_ALREADY_SHORT
    if is_gone and operation is not None and operation.agreed:
        sentence = short(notices.ENDED, facts)
    if operation is not None and operation.planned_for is not None:
        sentence = f"{sentence} {timer_words.AS_PLANNED}"
    if facts.of_class is not None:
        sentence = stopped_with_class(
            facts.of_class, name_of(facts), State.GONE if is_gone else State.STOPPED
        )
    buttons = again_buttons(facts) if is_gone else down_buttons(facts)
    return kit.message(short(text, facts), sentence, [], buttons)


def _removed(facts: Facts) -> Answer:
    if facts.operation is not None and facts.operation.cause == "not_made":
        return _not_made(facts)
    sentence = short(notices.REMOVED, facts)
    return kit.message(short(notices.REMOVED_SHORT, facts), sentence, [], again_buttons(facts))


def _not_made(facts: Facts) -> Answer:
    """Say that a creation was cancelled before anything was made."""
    sentence = short(notices.NOT_MADE, facts)
    return kit.message(short(notices.NOT_MADE_SHORT, facts), sentence, [], again_buttons(facts))


def _waiting(facts: Facts) -> Answer:
    operation = facts.operation
    small = [kit.held(operation.hold, facts.now)] if operation is not None and operation.hold else []
    buttons: list[Element] = []
    if operation is not None:
        buttons.append(kit.button(cards.KEEP_WAITING, "keep_waiting", operation.id, style=kit.PRIMARY))
    if facts.workspace is not None and operation is not None and not operation.verb.brings_down:
        buttons.append(stop_button(facts.workspace, facts.effects))
    buttons += force_buttons(facts)
    sentence = short(notices.WAITING, facts)
    return kit.message(short(notices.WAITING_SHORT, facts), sentence, small, [*buttons, *page_button(facts)])


def asked(facts: Facts) -> Answer:
    """Draw the question whether to make another one, or say that it is no longer open."""
    operation, workspace = facts.operation, facts.workspace
    if operation is not None and operation.is_open and operation.asked_at is not None:
        buttons = asked_buttons(operation.id)
        return kit.message(short(cards.ASKED_SHORT, facts), short(notices.ASKED, facts), [], buttons)
    is_made = workspace is not None and not workspace.is_provisional
    over = notices.ASKED_ANOTHER if operation is not None and operation.is_open else notices.ASKED_OVER
    sentence = short(notices.ASKED_FOUND if is_made else over, facts)
    return kit.message(sentence.replace("*", ""), sentence, [], [])


def _linked(facts: Facts) -> Answer:
    username = facts.username or facts.word("username")
    template = notices.LINKED_AS if username else notices.LINKED
    sentence = fill(template, title=facts.connection_title, username=username)
    buttons = [list_button(style=kit.PRIMARY)]
    buttons += [new_button(facts.connection)] if "making" in facts.capabilities else []
    # Not in red: it undoes what just went well.
    unlink = unlink_button(facts.connection, facts.connection_title)
    del unlink["style"]
    buttons.append(unlink)
    small = [notices.LINKED_NEXT]
    if facts.link_ends_at is not None:
        small.append(fill(notices.LINKED_UNTIL, at=kit.day(facts.link_ends_at)))
    return kit.message(short(notices.LINKED_SHORT, facts), sentence, small, buttons)


def unlink_button(connection: str, title: str, number: int | None = None) -> Element:
    """Return *Unlink*, which asks first; with a number it names the account, for a row of several.

    Its action says that it has asked, like the flag that people type.
    """
    question = kit.confirm(cards.CONFIRM_UNLINK, title=title)
    label = cards.UNLINK if number is None else fill(cards.UNLINK_ONE, title=title)
    press = kit.Press("unlink", connection, agreed=True, number=number)
    return kit.button(label, press, style=kit.DANGER, confirm=question)


def _unlinked(facts: Facts) -> Answer:
    cause = facts.word("cause")
    because = notices.UNLINKED_BECAUSE.get(cause, "")
    small = [fill(because, title=facts.connection_title)] if because else []
    one = [(facts.connection, facts.connection_title, "token" in facts.linking)]
    # The next step of whoever ended it; where somebody else did, the reason is what counts.
    buttons = approvals.ways(one) if not because and facts.linking & {"token", "admin"} else []
    if cause == "revoked":
        buttons = [link_again_button(facts)]
    return kit.message(short(notices.UNLINKED_SHORT, facts), short(notices.UNLINKED, facts), small, buttons)


def _link_tried(facts: Facts) -> Answer:
    """Tell the owner of a linked account that somebody else tried to link it."""
    template = links.TRIED_BY_APPROVAL if facts.body.get("is_approved") else links.TRIED
    who, username = kit.person(facts.people.get(facts.word("person"))), facts.word("username")
    return replies.answer(fill(template, who=who, title=facts.connection_title, username=username))


def _restored(facts: Facts) -> Answer:
    """Say that a link which its person ended may be back."""
    return replies.answer(fill(links.RESTORED, title=facts.connection_title))


def _scheduled(facts: Facts) -> Answer:
    """Say whether a job's schedule was set."""
    cause, cron, title = facts.word("cause"), facts.word("cron"), facts.connection_title
    template = schedules.NOT_SET if cause else schedules.SET if cron else schedules.CLEARED
    because = problems.sentence(cause, title)
    text = fill(template, name=facts.word("name"), title=title, cron=Markup(cron), because=because)
    return kit.message(text, text)


#: What is said about a workspace that may be running.
_OF_WORKSPACES: Final = frozenset(
    {
        NoticeKind.CARD,
        NoticeKind.FAILED,
        NoticeKind.REFUSED,
        NoticeKind.STOPPED,
        NoticeKind.WAITING,
        NoticeKind.TIMER_ENDING,
        NoticeKind.TIMER_FAILED,
        NoticeKind.CLASS_ENDING,
    }
)

#: Notices that are not about a run or a class.
_DRAWN: Final[Mapping[NoticeKind, Callable[[Facts], Answer]]] = MappingProxyType(
    {
        NoticeKind.READY: _ready,
        NoticeKind.FAILED: _not_done,
        NoticeKind.REFUSED: _refused,
        NoticeKind.STOPPED: _stopped,
        NoticeKind.STOPPED_ELSEWHERE: _stopped,
        NoticeKind.SUSPENDED: _stopped,
        NoticeKind.REMOVED: _removed,
        NoticeKind.WAITING: _waiting,
        NoticeKind.ASKED: asked,
        NoticeKind.CARD: operation_card,
        NoticeKind.ENDING: ending,
        NoticeKind.TIMER_ENDING: timers.ending,
        NoticeKind.TIMER_FAILED: timers.failed,
        NoticeKind.LINKED: _linked,
        NoticeKind.UNLINKED: _unlinked,
        NoticeKind.LINK_AGAIN: _link_again,
        NoticeKind.SIGN_IN_REFUSED: _sign_in_refused,
        NoticeKind.LINK_ENDING: _link_ending,
        NoticeKind.LINK_TRIED: _link_tried,
        NoticeKind.RESTORED: _restored,
        NoticeKind.APPROVAL_ASKED: approvals.asked,
        NoticeKind.APPROVAL_DENIED: approvals.denied,
        NoticeKind.APPROVAL_FAILED: approvals.failed,
        NoticeKind.APPROVAL_DONE: approvals.done,
        NoticeKind.OUTAGE: outage,
        NoticeKind.SCHEDULED: _scheduled,
        NoticeKind.HELD: lambda facts: held(facts, render),
        NoticeKind.MESSAGE: carried,
        NoticeKind.REPLY: carried,
    }
)

__all__ = ["carried", "name_of", "render", "unlink_button"]
