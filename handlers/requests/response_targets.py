"""Turns an Answer into what is sent to Slack: a response to the request, a reply, or a direct message."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.domain.notices import Answer, NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.surfaces import Surface, Where
from bot.messages.blocks import kit, limits, plain, stored
from bot.messages.blocks.cards import LINKING
from bot.messages.texts import answers
from bot.slack.bolt_context import MAX_BODY_BYTES
from bot.store.cards import make_link_key
from bot.support.cleaning import clean, unescape
from bot.support.clock import Ids

#: Maximum length of a field's error message, in characters. Slack shows a line or two below a field.
_MAX_ERROR_LENGTH = 300
#: Maximum length of each field's error message, in characters, if the full messages wouldn't all fit in the
#: response.
_MAX_SHORT_ERROR_LENGTH = 60


def can_acknowledge_with(body: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
    """Return whether a body fits into the acknowledgement of a request.

    In Socket Mode, Slack closes the connection if a frame is too long (``docs/internals/slack.md``, "Socket
    Mode").
    """
    max_bytes = context.get(MAX_BODY_BYTES)
    return max_bytes is None or _count_written_bytes(body) <= max_bytes


def _count_written_bytes(value: Any) -> int:
    """Return how many bytes a value needs in the JSON sent to Slack."""
    return len(json.dumps(value, ensure_ascii=False).encode(errors="replace"))


def make_options_body(options: Sequence[Mapping[str, Any]], context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the response to a search in a menu: as many options as fit and, if some don't, a label."""
    if can_acknowledge_with(whole := {"options": list(options)}, context):
        return whole
    group: dict[str, Any] = {
        "label": kit.plain(answers.MORE_OPTIONS, limits.MAX_OPTION_LENGTH),
        "options": [],
    }
    free_bytes = context[MAX_BODY_BYTES] - _count_written_bytes({"option_groups": [group]})
    for option in options:
        free_bytes -= _count_written_bytes([option])
        if free_bytes < 0:
            break
        group["options"].append(option)
    return {"option_groups": [group]}


def make_command_body(answer: Answer) -> dict[str, Any]:
    """Convert an Answer to the body of a command's acknowledgement."""
    return {
        "response_type": "ephemeral",
        "text": plain.make_fallback_text(answer),
        "blocks": list(answer.blocks),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def make_form_body(answer: Answer, context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Convert an Answer to a form's ``response_action``: errors, the next view, or nothing."""
    if answer.errors:
        # Text below a field is plain text.
        texts = {key: unescape(kit.strip_markup(clean(text))) for key, text in answer.errors.items()}
        errors = {key: kit.truncate(text, _MAX_ERROR_LENGTH) for key, text in texts.items()}
        body = {"response_action": "errors", "errors": errors}
        if not can_acknowledge_with(body, context or {}):
            errors |= {
                block_id: kit.truncate(text, _MAX_SHORT_ERROR_LENGTH) for block_id, text in errors.items()
            }
        while len(errors) > 1 and not can_acknowledge_with(body, context or {}):
            # Leave out some errors. They are shown once the user has corrected the others.
            errors.popitem()
        return body
    if answer.view is None:
        return {"response_action": "clear"}
    return {"response_action": "update", "view": answer.view}


def make_reply_notice(answer: Answer, surface: Surface, principal: Principal, ids: Ids) -> NewNotice:
    """Convert an Answer to a reply for the outbox, sent immediately and at most once per interaction.

    The body contains ``text``, ``blocks``, ``replaces`` and where to send the reply: ``response_url``, or
    ``channel_id`` with ``thread_ts`` and ``where``. If the Answer has a form, the reply redraws the open
    form. The body then contains ``view``, with either ``view_id`` and ``hash`` or ``external_id``.
    """
    presses = [press for _, press in kit.iterate_drawn(answer.blocks)]
    if not answer.offers and any(press.name in LINKING for press in presses):
        # Once the account is linked, the *Link* button is removed from this reply.
        answer = replace(answer, offers=make_link_key(principal.key))
    body = stored.to_body(answer) | {
        "response_url": surface.response_url,
        "channel_id": surface.channel_id,
        "thread_ts": surface.thread_ts,
        "where": surface.where,
        "over": surface.message_ts if answer.replaces else None,
    }
    if answer.view is not None and surface.where is Where.FORM:
        body |= {
            "view": answer.view,
            "view_id": surface.view_id,
            "hash": surface.view_hash,
            "external_id": surface.view_external_id,
        }
    return NewNotice(
        subject=_make_subject(surface, ids),
        kind=NoticeKind.REPLY,
        occasion="1",
        principal=principal,
        body=body,
    )


def make_message_notice(
    answer: Answer, surface: Surface, principal: Principal, ids: Ids, *, becomes: str = ""
) -> NewNotice:
    """Convert an Answer to a direct message. Unlike a reply, a direct message must not be missed.

    ``becomes`` is the interaction whose reply promised this message. The message then replaces that reply.
    """
    return NewNotice(
        subject=_make_subject(surface, ids),
        kind=NoticeKind.ASSISTANT_QUESTION if surface.via else NoticeKind.MESSAGE,
        occasion="1",
        principal=principal,
        body=stored.to_body(replace(answer, replaces=False)) | {"becomes": becomes},
    )


def _make_subject(surface: Surface, ids: Ids) -> str:
    """Return a unique key for an answer: its interaction or, if Slack sent none, a new id."""
    return surface.interaction or ids.new("interaction")
