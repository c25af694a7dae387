"""Tests that secrets are removed from logs by key, value and pattern, and no traceback is written."""

import ast
import asyncio
import io
import json
import logging
import os
import pty
import sys
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import structlog

from bot.support.clock import SystemClock, Ticker
from bot.support.errors import ServerFailed, SlackPermanent, StoreUnavailable
from bot.support.logs import REMOVED, Redactor, UnwaitingHandler, configure, shorten_exception
from tests.project.repository import named, nodes, python_files


@contextmanager
def written(is_terminal=False):
    """Log to a terminal or elsewhere, and yield the stream."""
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal
    # Otherwise this process would think that it captures warnings already, though pytest has undone that.
    logging.captureWarnings(False)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "stderr", stream)
        configure("info", Redactor(["canary-known-value"]))
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def lines():
    with written() as stream:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        "xoxb-12-abc",
        "xapp-1-A-2",
        "Authorization: token 0123456789abcdef",
        "Bearer abcdefgh12345",
        "https://usher.example/link/AbCdEfGhIjKlMnOpQrStUv",
        "https://x.example/api?access_token=abcdef&x=1",
        "gAAAAABmabcdefghijklmnopqrstuvwxyz012345",
        "so canary-known-value it is",
    ],
)
def test_patterns_and_known_values(text):
    cleaned = Redactor(["canary-known-value"]).text(text)
    assert REMOVED in cleaned
    for secret in ("12-abc", "0123456789abcdef", "abcdefgh12345", "AbCdEf", "abcdef&", "canary"):
        assert secret not in cleaned


@pytest.mark.parametrize(
    "event",
    [
        {"event": "slack shut the app out", "problem": "token_revoked"},
        {"event": "notice given up", "problem": "invalid_auth", "notice": "notice_1", "kind": "ready"},
        {"event": "refused", "rule": "token.shape", "reference": "ABCD-EFGH", "principal": "T1/U1"},
        {"event": "hook.heard", "connection": "sphere", "events": 3, "error": "CredentialRefused"},
        {"event": "GET /link/check 200 12 bytes 0.001 s", "level": "info"},
        {"event": "a stored secret does not open", "connection": "saturn", "where": ["vault.py:3 open"]},
    ],
)
def test_what_operators_need_stays_readable(event):
    assert Redactor(["canary-known-value"])(None, "info", dict(event)) == event


def test_nothing_is_logged_under_a_key_that_is_never_shown():
    """The values of keys such as ``code`` are redacted as secrets, so the log wouldn't show them."""
    hidden = {
        f"{named(path)}:{node.lineno}": word.arg
        for path in python_files("bot", "handlers")
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"debug", "info", "warning", "error", "exception", "bind"}
        for word in node.keywords
        if word.arg and Redactor()(None, "", {word.arg: "x"}) != {word.arg: "x"}
    }
    assert hidden == {}


def test_keys_and_nesting():
    cleaned = Redactor().clean({"outer": [{"api_token": "short"}, {"name": "fine"}], "password": ""})
    assert cleaned == {"outer": [{"api_token": REMOVED}, {"name": "fine"}], "password": ""}


@pytest.mark.parametrize(
    "key",
    [
        "Authorization",
        "bot_token",
        "client_secret",
        "code",
        "cookie",
        "credential",
        "ide_url",
        "nonce",
        "password",
        "response_url",
    ],
)
def test_what_opens_something_is_logged_under_no_key(key):
    assert Redactor()(None, "", {key: "what it is"}) == {key: REMOVED}


def test_what_is_too_short_to_be_a_secret_stays():
    assert Redactor(["a-whole-secret", "tiny"]).text("a-whole-secret tiny") == f"{REMOVED} tiny"


def test_structlog_and_standard_library_go_the_same_way(lines):
    structlog.get_logger("a").info("event", slack_token="xoxb-1", note="canary-known-value")
    logging.getLogger("b").warning("plain %s", "Bearer abcdefgh12345")
    first, second = lines()
    assert first["slack_token"] == REMOVED
    assert first["note"] == REMOVED
    assert first["event"] == "event"
    assert second["event"] == f"plain {REMOVED}"


def test_an_exception_leaves_its_kind_and_places_only(lines):
    try:
        raise ValueError("canary-known-value in the message")
    except ValueError:
        structlog.get_logger("a").exception("it failed", reference="ABCD-EFGH")
    (line,) = lines()
    assert line["error"] == "ValueError"
    assert line["where"][-1].startswith("test_logs.py:")
    assert "Traceback" not in json.dumps(line)
    assert "canary" not in json.dumps(line)


def test_in_a_text_too_an_exception_leaves_one_line_without_its_values():
    with written(is_terminal=True) as stream:
        try:
            raise ValueError("hidden in the cause")
        except ValueError as cause:
            try:
                raise RuntimeError("hidden in the message") from cause
            except RuntimeError:
                structlog.get_logger("a").exception("it failed")
    (line,) = stream.getvalue().splitlines()
    assert "RuntimeError" in line
    assert "hidden" not in line


def test_an_exception_is_taken_from_what_was_caught():
    try:
        raise ValueError("hidden")
    except ValueError as error:
        for given in (True, error, (ValueError, error, error.__traceback__)):
            found = shorten_exception(None, "info", {"event": "x", "exc_info": given})
            assert found["error"] == "ValueError"


def test_without_an_exception_nothing_is_added():
    assert shorten_exception(None, "info", {"event": "x", "exc_info": None}) == {"event": "x"}


def test_nothing_that_strangers_write_ends_a_line_or_steers_a_terminal():
    forged = "/x\n2026-11-21T10:00:00Z [info] stopped\r\x1b[2J\x9b31m\u2028\u202eé"
    with written(is_terminal=True) as stream:
        logging.getLogger("bot.web.access").info("GET %s 404", forged)
        structlog.get_logger("a").info(forged, path=forged, nested={"deep": [forged]}, **{forged: 1})
    assert len(stream.getvalue().splitlines()) == 2
    assert all(line.isprintable() for line in stream.getvalue().splitlines())
    # The original text can still be recognised.
    assert (
        "/x\\n2026-11-21T10:00:00Z [info] stopped\\r\\x1b[2J\\x9b31m\\u2028\\u202eé 404" in stream.getvalue()
    )


def test_what_our_errors_say_is_logged_and_of_others_their_kind(lines):
    log = structlog.get_logger("a")
    full = StoreUnavailable("the disk is full (database or disk is full)")
    log.warning("step not written", problem=full)
    log.warning("people not read", problem=SlackPermanent("users.list", "invalid_auth"))
    log.warning("not done", problem=ServerFailed("canary of a provider"))
    log.warning("search failed", problem=ValueError("canary"))
    try:
        raise full
    except StoreUnavailable:
        log.exception("loop failed", loop="reads")
    assert [line["problem"] for line in lines()] == [
        str(full),
        "users.list: invalid_auth",
        "ServerFailed",
        "ValueError",
        str(full),
    ]
    assert lines()[-1]["error"] == "StoreUnavailable"


def test_no_event_has_only_the_kind_of_an_error():
    """An event has to take the error itself: its type alone would hide the cause that a StoreError names."""
    hidden = [
        f"{named(path)}:{node.lineno}"
        for path in python_files("bot", "handlers")
        for node in nodes(path)
        if isinstance(node, ast.keyword)
        and node.arg in {"problem", "error"}
        and ast.unparse(node.value).startswith("type(")
    ]
    assert hidden == []


async def test_ticks_that_are_left_out_while_one_is_held_up_fill_no_log(lines):
    """When the database is down, every job is held up, and each would log a line per second."""
    ticker, released, ticks = Ticker(SystemClock()), asyncio.Event(), asyncio.Queue()
    ticker.every(0.02, released.wait)
    ticker.every(0.02, lambda: ticks.put_nowait(1))
    ticker.start()
    for _ in range(5):
        await asyncio.wait_for(ticks.get(), 20)
    released.set()
    await ticker.stop()
    assert lines() == []


@pytest.fixture
def held_pipe():
    """A log through a pipe that nobody reads; returns the handler's log and the reader's end."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        handler = UnwaitingHandler(stream)
        logger = logging.getLogger("tests.held")
        logger.propagate = False
        logger.addHandler(handler)
        yield logger, handler, reading
        logger.removeHandler(handler)
        os.close(reading)


def read_all(descriptor):
    os.set_blocking(descriptor, False)
    pieces = []
    with suppress(BlockingIOError):
        while piece := os.read(descriptor, 65_536):
            pieces.append(piece)
    return b"".join(pieces).decode()


@pytest.mark.parametrize("size", [10, 1_000, 5_000, 100_000])
def test_log_that_nobody_reads_keeps_nobody_waiting(held_pipe, size):
    logger, handler, reading = held_pipe
    count = 200_000 // size + 20
    for number in range(count):
        logger.warning("%s %s", number, "x" * size)
    lost, written = handler.lost, ""
    assert lost > 0
    while not written.endswith("the end\n"):
        written += read_all(reading)
        logger.warning("the end")
    lines = written.splitlines()
    # The line that was begun is completed. Then comes the number of lost lines.
    whole = [line for line in lines if line.endswith("x" * size)]
    assert len(whole) == count - lost
    assert any(line.startswith("log lines lost: ") for line in lines)


@pytest.mark.parametrize("size", [1, 15, 203, 255, 5_000])
def test_terminal_that_nobody_reads_keeps_nobody_waiting(size):
    """The buffer is full within a line, or between the two bytes of a line ending."""
    reading, writing = pty.openpty()
    with os.fdopen(writing, "w") as stream:
        handler = UnwaitingHandler(stream)
        try:
            for _ in range(100_000 // size + 20):
                handler.emit(logging.makeLogRecord({"msg": "x" * size}))
            assert handler.lost > 0
            assert os.get_blocking(writing)
            written = ""
            while not written.endswith("the end\r\n"):
                written += read_all(reading)
                handler.emit(logging.makeLogRecord({"msg": "the end"}))
            assert "log lines lost: " in written
        finally:
            handler.close()
            os.close(reading)


def test_line_longer_than_a_pipe_arrives_whole(held_pipe):
    logger, handler, reading = held_pipe
    line = "y" * 200_000
    logger.warning(line)
    found = ""
    while not found.endswith("y\n") or len(found) < len(line):
        os.set_blocking(reading, False)
        with suppress(BlockingIOError):
            found += os.read(reading, 65_536).decode()
        handler._write(handler.stream.fileno(), handler._rest)
    assert found == f"{line}\n"


def test_log_without_a_reader_raises_nothing(held_pipe):
    logger, handler, reading = held_pipe
    with Path(os.devnull).open("rb") as other:
        os.dup2(other.fileno(), reading)
    logger.warning("nobody")
    assert handler.lost == 1


def test_line_that_cant_be_formatted_is_lost_without_its_arguments(held_pipe, capfd):
    _logger, handler, reading = held_pipe
    for record in ({"msg": "%d", "args": ("its-arguments",)}, {"msg": "after"}):
        handler.emit(logging.makeLogRecord(record))
    assert read_all(reading) == "log lines lost: 1\nafter\n"
    assert "its-arguments" not in capfd.readouterr().err


def test_warning_of_python_goes_through_the_log(lines):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("never awaited: canary-known-value", RuntimeWarning, stacklevel=1)
    (line,) = lines()
    assert (line["level"], "never awaited" in line["event"]) == ("warning", True)
    assert "canary" not in line["event"]
