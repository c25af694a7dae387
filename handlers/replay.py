"""Run what had to wait: for a link, for a list to be read, or for Slack to say who somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from bot.domain.models import Principal, Surface
from bot.messages.blocks import forms
from bot.messages.blocks.kit import Press
from handlers import delivery
from handlers.dispatch import run_button, run_text
from handlers.request import RESPONSE_SECONDS
from handlers.services import Services

#: For how many seconds people look for an answer where they asked.
_LOOKED_FOR_SECONDS = 120.0
log = structlog.get_logger(__name__)


async def replay(services: Services, principal: Principal, waiting: Mapping[str, Any]) -> None:
    """Run a waiting command (``Request.waiting``) or button, with the person's current rights.

    The answer goes to the response_url while it is valid, soon after a mention to its channel, otherwise by
    direct message. Running the same one twice has one effect: its interaction is an inbox key, told apart
    from later ones by ``task``. Raises StoreError if nothing could be written.
    """
    folder = str(waiting.get("folder") or "workspace")
    if folder not in services.commands.values():
        log.warning("a waiting command is of no command that exists", folder=folder)
        return
    url = waiting.get("response_url")
    left = float(waiting.get("response_until") or 0.0) - services.clock.now()
    lives = isinstance(url, str) and left > 0
    is_soon = RESPONSE_SECONDS - left <= _LOOKED_FOR_SECONDS
    surface = Surface(
        kind="replay",
        channel_id=waiting.get("channel_id"),
        thread_ts=waiting.get("thread_ts"),
        response_url=url if lives else None,
        is_direct=bool(waiting.get("is_direct")),
        is_mention=bool(waiting.get("is_mention")) and is_soon,
        view_external_id=waiting.get("view"),
        interaction=f"{waiting.get('interaction') or 'waiting'}/{waiting.get('task') or 'replay'}",
    )
    looked = tuple(str(one) for one in waiting.get("looked") or ())
    text = str(waiting.get("text") or "")
    problem = str(waiting.get("problem") or "")
    first = str(waiting.get("first") or "")
    if press := str(waiting.get("press") or ""):
        answer = await run_button(services, principal, surface, Press.of_text(press))
    else:
        unread = str(waiting.get("unread") or waiting.get("asked") or "") if problem else ""
        answer = await run_text(
            services,
            principal,
            surface,
            text,
            folder=folder,
            looked=looked,
            problem=problem,
            unread=unread,
            first=first,
        )
    if not answer.text:
        return
    if surface.is_form and answer.view is None:
        # Don't leave an open form waiting: it shows the answer instead.
        answer = replace(answer, view=forms.answer_view(answer, "job" if folder == "job" else "workspace"))
    fills_form = surface.is_form
    if lives or fills_form or surface.is_mention:
        notice = delivery.reply_notice(answer, surface, principal, services.ids)
    else:
        notice = delivery.message_notice(answer, surface, principal, services.ids, becomes=first)
    await services.store.add_notices([notice])
    services.wake()
