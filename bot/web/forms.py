"""Forms as browsers send them: small, of the one plain type, each field once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from bot.web.front import Refusal, read_body
from bot.web.shapes import FORM

if TYPE_CHECKING:
    from aiohttp import web

MAX_FORM_BYTES = 16 * 1024


async def read_form(request: web.Request) -> dict[str, str] | None:
    """Return a form's fields; None if it isn't a form of ours."""
    if request.content_type != FORM or (request.content_length or 0) > MAX_FORM_BYTES:
        return None
    try:
        raw = await read_body(request)
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=20))
    except (Refusal, ValueError):
        return None
