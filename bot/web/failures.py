"""Unexpected errors: a friendly page with a reference that is also in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from bot.messages.texts import pages as words
from bot.support.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Middleware

    from bot.support.clock import Ids
    from bot.web.render import Renderer

_log = structlog.get_logger(__name__)


def failures(renderer: Renderer, ids: Ids) -> Middleware:
    """Return the outermost middleware: no exception leaves it, and no response reveals its type."""

    @web.middleware
    async def catch(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as answer:
            if answer.status < 400:
                raise
            if answer.status in (404, 405):
                page = renderer.problem(answer.status, words.NOT_FOUND_TITLE, words.not_found())
            else:
                page = renderer.problem(answer.status, words.REFUSED_TITLE, words.forged())
            if "Allow" in answer.headers:
                page.headers["Allow"] = answer.headers["Allow"]
            return page
        except StoreError as error:
            reference = ids.reference()
            _log.error("web.store_failed", reference=reference, error=type(error).__name__)
            page = renderer.problem(503, words.BUSY_TITLE, words.busy(), reference)
            page.headers["Retry-After"] = "5"
            return page
        except Exception as error:  # noqa: BLE001 - the last place: a page for the person, the kind for the log
            reference = ids.reference()
            _log.error("web.failed", reference=reference, exc_info=error)
            return renderer.problem(500, words.FAILED_TITLE, words.unexpected(reference), reference)

    return catch
