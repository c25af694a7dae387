"""What holds for every request: one line in the log, no exception that leaves, the headers of every response.

The line has no query, no nonce and no headers (``docs/security.md``, row 12).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Middleware

from bot.messages.texts import pages as words
from bot.slack.manifest import SLACK_PATH
from bot.support.clock import Ids
from bot.support.errors import StoreError
from bot.web.render import HEADERS, STATIC_PATH, Renderer

_log = structlog.get_logger(__name__)

#: Whether people reach the application by https only: then their browsers are to remember that for a year.
OVER_HTTPS: web.AppKey[bool] = web.AppKey("over_https", bool)

_STATIC_CACHE = "public, max-age=3600"

_WORDS_OF_OURS = re.compile(r"/link/(?:check|again|confirm|sign-in|slack)/?")
_ASKED_BY_PAGES = re.compile(r"/ide/[^/]+/state")
_BELOW_LINK = re.compile(r"(?i)(/link/+).+", re.DOTALL)


def without_secrets(path: str) -> str:
    """Return a path as it may be logged: what follows ``/link/`` can be a nonce."""
    if _WORDS_OF_OURS.fullmatch(path):
        return path
    return _BELOW_LINK.sub(r"\1…", path)[:200]


class AccessLog(AbstractAccessLogger):
    """Log method, path, status, size and duration; routine successes at debug level only.

    Those are Slack's requests, and what an open page asks every few seconds: they are the majority, and each
    line costs as much as a sixth of such a request.
    """

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the line; ``time`` in seconds."""
        is_usual = request.path == SLACK_PATH or _ASKED_BY_PAGES.fullmatch(request.path) is not None
        level = logging.DEBUG if response.status == 200 and is_usual else logging.INFO
        if not self.logger.isEnabledFor(level):
            return
        self.logger.log(
            level,
            "%s %s %d %d bytes %.3f s",
            request.method[:10],
            without_secrets(request.path),
            response.status,
            response.body_length,
            time,
        )

    @property
    def enabled(self) -> bool:
        """Return whether a line would be visible."""
        return self.logger.isEnabledFor(logging.INFO)


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
            _log.error("web.store_failed", reference=reference, error=error)
            page = renderer.problem(503, words.BUSY_TITLE, words.busy(), reference)
            page.headers["Retry-After"] = "5"
            return page
        except Exception as error:  # noqa: BLE001 - the last place: a page for the person, the kind for the log
            reference = ids.reference()
            _log.error("web.failed", reference=reference, exc_info=error)
            return renderer.problem(500, words.FAILED_TITLE, words.unexpected(reference), reference)

    return catch


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers that every response has; for the application's ``on_response_prepare``."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.app.get(OVER_HTTPS):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    is_static = request.path.startswith(STATIC_PATH + "/") and response.status == 200
    response.headers.setdefault("Cache-Control", _STATIC_CACHE if is_static else "no-store")
    # In place of the versions that the library would reveal.
    response.headers["Server"] = "usher"
