"""Tests that unsigned requests and open connections don't affect other people."""

import asyncio
import json
import logging
import re
import resource
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from tempfile import TemporaryFile
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from aiohttp import web

from bot.slack.manifest import SLACK_PATH
from bot.support.clock import SystemClock
from bot.support.logs import StrangerFilter, mark_as_known, mark_as_stranger
from bot.web.app import listening
from bot.web.connections import SPARE_FILES, ConnectionLimiter, ServerConnection
from tests.project.repository import ROOT
from tests.rigs.clock import FakeClock
from tests.rigs.thorough import draw
from tests.web.rig import ALICE, rig
from tests.web.signed import command, form, headers_for

FILES, HALF_OPEN = 1024, 1150


def connected(port, sent=b""):
    """Open a connection, send something, and leave it open."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=10)
    opened.sendall(sent)
    return opened


@contextmanager
def server(files):
    """Run one of Usher's servers in a process that may open ``files`` files; yield process and port."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    command = [sys.executable, "-m", "tests.security.half_open", str(files)]
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        log = stack.enter_context(TemporaryFile())
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        process = stack.enter_context(subprocess.Popen(command, cwd=ROOT, **pipes))
        stack.callback(process.stdin.close)
        process.log = log
        yield process, int(process.stdout.readline())


def lines_of(process):
    """End a server, and return the lines that it has logged."""
    process.stdin.close()
    process.wait()
    process.log.seek(0)
    return [json.loads(line) for line in process.log]


def counted(lines, reason):
    """Return how often a reason was counted, from the log's summary lines."""
    said = [
        text.rpartition(": ") for line in lines if line["event"] == "web.strangers" for text in line["counts"]
    ]
    return sum(int(count) for one, _, count in said if one == reason)


def test_half_open_connections_keep_nobody_out():
    with server(FILES) as (process, port), ExitStack() as stack:
        began = time.monotonic()
        for _ in range(HALF_OPEN):
            stack.enter_context(connected(port, b"GET / HTTP/1.1\r\nHost: x\r\n"))
        for _ in range(20):
            with urlopen(f"http://127.0.0.1:{port}/", timeout=3) as answer:
                assert answer.read() == b"here"
        lines = lines_of(process)
        seconds = time.monotonic() - began
    assert counted(lines, "web.connection_closed crowded") >= HALF_OPEN - (FILES - SPARE_FILES) - 1
    # One log line for each of these requests and refused connections would add up to 479 kB a second.
    assert len(lines) <= 2 * (1.0 + seconds)


def resident(process, name):
    """Return one of a process's memory sizes from the kernel, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(re.search(rf"{name}:\s+([0-9]+) kB", status)[1])


def answered(port, text, filling=b""):
    """Return the answer to a signed command. Slack waits 3 s for it."""
    raw = form(command(text)) + filling
    headers = headers_for(SystemClock(), raw)
    with urlopen(Request(f"http://127.0.0.1:{port}{SLACK_PATH}", raw, headers), timeout=3) as answer:
        return answer.read().decode()


#: Ways to begin a request that is never finished.
ANNOUNCED = {
    "length": lambda size: (b"Content-Length: %d\r\n\r\n" % size, b"x" * (size - 1)),
    "chunked": lambda size: (b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % size, b"x" * (size - 1)),
    # Here there is no body, but headers that don't end.
    "headers": lambda size: (b"", (b"X: " + b"x" * 1000 + b"\r\n") * min(size // 1000, 100)),
}


@pytest.mark.parametrize("how", draw(ANNOUNCED, 1), ids=str)
def test_unfinished_requests_take_bounded_memory(how):
    """Unfinished requests: 400 of 1 MB, and 2,000 of 1 kB.

    Their signature has the right format, but can't be checked yet.
    """

    async def open_all(port):
        async def open_one(size):
            head, rest = ANNOUNCED[how](size)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            held.append(writer)
            writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\n" + shape + head + rest)
            with suppress(ConnectionError):
                await writer.drain()

        async def open_some(sizes):
            for size in sizes:
                await open_one(size)

        held, sizes = [], iter([1024] * 2000 + [1024 * 1024] * 400)
        await asyncio.gather(*(open_some(sizes) for _ in range(50)))
        # Send signed commands once the unfinished requests are open, and before they time out.
        texts = [
            await asyncio.to_thread(answered, port, "small"),
            await asyncio.to_thread(answered, port, "large", b"&filling=" + b"x" * 250_000),
        ]
        for writer in held:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in held), return_exceptions=True)
        return texts

    headers = headers_for(SystemClock(), b"", secret="another")
    shape = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    with server(4096) as (process, port):
        answered(port, "first")
        before = resident(process, "VmRSS")
        assert asyncio.run(open_all(port)) == ["small", "large"]
        assert resident(process, "VmHWM") - before <= 100_000_000
        assert [line for line in lines_of(process) if line["level"] == "error"] == []


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 10**10], ids=["a-byte", "gigabytes"])
def test_too_long_a_body_ends_its_connection_soon(size):
    with server(FILES) as (_, port):
        sent = f"POST {SLACK_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\nx"
        with connected(port, sent.encode()) as connection:
            connection.settimeout(5)
            answer = b"".join(iter(lambda: connection.recv(1000), b""))
    assert answer.startswith(b"HTTP/1.1 413")


def test_strangers_requests_are_one_line_a_second():
    paths = [f"{root}/made-up-{number}" for number in range(50) for root in ("/link", "/ide", "/hooks")]
    with server(FILES) as (process, port):
        began = time.monotonic()
        for path in paths:
            with suppress(HTTPError):
                urlopen(f"http://127.0.0.1:{port}{path}", timeout=3)
        assert answered(port, "list") == "list"
        lines = lines_of(process)
        seconds = time.monotonic() - began
    assert counted(lines, "404") == len(paths) - 1
    assert len(lines) <= 2 * (1.0 + seconds)


class ServingLimiter(ConnectionLimiter):
    """A limiter for the connections of a server, whose requests are answered once ``served`` is set."""

    port = 0

    def __init__(self, limit, **options):
        super().__init__(limit, **options)
        self.served, self.serving = asyncio.Event(), asyncio.Semaphore(0)


@pytest.fixture
async def limiter():
    limiter = ServingLimiter(3, header_seconds=0.05)

    async def serve(_request):
        limiter.serving.release()
        await limiter.served.wait()
        return web.Response(text="here")

    app = web.Application(middlewares=[limiter.middleware()])
    app.router.add_get("/", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: ServerConnection(limiter, runner.server, loop=loop), "127.0.0.1", 0
    )
    limiter.port = server.sockets[0].getsockname()[1]
    yield limiter
    limiter.served.set()
    server.close()
    await runner.cleanup()


async def ended(connection):
    """Read a connection to its end, without blocking the server."""
    with connection:
        return await asyncio.to_thread(connection.recv, 1000)


async def test_who_sends_no_headers_is_let_go(limiter):
    assert await ended(await asyncio.to_thread(connected, limiter.port, b"GET / HTTP/1.1\r\n")) == b""
    assert len(limiter) == 0


async def test_requests_being_served_have_no_deadline(limiter):
    """Two of three connections are being served.

    When a fourth comes, the third is closed and these two stay.
    """
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    served = [await asyncio.to_thread(connected, limiter.port, request) for _ in range(2)]
    for _ in range(2):
        await limiter.serving.acquire()
    third, fourth = [await asyncio.to_thread(connected, limiter.port) for _ in range(2)]
    assert await ended(third) == b""
    assert await ended(fourth) == b""
    limiter.served.set()
    for one in served:
        assert (await ended(one)).startswith(b"HTTP/1.1 200")


async def test_a_request_that_fails_outside_the_application_ends_its_connection():
    async def fail(_request):
        raise ZeroDivisionError

    app = web.Application()
    app.router.add_get("/", fail)
    async with listening(app, "127.0.0.1", 0) as port, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: usher.example\r\n\r\n")
        answer = (await reader.read()).decode()
        writer.close()
    assert answer.startswith("HTTP/1.1 500")
    assert "Connection: close" in answer


async def test_bytes_that_are_no_request_are_not_repeated():
    app = web.Application()
    async with listening(app, "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /canary HTTP/canary\r\n\r\n")
        answer = (await reader.read()).decode()
        writer.close()
    assert answer.startswith(("HTTP/1.0 400", "HTTP/1.1 400"))
    assert "Server: usher" in answer
    assert "X-Content-Type-Options: nosniff" in answer
    assert "canary" not in answer
    assert "aiohttp" not in answer


async def test_known_people_keep_their_lines(caplog):
    caplog.set_level(logging.INFO)
    counts, clock = Counter(), FakeClock()
    lines = StrangerFilter(lambda found, _: counts.update(found), clock.monotonic)
    async with rig() as made:
        browser = await made.browser()
        link = await made.accounts.invite(ALICE, "saturn")
        caplog.handler.addFilter(lines)
        for number in range(20):
            for path in ("/link/{}", "/ide/{}", "/hooks/{}", "/link"):
                await browser.get(path.format(number))
        await browser.get(link)
        caplog.handler.removeFilter(lines)
    written = [record.getMessage() for record in caplog.records if record.name == "bot.web.access"]
    assert written[0].startswith("GET /link/… 303 ")
    assert [line[:13] for line in written[1:]] == ["GET /link 200"]
    lines.write_counts()
    # The first line was written, so 19 are counted. The real link counts as well, as it is only recognised
    # once its page was shown.
    assert counts["303"] == 19 + 1
    assert counts.total() == 20 * 5 - 1 + 1


def record(reason, level=logging.INFO):
    return logging.makeLogRecord({"msg": {"event": "page", "rule": reason}, "levelno": level})


def test_what_strangers_cause_is_counted_in_the_log():
    written, clock = [], FakeClock()
    lines = StrangerFilter(lambda counts, level: written.append((counts, level)), clock.monotonic)

    def caused():
        mark_as_stranger()
        first = record("unknown")
        # Each of two handlers asks.
        assert lines.filter(first)
        assert lines.filter(first)
        for _ in range(1_000):
            assert not lines.filter(record("unknown"))
        assert not lines.filter(record("forged", logging.WARNING))
        assert lines.filter(record("broken", logging.ERROR))
        assert written == []
        clock.advance(1.0)
        assert not lines.filter(record("unknown"))
        assert written == [({"page unknown": 1_001, "page forged": 1}, logging.WARNING)]
        for number in range(100):
            assert not lines.filter(record(f"made up {number}"))
        lines.write_counts()
        assert len(written[1][0]) == 21
        mark_as_known()
        assert all(lines.filter(record("unknown")) for _ in range(10))

    copy_context().run(caused)
