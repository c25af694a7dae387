"""Requests to act as a username, drawn for the person who asks and for who decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.messages.blocks import kit, limits, replies
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import approvals as words

if TYPE_CHECKING:
    from bot.domain.models import Answer, Approval

ASK_FORM = "ask_link"


def request(approval: Approval, title: str, who: Markup, name: str) -> Answer:
    """Ask an administrator; the buttons carry the request's key and the username that is shown."""
    told = fill(words.REQUEST, who=who, username=approval.username, title=title)
    value = f"{approval.id} {approval.username}"
    question = kit.confirm(
        words.CONFIRM_APPROVE, style=None, name=name, username=approval.username, title=title
    )
    buttons = [
        kit.button(
            fill(words.APPROVE, username=approval.username),
            "approve",
            value,
            style=kit.PRIMARY,
            confirm=question,
        ),
        kit.button(words.DENY, "deny", value, style=kit.DANGER),
    ]
    note = fill(words.REQUEST_NOTE, username=approval.username)
    text = fill(words.REQUEST_SHORT, name=name, username=approval.username, title=title)
    return kit.answer(text, [kit.section(told), *kit.actions(buttons), kit.context(note)])


def decision(template: str, approval: Approval, title: str, who: Markup, because: str = "") -> Answer:
    """Say what became of a request, in one of the templates of ``bot.messages.texts.approvals``."""
    reason = Markup(fill(words.BECAUSE[because], title=title) if because in words.BECAUSE else "")
    sentence = fill(template, username=approval.username, title=title, who=who, because=reason)
    return replies.answer(sentence)


def ask_view(connection: str, title: str, suggestion: str) -> dict[str, Any]:
    """Return the form in which a person names their username."""
    element: dict[str, Any] = {"type": "plain_text_input", "action_id": "username", "max_length": 100}
    if suggestion:
        element["initial_value"] = suggestion[:100]
    return {
        "type": "modal",
        "callback_id": ASK_FORM,
        "private_metadata": connection,
        "title": kit.plain(words.ASK_TITLE, limits.TITLE),
        "submit": kit.plain(words.ASK_SUBMIT, limits.TITLE),
        "close": kit.plain(words.ASK_CLOSE, limits.TITLE),
        "blocks": [
            {
                "type": "input",
                "block_id": "username",
                "label": kit.plain(fill(words.ASK_LABEL, title=title), limits.LABEL),
                "element": element,
            },
            kit.context(words.ASK_NOTE),
        ],
    }
