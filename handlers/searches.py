"""Searches of select menus, answered from what is known: an empty list rather than a wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bot.domain.models import Surface
from bot.support.errors import Refused, UsherError
from bot.support.visible import unescape
from handlers import routes
from handlers.request import Reference, Request
from handlers.services import Services

log = structlog.get_logger(__name__)


async def search(services: Services, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the choices for a ``block_suggestion``.

    ``VERB:SOURCE`` names the handler by its source, ``field:NAME`` is a field of a form.
    """
    kind, _, source = str(payload.get("action_id") or "").partition(":")
    handler = routes.options.get(kind if kind == "field" else source)
    drawing = Reference(services.ids)
    if handler is None:
        log.warning("no such search", reference=str(drawing))
        return []
    try:
        principal = services.actor(payload)
        await services.authority.check(principal, "search")
        request = Request(
            principal=principal,
            verb="search",
            arguments=(unescape(str(payload.get("value") or "")),),
            surface=Surface(kind="view"),
            services=services.of(principal),
            drawing=drawing,
            target=source,
            view=payload.get("view") or {},
        )
        choices: list[dict[str, Any]] = await handler(request)
    except Refused as refusal:
        log.info("refused", rule=refusal.rule, reference=str(drawing))
        return []
    except UsherError as error:
        log.warning("search failed", problem=error, reference=str(drawing))
        return []
    return choices
