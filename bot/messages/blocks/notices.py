"""The messages that a person must not miss: always a new message, because an edit makes no notification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import Answer, NoticeKind, Outcome, State
from bot.messages.blocks import kit
from bot.messages.blocks.buttons import down_buttons, open_buttons, page_button, running_buttons, stop_button
from bot.messages.blocks.cards import (
    again_buttons,
    asked_buttons,
    cause_words,
    force_buttons,
    link_again_button,
    name_of,
    opening,
    operation_card,
    retry_buttons,
    short,
    warned,
)
from bot.messages.blocks.classes import class_card, stopped_with_class
from bot.messages.blocks.expiry import ending
from bot.messages.blocks.job_notices import render_job
from bot.messages.blocks.limits import fill
from bot.messages.texts import cards, notices, times

if TYPE_CHECKING:
    from bot.messages.blocks.facts import Facts
    from bot.messages.blocks.kit import Block, Element


def render(kind: NoticeKind, facts: Facts) -> Answer:
    """Draw a notice from rows; CARD is the operation's card, REPLY and MESSAGE bring their Answer."""
    match kind:
        case NoticeKind.READY:
            return _ready(facts)
        case NoticeKind.FAILED | NoticeKind.REFUSED:
            return _not_done(kind, facts)
        case NoticeKind.STOPPED | NoticeKind.SUSPENDED:
            return _stopped(facts)
        case NoticeKind.REMOVED:
            return _removed(facts)
        case NoticeKind.WAITING:
            return _waiting(facts)
        case NoticeKind.LINKED:
            return _linked(facts)
        case NoticeKind.UNLINKED:
            return _unlinked(facts)
        case NoticeKind.LINK_AGAIN | NoticeKind.SIGN_IN_REFUSED:
            return _sign_in_refused(kind, facts)
        case NoticeKind.CARD:
            return operation_card(facts)
        case NoticeKind.ENDING:
            return ending(facts)
        case NoticeKind.REPLY | NoticeKind.MESSAGE:
            return carried(facts)
        case _:
            return _of_others(kind, facts)


def _of_others(kind: NoticeKind, facts: Facts) -> Answer:
    """Draw a question, what is about a class, or about a run."""
    if kind is NoticeKind.ASKED:
        return asked(facts)
    if kind is NoticeKind.CLASS_CARD and facts.of_class is not None:
        return class_card(facts.of_class)
    return render_job(kind, facts)


def carried(facts: Facts) -> Answer:
    """Return the Answer that a reply or a plain message carries in its body."""
    body = facts.body
    return kit.answer(
        str(body.get("text") or ""), body.get("blocks") or (), replaces=bool(body.get("replaces"))
    )


def _notice(text: str, told: str, small: list[str], buttons: list[Element]) -> Answer:
    blocks: list[Block] = [kit.section(told)]
    if small:
        blocks.append(kit.context(*small))
    return kit.answer(text, [*blocks, *kit.actions(buttons)])


def _sign_in_refused(kind: NoticeKind, facts: Facts) -> Answer:
    """Say that a link was given up, or that it may be accepted again without anybody's doing."""
    if kind is NoticeKind.LINK_AGAIN:
        text = short(notices.LINK_AGAIN_SHORT, facts)
        return _notice(text, short(notices.LINK_AGAIN, facts), [], [link_again_button(facts)])
    since = kit.moment(float(facts.body.get("since") or facts.now), facts.now)
    told = fill(notices.SIGN_IN_REFUSED, title=facts.connection_title, since=since)
    return _notice(short(notices.SIGN_IN_REFUSED_SHORT, facts), told, [], [link_again_button(facts)])


def _reference(facts: Facts) -> list[str]:
    if facts.operation is None or not facts.operation.reference:
        return []
    return [fill(cards.REFERENCE, reference=facts.operation.reference)]


def _ready(facts: Facts) -> Answer:
    operation = facts.operation
    small = []
    if operation is not None and operation.ended_at is not None and operation.called_at is not None:
        took = times.duration(operation.ended_at - operation.called_at)
        small = [fill(notices.READY_AFTER, took=took)]
    told = "\n".join([f"{short(notices.READY, facts)} {opening(facts)}", *warned(facts)])
    buttons = [*open_buttons(facts), *running_buttons(facts)]
    return _notice(short(notices.READY_SHORT, facts), told, small, buttons)


def _not_done(kind: NoticeKind, facts: Facts) -> Answer:
    """Say that an operation failed, was refused, or has an unknown outcome; cancelled is none of these."""
    operation = facts.operation
    template, text = notices.FAILED, notices.FAILED_SHORT
    if operation is not None and operation.outcome is Outcome.UNKNOWN:
        template, text = notices.NOT_KNOWN, cards.ENDED_SHORT["unknown"]
    if kind is NoticeKind.REFUSED:
        template, text = notices.REFUSED, notices.REFUSED_SHORT
    if operation is not None and operation.outcome is Outcome.CANCELLED:
        template, text = notices.CALLED_OFF, notices.CALLED_OFF_SHORT
    cause = (operation.cause if operation is not None else None) or str(facts.body.get("cause") or "internal")
    told = f"{short(template, facts)} {cause_words(facts, cause)}"
    if facts.of_class is not None:
        failed = stopped_with_class(facts.of_class, name_of(facts), None)
        told = f"{failed} {cause_words(facts, cause)}"
    buttons = retry_buttons(facts, operation) if operation is not None else []
    return _notice(short(text, facts), told, _reference(facts), buttons)


def _stopped(facts: Facts) -> Answer:
    """Say that a workspace is down: because the person asked for it, or because it was stopped elsewhere."""
    operation, workspace = facts.operation, facts.workspace
    if operation is not None and operation.cause == "not_made":
        return _not_made(facts)
    if workspace is not None and workspace.state is State.SUSPENDED:
        told = short(notices.SUSPENDED, facts)
        if facts.of_class is not None:
            told = stopped_with_class(facts.of_class, name_of(facts), workspace.state)
        return _notice(short(notices.SUSPENDED_SHORT, facts), told, [], down_buttons(facts))
    is_gone = workspace is not None and workspace.state is State.GONE
    asked = operation is not None and operation.verb.brings_down
    told = short(notices.STOPPED if asked else notices.STOPPED_ELSEWHERE, facts)
    if is_gone and operation is not None and operation.agreed:
        told = short(notices.ENDED, facts)
    if facts.of_class is not None:
        told = stopped_with_class(facts.of_class, name_of(facts), State.GONE if is_gone else State.STOPPED)
    buttons = again_buttons(facts) if is_gone else down_buttons(facts)
    return _notice(short(notices.STOPPED_SHORT, facts), told, [], buttons)


def _removed(facts: Facts) -> Answer:
    if facts.operation is not None and facts.operation.cause == "not_made":
        return _not_made(facts)
    told = short(notices.REMOVED, facts)
    return _notice(short(notices.REMOVED_SHORT, facts), told, [], again_buttons(facts))


def _not_made(facts: Facts) -> Answer:
    """Say that a creation was called off before there was anything."""
    told = short(notices.NOT_MADE, facts)
    return _notice(short(notices.NOT_MADE_SHORT, facts), told, [], again_buttons(facts))


def _waiting(facts: Facts) -> Answer:
    operation = facts.operation
    small = [kit.held(operation.hold, facts.now)] if operation is not None and operation.hold else []
    buttons: list[Element] = []
    if operation is not None:
        buttons.append(kit.button(cards.KEEP_WAITING, "keep_waiting", operation.id, style=kit.PRIMARY))
    if facts.workspace is not None and operation is not None and not operation.verb.brings_down:
        buttons.append(stop_button(facts.workspace, facts.effects))
    buttons += force_buttons(facts)
    told = short(notices.WAITING, facts)
    return _notice(short(notices.WAITING_SHORT, facts), told, small, [*buttons, *page_button(facts)])


def asked(facts: Facts) -> Answer:
    """Draw the question whether to make another one, or that there is nothing to ask any more."""
    operation, workspace = facts.operation, facts.workspace
    if operation is not None and operation.is_open and operation.asked_at is not None:
        buttons = asked_buttons(operation)
        return _notice(short(cards.ASKED_SHORT, facts), short(notices.ASKED, facts), [], buttons)
    is_made = workspace is not None and not workspace.is_provisional
    over = notices.ASKED_ANOTHER if operation is not None and operation.is_open else notices.ASKED_OVER
    told = short(notices.ASKED_FOUND if is_made else over, facts)
    return _notice(told.replace("*", ""), told, [], [])


def _linked(facts: Facts) -> Answer:
    username = facts.username or str(facts.body.get("username") or "")
    template = notices.LINKED_AS if username else notices.LINKED
    told = fill(template, title=facts.connection_title, username=username)
    buttons = [unlink_button(facts.connection, facts.connection_title)]
    return _notice(short(notices.LINKED_SHORT, facts), told, [notices.LINKED_NEXT], buttons)


def unlink_button(connection: str, title: str, number: int | None = None) -> Element:
    """Return *Unlink*, which asks first; with a number it names the account, for a row of several."""
    question = kit.confirm(cards.CONFIRM_UNLINK, title=title)
    label = cards.UNLINK if number is None else fill(cards.UNLINK_ONE, title=title)
    action = "unlink" if number is None else f"unlink:{number}"
    return kit.button(label, action, connection, style=kit.DANGER, confirm=question)


def _unlinked(facts: Facts) -> Answer:
    cause = str(facts.body.get("cause") or "")
    because = notices.UNLINKED_BECAUSE.get(cause, "")
    small = [fill(because, title=facts.connection_title)] if because else []
    return _notice(short(notices.UNLINKED_SHORT, facts), short(notices.UNLINKED, facts), small, [])


__all__ = ["carried", "name_of", "render", "unlink_button"]
