"""One line per request: no query, no nonce, no headers (``docs/security.md``, row 12)."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractAccessLogger

from bot.slack.manifest import SLACK_PATH

if TYPE_CHECKING:
    from aiohttp import web

_WORDS_OF_OURS = re.compile(r"/link/(?:check|again|confirm|sign-in|slack)/?")
_ASKED_BY_PAGES = re.compile(r"/ide/[^/]+/state")
_BELOW_LINK = re.compile(r"(?i)(/+link/+).+", re.DOTALL)


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
