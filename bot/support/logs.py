"""Logs for operators. Secrets are removed from them by key, by known value and by pattern.

On a terminal, logs are plain text. Anywhere else, they are one JSON object per line. Lines from libraries
that use the standard library's logging pass through the same processors (``docs/internals/security.md``, row
19).
"""

import asyncio
import logging
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from logging.handlers import RotatingFileHandler
from pathlib import Path
from select import POLLOUT, poll
from typing import Any, Final, TextIO

import structlog

from bot.support.cleaning import MIN_SECRET_LENGTH
from bot.support.errors import SlackFailed, StoreError

REMOVED = "[removed]"
#: Maximum size of a log file, in bytes. One older file is kept as well.
_LOG_BYTES = 10_000_000
#: Errors whose text was written by Usher or is a Slack error code. The text of other errors may contain URLs,
#: or headers with credentials.
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


#: Matches strings that occur in, or directly before, every secret that ``_PATTERNS`` can find. Text without
#: any of these strings doesn't have to be searched with ``_PATTERNS``.
_SUSPECT = re.compile(r"xox|xapp-|bearer|token|/link/|gAAAA", re.IGNORECASE)


@lru_cache(maxsize=1024)
def _is_secret_key(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


#: Secrets that have replaced earlier ones since the process started. They are removed from the logs, too.
_REPLACEMENTS: set[str] = set()


def redact_from_now_on(secrets: Iterable[str]) -> None:
    """From now on, remove these secrets from everything that this process logs."""
    _REPLACEMENTS.update(secrets)


#: Secrets that this context's calls use but that weren't known when the process started. They are removed
#: from the context's log lines.
_IN_USE: ContextVar[tuple[str, ...]] = ContextVar("secrets in use", default=())


@contextmanager
def redact_secrets(secrets: Iterable[str]) -> Iterator[None]:
    """Within this context, remove additional secrets from log lines."""
    token = _IN_USE.set((*_IN_USE.get(), *secrets))
    try:
        yield
    finally:
        _IN_USE.reset(token)


class Redactor:
    """Removes secrets from log events.

    Short secrets are left, because removing them would blank out ordinary words.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = set(known)

    def text(self, value: str) -> str:
        """Return a string without known secrets or anything that looks like a secret."""
        for known in (*self._known, *_REPLACEMENTS, *_IN_USE.get()):
            if len(known) >= MIN_SECRET_LENGTH and known in value:
                value = value.replace(known, REMOVED)
        if _SUSPECT.search(value):
            for pattern in _PATTERNS:
                value = pattern.sub(REMOVED, value)
        return value

    def clean(self, value: Any, depth: int = 0) -> Any:
        """Return a value of any type without secrets. Anything nested over six levels deep is left out."""
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
        """Clean an event's values, as a structlog processor."""
        return {
            key: value if key.startswith("_") else self.clean({key: value})[key]
            for key, value in event.items()
        }


#: Whether the log lines in this context are caused by a stranger: someone who hasn't proven who they are.
_IS_STRANGER: ContextVar[bool] = ContextVar("caused by a stranger", default=False)
#: Maximum number of reasons for which ``StrangerFilter`` counts withheld log lines separately. Without a
#: maximum, strangers could add any number of reasons, because some reasons quote what a stranger sent.
_MAX_REASONS = 20


def mark_as_stranger() -> None:
    """Treat this context's log lines as caused by a stranger, until ``mark_as_known`` is called."""
    _IS_STRANGER.set(True)


def mark_as_known() -> None:
    """Stop limiting this context's lines, because Slack, a provider or a person has proven who they are."""
    _IS_STRANGER.set(False)


class StrangerFilter(logging.Filter):
    """Limits the log lines caused by strangers to one per second, counting those that it withholds.

    Errors are always written, because they are Usher's own fault. ``write`` is called with the number of
    withheld lines for each reason, and with their highest log level.
    """

    def __init__(
        self, write: Callable[[dict[str, int], int], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._write = write
        self._monotonic = monotonic
        self._counts: dict[str, int] = {}
        self._level = logging.NOTSET
        #: Until this monotonic time, no further log line caused by a stranger may be written.
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write a log line now. If it isn't written, count it."""
        if not _IS_STRANGER.get() or record.levelno >= logging.ERROR:
            return True
        # Several handlers call this filter for the same record, so store the decision in the record.
        judged = vars(record)
        if "is_written" not in judged:
            judged["is_written"] = self._is_first(record)
        return bool(judged["is_written"])

    def write_counts(self) -> None:
        """Write how many lines were withheld for each reason."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._counts:
            counts, level = self._counts, self._level
            self._counts, self._level = {}, logging.NOTSET
            self._next_at = self._monotonic() + 1.0
            token = _IS_STRANGER.set(False)
            self._write(counts, level)
            _IS_STRANGER.reset(token)

    def _is_first(self, record: logging.LogRecord) -> bool:
        now = self._monotonic()
        if now >= self._next_at and not self._counts:
            self._next_at = now + 1.0
            return True
        reason = _read_reason(record)
        if reason not in self._counts and len(self._counts) >= _MAX_REASONS:
            reason = "other"
        self._counts[reason] = self._counts.get(reason, 0) + 1
        self._level = max(self._level, record.levelno)
        if now >= self._next_at:
            # The counts should already have been written, but the timer never fired, because its event loop
            # has ended.
            self.write_counts()
        elif self._timer is None:
            with suppress(RuntimeError):
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self._next_at - now, self.write_counts)
        return False


def _read_reason(record: logging.LogRecord) -> str:
    if not isinstance(record.msg, dict):
        return str(getattr(record, "reason", record.name))
    parts = (record.msg.get("event"), record.msg.get("reason") or record.msg.get("rule"))
    return " ".join(str(part) for part in parts if part)


def _log_counts(counts: dict[str, int], level: int) -> None:
    # Put each count into a string. As a key, a reason might look like the name of a secret, and then the
    # count would be removed.
    texts = [f"{reason}: {count}" for reason, count in counts.items()]
    structlog.get_logger(__name__).log(level, "web.strangers", times=sum(counts.values()), counts=texts)


STRANGERS: Final = StrangerFilter(_log_counts)


def shorten_exception(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace a stack trace with the exception's type and the lines of code involved, without values.

    A full trace contains source code and, in chained exceptions, headers with credentials.
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


def escape_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape characters that could end a line or control a terminal, as strangers choose paths and names.

    Only strings at the top level are escaped. In nested values, JSON or ``repr`` escapes them.
    """
    return {_escape_value(key): _escape_value(value) for key, value in event.items()}


def _escape_value(value: Any) -> Any:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in value
    )


def describe_errors(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace each error in an event's values: with its text if Usher wrote it, or else with its type."""
    for key, value in event.items():
        if isinstance(value, BaseException):
            event[key] = str(value) if isinstance(value, _OUR_WORDS) else type(value).__name__
    return event


#: Number of bytes that a writable pipe accepts in one write without blocking (PIPE_BUF).
_PIECE_BYTES: Final = 4_096


class UnwaitingHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a stream without blocking. Lines that the stream doesn't accept are counted as lost.

    The program that reads the log may hang, but answers and background work must not wait for it. Once the
    stream accepts lines again, the number of lost lines is written.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__(stream)
        self.lost = 0
        #: The part of a line that hasn't been written yet.
        self._rest = b""
        self._terminal = _open_terminal(stream)

    def close(self) -> None:
        """Close the terminal's second file descriptor, if there is one."""
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it as lost."""
        try:
            descriptor = self.stream.fileno() if self._terminal is None else self._terminal
        except (AttributeError, OSError, ValueError):
            # Writing doesn't block, because the stream has no file descriptor, as in tests.
            super().emit(record)
            return
        try:
            if not self._write(descriptor, self._rest) or not self._write_lost(descriptor):
                self.lost += 1
                return
            line = f"{self.format(record)}{self.terminator}"
            self._write(descriptor, line.encode(errors="backslashreplace"))
        except OSError:
            self.lost, self._rest = self.lost + 1, b""
        except Exception:  # noqa: BLE001 - the library's handlers would write the arguments unredacted
            self.lost += 1

    def _write_lost(self, descriptor: int) -> bool:
        """Write the number of lost lines, if any. Return whether the stream can accept more."""
        if not _takes_something(descriptor):
            return False
        if self.lost:
            lost, self.lost = self.lost, 0
            said = logging.LogRecord(__name__, logging.WARNING, "", 0, "log lines lost: %s", (lost,), None)
            text = f"{self.format(said)}{self.terminator}"
            return self._write(descriptor, text.encode(errors="backslashreplace"))
        return True

    def _write(self, descriptor: int, line: bytes) -> bool:
        """Write as much of a line as the stream accepts, and keep the rest.

        Return whether nothing is left.
        """
        self._rest = line
        with suppress(BlockingIOError):
            while self._rest and _takes_something(descriptor):
                self._rest = self._rest[os.write(descriptor, self._rest[:_PIECE_BYTES]) :]
        return not self._rest


def _open_terminal(stream: TextIO | None) -> int | None:
    """Open a second file descriptor of a terminal on which writes don't block.

    Return None if it isn't a terminal.

    The original descriptor may block even if it is ready for writing, because the terminal writes a line end
    as two bytes.
    """
    try:
        name = os.ttyname(stream.fileno()) if stream is not None else ""
        return os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except (AttributeError, OSError, ValueError):
        return None


def _takes_something(descriptor: int) -> bool:
    waiting = poll()
    waiting.register(descriptor, POLLOUT)
    return bool(waiting.poll(0))


def configure(level: str, redactor: Redactor) -> None:
    """Process the logs of structlog and the standard library alike, and write both to standard error."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        shorten_exception,
        describe_errors,
        redactor,
    ]
    written: list[structlog.types.Processor] = (
        [escape_event, structlog.dev.ConsoleRenderer(colors=False)]
        if sys.stderr.isatty()
        else [structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        # The level filter comes first, so that nothing is done for events below the level.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = UnwaitingHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    handler.addFilter(STRANGERS)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # By default, Python writes warnings directly to standard error. This would block if the program that
    # reads it is slow.
    logging.captureWarnings(True)
    # At lower levels, these libraries log request bodies, headers, or one line per tick.
    for noisy in ("slack_bolt", "slack_sdk", "aiohttp.access", "apscheduler", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # APScheduler warns when it skips a tick because the previous one is still running. Our own code already
    # reports that.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    # Our jobs log their own failures, so the executor could only report jobs that a shutdown cancels.
    logging.getLogger("apscheduler.executors").setLevel(logging.CRITICAL)


def write_to(path: Path) -> None:
    """From now on, write the log to a file. Standard error gets only warnings and errors."""
    root = logging.getLogger()
    (shown,) = root.handlers
    shown.setLevel(logging.WARNING)
    written = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    written.setFormatter(shown.formatter)
    written.addFilter(STRANGERS)
    root.addHandler(written)
