"""Requests to act as a username, drawn for the person who asks and for whoever decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.facts import RequestFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.people import Approval, Named
from bot.messages.blocks import kit, replies
from bot.messages.blocks.drawn import draws
from bot.messages.blocks.kit import Block, Element, Press
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import approvals as words

ASK_FORM = "ask_link"


def ask_button(connection: str, title: str, number: int | None = None, *, text: str = "") -> Element:
    """Return the button that opens the form; a number distinguishes it from others in its row."""
    press = Press("ask_link", f"{connection} {text}".rstrip(), number=number)
    return kit.button(fill(words.ASK_BUTTON, title=title), press, style=kit.PRIMARY)


def ways(connections: Sequence[tuple[str, str, bool]], waiting: str = "") -> list[Element]:
    """Return a button for each (name, title, whether with a token) that links it.

    Without a token, an administrator is asked. ``waiting`` is the command that runs once one is linked.
    """
    buttons = []
    for number, (name, title, by_token) in enumerate(connections):
        tokens = replies.link_buttons([(name, title)], waiting, first=number)
        buttons += tokens if by_token else [ask_button(name, title, number, text=waiting)]
    return buttons


def _settled(facts: RequestFacts) -> str:
    """Say what became of a request: the first decision counts, whatever the provider said to it."""
    approval, template, by = facts.approval, words.WITHDRAWN, Markup("")
    if approval is not None and approval.decided_by is not None:
        template = words.DENIED_BY if approval.state == "denied" else words.APPROVED_BY
        by = kit.person(facts.people.get(approval.decided_by))
    return fill(template, by=by, **_names(facts.word("username"), facts.connection_title, _person(facts)))


@draws(NoticeKind.APPROVAL_ASKED, past=_settled)
def asked(facts: RequestFacts) -> Answer:
    """Ask an administrator, or say who decided; the buttons carry the request's key and its username."""
    if facts.approval is None or facts.approval.state != "asked":
        line = _settled(facts)
        return kit.answer(kit.bare(line), [kit.context(line)])
    names = _names(facts.approval.username, facts.connection_title, _person(facts))
    request = decision(facts.approval, facts.connection_title, _person(facts))
    blocks = [*request, kit.context(fill(words.REQUEST_NOTE, **names))]
    return kit.answer(fill(words.REQUEST_SHORT, **names), blocks)


def _person(facts: RequestFacts) -> Named | None:
    """Return who asked, also where the request is gone."""
    key = facts.approval.principal.key if facts.approval is not None else facts.word("person")
    return facts.people.get(key)


def _names(username: str, title: str, person: Named | None) -> dict[str, object]:
    return {
        "who": kit.person(person),
        "name": kit.person_plain(person),
        "username": username,
        "title": title,
    }


def decision(approval: Approval, title: str, person: Named | None) -> list[Block]:
    """Draw a request that waits for an administrator."""
    names = _names(approval.username, title, person)
    key = f"{approval.id} {approval.username}"
    question = kit.confirm(words.CONFIRM_APPROVE, style=None, **names)
    buttons = [
        kit.button(fill(words.APPROVE, **names), "approve", key, style=kit.PRIMARY, confirm=question),
        kit.button(words.DENY, "deny", key, style=kit.DANGER),
    ]
    return [kit.section(fill(words.REQUEST, **names)), *kit.actions(buttons)]


@draws(NoticeKind.APPROVAL_DENIED)
def denied(facts: RequestFacts) -> Answer:
    """Tell a person that a request was denied."""
    return _decision(words.DENIED_PERSON, facts)


@draws(NoticeKind.APPROVAL_FAILED)
def failed(facts: RequestFacts) -> Answer:
    """Tell a person, or whoever approved it, that a request can't be fulfilled."""
    return _decision(words.FAILED_PERSON if facts.body.get("is_own") else words.FAILED_ADMINISTRATOR, facts)


@draws(NoticeKind.APPROVAL_DONE)
def done(facts: RequestFacts) -> Answer:
    """Tell whoever approved a request that the person is linked."""
    return _decision(words.DONE, facts)


def _decision(template: str, facts: RequestFacts) -> Answer:
    title, cause = facts.connection_title, facts.word("cause")
    reason = Markup(fill(words.BECAUSE[cause], title=title) if cause in words.BECAUSE else "")
    names = _names(facts.word("username"), title, _person(facts))
    return replies.answer(fill(template, because=reason, **names))


def ask_view(connection: str, title: str, suggestion: str) -> dict[str, Any]:
    """Return the form in which a person names their username."""
    given = {"initial_value": suggestion[:100]} if suggestion else {}
    field = kit.text_field("username", fill(words.ASK_LABEL, title=title), max_length=100, **given)
    return kit.modal(
        words.ASK_TITLE,
        [field, kit.context(words.ASK_NOTE)],
        callback_id=ASK_FORM,
        private_metadata=connection,
        submit=words.ASK_SUBMIT,
        close=words.ASK_CLOSE,
    )
