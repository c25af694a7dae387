"""Logs for operators: structlog, one JSON object per line, redacted by key, by known value and by pattern.

Libraries that use the standard library's logging pass the same processors (``docs/internals/security.md``,
row 19).
"""

import asyncio
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from bot.support.cleaning import SHORTEST
from bot.support.errors import SlackFailed, StoreError

REMOVED = "[removed]"
#: How long a log file may become; the one before it is kept, too.
_LOG_BYTES = 10_000_000
#: What these say is our own, or a code of Slack's. Others may hold addresses and headers with credentials.
_OUR_WORDS = (StoreError, SlackFailed)

_SECRET_KEY = re.compile(
    r"token|secret|password|authorization|cookie|credential|nonce|response_url|ide_url|^code$", re.IGNORECASE
)
_PATTERNS = (
    re.compile(r"xox[a-z]-[A-Za-z0-9-]+"),
    re.compile(r"xapp-[A-Za-z0-9-]+"),
    re.compile(r"(?i)\b(?:bearer|token)[ =:]+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?<=/link/)[A-Za-z0-9_-]{16,}"),
    re.compile(r"(?i)(?<=access_token=)[^&\s]+"),
    re.compile(r"gAAAA[A-Za-z0-9_=-]{20,}"),
)


#: Each pattern starts with one of these: a text without any is left as it is.
_SUSPECT = re.compile(r"xox|xapp-|bearer|token|/link/|gAAAA", re.IGNORECASE)


@lru_cache(maxsize=1024)
def _is_secret_key(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


#: The secrets of the calls that are going on here, which nobody knew when the process began.
_IN_USE: ContextVar[tuple[str, ...]] = ContextVar("secrets in use", default=())


@contextmanager
def hiding(secrets: Iterable[str]) -> Iterator[None]:
    """Remove these, too, from what is logged meanwhile."""
    token = _IN_USE.set((*_IN_USE.get(), *(one for one in secrets if len(one) >= SHORTEST)))
    try:
        yield
    finally:
        _IN_USE.reset(token)


class Redactor:
    """Remove secrets from log events. Short values are left alone: that would blank ordinary words."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = {value for value in known if len(value) >= SHORTEST}

    def text(self, value: str) -> str:
        """Return a text without known values and without anything that looks like a secret."""
        for known in (*self._known, *_IN_USE.get()) if _IN_USE.get() else self._known:
            if known in value:
                value = value.replace(known, REMOVED)
        if _SUSPECT.search(value):
            for pattern in _PATTERNS:
                value = pattern.sub(REMOVED, value)
        return value

    def clean(self, value: Any, depth: int = 0) -> Any:
        """Return a value of any shape redacted; anything nested deeper than six levels is left out."""
        if isinstance(value, str):
            return self.text(value)
        if depth > 6:
            return "…"
        if isinstance(value, dict):
            return {
                key: REMOVED if _is_secret_key(str(key)) and item else self.clean(item, depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.clean(item, depth + 1) for item in value]
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self.text(str(value))

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Act as a structlog processor."""
        return {
            key: value if key.startswith("_") else self.clean({key: value})[key]
            for key, value in event.items()
        }


class Counted:
    """Write what strangers can cause any number of times: at once, then once a second with how often it came.

    ``write`` gets the reason, of which there are few, and the number.
    """

    def __init__(self, write: Callable[[str, int], None]) -> None:
        self._write = write
        #: How often each reason came since it was last written.
        self._more: dict[str, int] = {}

    def add(self, reason: str) -> None:
        """Write it, or count it if it was written less than a second ago; call it on the event loop."""
        if reason in self._more:
            self._more[reason] += 1
            return
        self._wait(reason)
        self._write(reason, 1)

    def end(self) -> None:
        """Write what was counted and would be written later."""
        for reason, times in self._more.items():
            if times:
                self._write(reason, times)
        self._more = dict.fromkeys(self._more, 0)

    def _wait(self, reason: str) -> None:
        self._more[reason] = 0
        asyncio.get_running_loop().call_later(1.0, self._next, reason)

    def _next(self, reason: str) -> None:
        times = self._more.pop(reason)
        if times:
            self._wait(reason)
            self._write(reason, times)


def brief_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace a stack trace with the exception's type and the places it passed, without values.

    A trace shows source lines and, through chained exceptions, headers with credentials.
    """
    given = event.pop("exc_info", None)
    if not given:
        return event
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    error = error or sys.exc_info()[1]
    if error is not None:
        event["error"] = type(error).__name__
        if isinstance(error, _OUR_WORDS):
            event["problem"] = error
        frames = traceback.extract_tb(error.__traceback__)[-5:]
        event["where"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def one_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape what could end a line or steer a terminal: paths and names come from strangers.

    For texts only: JSON escapes by itself, as does ``repr``, in which nested values are written.
    """
    return {_printable(key): _printable(value) for key, value in event.items()}


def _printable(value: Any) -> Any:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in value
    )


def worded_errors(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an error that is a value of an event with its text if that is ours, otherwise with its kind."""
    for key, value in event.items():
        if isinstance(value, BaseException):
            event[key] = str(value) if isinstance(value, _OUR_WORDS) else type(value).__name__
    return event


def configure(level: str, form: str, redactor: Redactor) -> None:
    """Send structlog's and the standard library's logs to standard error through one chain of processors."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        brief_exception,
        worded_errors,
        redactor,
    ]
    written: list[structlog.types.Processor] = (
        [structlog.processors.JSONRenderer()]
        if form == "json"
        else [one_line, structlog.dev.ConsoleRenderer(colors=False)]
    )
    structlog.configure(
        # First, so that events below the level cost nothing more.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Below this level these log request bodies, headers or one line per tick.
    for noisy in ("slack_bolt", "slack_sdk", "aiohttp.access", "apscheduler", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # A tick that is left out because the one before still runs says nothing that the work itself doesn't.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    # Our jobs log their own failures: what remains here are jobs that a shutdown cancels.
    logging.getLogger("apscheduler.executors").setLevel(logging.CRITICAL)


def write_to(path: Path) -> None:
    """Write the log into a file from now on, and only what is wrong to standard error, too."""
    root = logging.getLogger()
    (shown,) = root.handlers
    shown.setLevel(logging.WARNING)
    written = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    written.setFormatter(shown.formatter)
    root.addHandler(written)
