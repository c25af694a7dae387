"""Deliver an Answer to where the request came from, at once or when what it waited for is there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from bot.domain.notices import Answer, NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.workspaces import Surface, Where
from bot.messages.blocks import forms, kit
from bot.support.cleaning import clean
from bot.support.clock import Ids
from handlers.dispatch import run_button, run_text
from handlers.request import RESPONSE_SECONDS, Waiting
from handlers.services import Services

log = structlog.get_logger(__name__)


#: Slack shows a line or two below a field.
_ERROR = 300


def command_body(answer: Answer) -> dict[str, Any]:
    """Return an Answer as the body of a command's ack."""
    answer = fit_for_channel(answer)
    return {
        "response_type": "in_channel" if answer.in_channel else "ephemeral",
        "text": answer.text,
        "blocks": list(answer.blocks),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def form_body(answer: Answer) -> dict[str, Any]:
    """Return an Answer as the ``response_action`` of a form: errors, its next view, or nothing more."""
    if answer.errors:
        errors = {block_id: kit.cut(clean(text), _ERROR) for block_id, text in answer.errors.items()}
        return {"response_action": "errors", "errors": errors}
    if answer.view is None:
        return {"response_action": "clear"}
    return {"response_action": "update", "view": answer.view}


def reply_notice(answer: Answer, surface: Surface, principal: Principal, ids: Ids) -> NewNotice:
    """Return an Answer as a reply in the outbox: sent at once, at most once, keyed by its interaction.

    The body holds ``text``, ``blocks``, ``replaces``, ``in_channel`` and the way back: ``response_url``, or
    ``channel_id`` with ``thread_ts`` and ``is_direct``. An Answer with a form redraws the one that is open:
    ``view`` with ``view_id`` and ``hash``, or ``external_id``.
    """
    answer = fit_for_channel(answer)
    body = answer.as_body() | {
        "response_url": surface.response_url,
        "channel_id": surface.channel_id,
        "thread_ts": surface.thread_ts,
        "in_channel": answer.in_channel,
        "is_direct": surface.where is Where.DIRECT,
        "spoken": _spoken(answer, surface),
    }
    if answer.view is not None and surface.where is Where.FORM:
        body |= {
            "view": answer.view,
            "view_id": surface.view_id,
            "hash": surface.view_hash,
            "external_id": surface.view_external_id,
        }
    return NewNotice(
        subject=_subject(surface, ids),
        kind=NoticeKind.REPLY,
        occasion="1",
        principal=principal,
        body=body,
    )


def message_notice(
    answer: Answer, surface: Surface, principal: Principal, ids: Ids, *, becomes: str = ""
) -> NewNotice:
    """Return an Answer as a direct message that must not be missed, unlike a reply.

    ``becomes`` is the interaction whose reply promised it: that message becomes this one.
    """
    return NewNotice(
        subject=_subject(surface, ids),
        kind=NoticeKind.MESSAGE,
        occasion="1",
        principal=principal,
        body=replace(answer, in_channel=False, replaces=False).as_body()
        | {"becomes": becomes, "spoken": _spoken(answer, surface)},
    )


def _spoken(answer: Answer, surface: Surface) -> dict[str, Any] | None:
    """Return what is remembered with an answer: what it is about, in which conversation."""
    if answer.about is None or surface.channel_id is None:
        return None
    place = {"channel_id": surface.channel_id, "thread_ts": surface.thread_ts}
    return {**place, "about": answer.about.as_body()}


def _subject(surface: Surface, ids: Ids) -> str:
    """Return the answer's unique key: its interaction; a new id if Slack gave none."""
    return surface.interaction or ids.new("interaction")


def fit_for_channel(answer: Answer) -> Answer:
    """Make an Answer with a private address ephemeral, whoever asked to share it.

    Why: ``docs/rules.md``, "An IDE's address reaches only the owner".
    """
    if not answer.in_channel:
        return answer
    is_private = any(
        one["action_id"] in kit.ADDRESSES or "url" in one for one in kit.buttons_of(answer.blocks)
    )
    return replace(answer, in_channel=False) if is_private else answer


#: For how many seconds people look for an answer where they asked.
_LOOKED_FOR_SECONDS = 120.0


async def replay(services: Services, principal: Principal, body: Mapping[str, Any]) -> None:
    """Run what waited, with the person's current rights; ``body`` is a ``Waiting``.

    The answer goes to the response_url while it is valid, soon after a mention to its channel, otherwise by
    direct message. Running the same one twice has one effect: its interaction is an inbox key, told apart
    from later ones by ``task``. Raises StoreError if nothing could be written.
    """
    waited = Waiting.of(body)
    if waited.folder not in services.commands.values():
        log.warning("a waiting command is of no command that exists", folder=waited.folder)
        return
    left = waited.response_until - services.clock.now()
    lives = waited.response_url is not None and left > 0
    is_soon = RESPONSE_SECONDS - left <= _LOOKED_FOR_SECONDS
    where = Where.DIRECT
    if waited.view:
        where = Where.FORM
    elif lives or (waited.where == Where.MENTION and is_soon):
        where = Where(waited.where)
    surface = Surface(
        kind="replay",
        where=where,
        channel_id=waited.channel_id,
        thread_ts=waited.thread_ts,
        response_url=waited.response_url if lives else None,
        view_external_id=waited.view,
        interaction=f"{waited.interaction or 'waiting'}/{waited.task or 'replay'}",
    )
    if waited.press:
        answer = await run_button(services, principal, surface, kit.Press.of_text(waited.press))
    else:
        answer = await run_text(
            services, principal, surface, waited.text, folder=waited.folder, waited=waited
        )
    if not answer.text:
        return
    if where is Where.FORM and answer.view is None:
        # Don't leave an open form waiting: it shows the answer instead.
        answer = replace(
            answer, view=forms.answer_view(answer, "job" if waited.folder == "job" else "workspace")
        )
    if lives or where in {Where.FORM, Where.MENTION}:
        notice = reply_notice(answer, surface, principal, services.ids)
    else:
        notice = message_notice(answer, surface, principal, services.ids, becomes=waited.first)
    await services.store.add_notices([notice])
    services.wake()
