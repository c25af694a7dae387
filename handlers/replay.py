"""Run what had to wait: for a link, for a list to be read, or for Slack to say who somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from bot.domain.people import Principal
from bot.domain.workspaces import Surface
from bot.messages.blocks import forms
from bot.messages.blocks.kit import Press
from handlers import delivery
from handlers.dispatch import run_button, run_text
from handlers.request import RESPONSE_SECONDS, Waiting
from handlers.services import Services

#: For how many seconds people look for an answer where they asked.
_LOOKED_FOR_SECONDS = 120.0
log = structlog.get_logger(__name__)


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
    surface = Surface(
        kind="replay",
        channel_id=waited.channel_id,
        thread_ts=waited.thread_ts,
        response_url=waited.response_url if lives else None,
        is_direct=waited.is_direct,
        is_mention=waited.is_mention and is_soon,
        view_external_id=waited.view,
        interaction=f"{waited.interaction or 'waiting'}/{waited.task or 'replay'}",
    )
    if waited.press:
        answer = await run_button(services, principal, surface, Press.of_text(waited.press))
    else:
        answer = await run_text(
            services, principal, surface, waited.text, folder=waited.folder, waited=waited
        )
    if not answer.text:
        return
    if surface.is_form and answer.view is None:
        # Don't leave an open form waiting: it shows the answer instead.
        answer = replace(
            answer, view=forms.answer_view(answer, "job" if waited.folder == "job" else "workspace")
        )
    if lives or surface.is_form or surface.is_mention:
        notice = delivery.reply_notice(answer, surface, principal, services.ids)
    else:
        notice = delivery.message_notice(answer, surface, principal, services.ids, becomes=waited.first)
    await services.store.add_notices([notice])
    services.wake()
