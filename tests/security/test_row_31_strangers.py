"""Row 31: whoever opens connections, or sends what isn't signed, costs others nothing."""

import asyncio
import json
import resource
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from urllib.request import urlopen

import pytest
from aiohttp import web

from bot.support.logs import Counted
from bot.web.app import listening
from bot.web.connections import SPARE_FILES, Connection, Door
from tests.project.repository import ROOT

FILES, HALF_OPEN = 1024, 1150


def connected(port, sent=b""):
    """Open a connection, send something, and leave it at that."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=10)
    opened.sendall(sent)
    return opened


def test_row_31_half_open_connections_keep_nobody_out():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    command = [sys.executable, "-m", "tests.security.half_open", str(FILES)]
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        server = stack.enter_context(subprocess.Popen(command, cwd=ROOT, **pipes))
        stack.callback(server.stdin.close)
        port, began = int(server.stdout.readline()), time.monotonic()
        for _ in range(HALF_OPEN):
            stack.enter_context(connected(port, b"GET / HTTP/1.1\r\nHost: x\r\n"))
        for _ in range(20):
            with urlopen(f"http://127.0.0.1:{port}/", timeout=3) as answer:
                assert answer.read() == b"here"
        server.stdin.close()
        written = server.stderr.readlines()
    lines = [json.loads(line) for line in written]
    closed = [line["times"] for line in lines if line["event"] == "web.connections_closed"]
    # A thousand lines of them, and of connections that could not be taken, were 479 kB a second.
    assert sum(closed) >= HALF_OPEN - (FILES - SPARE_FILES)
    seconds = 1.0 + time.monotonic() - began
    assert sum(len(line) for line in written if b"web.connections_closed" in line) < 1_000 * seconds
    assert len(lines) == len(closed) + 20


@pytest.fixture
async def door():
    door = Door(3, header_seconds=0.05)
    served, serving = asyncio.Event(), asyncio.Semaphore(0)

    async def serve(_request):
        serving.release()
        await served.wait()
        return web.Response(text="here")

    app = web.Application(middlewares=[door.middleware()])
    app.router.add_get("/", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(door, runner.server, loop=loop), "127.0.0.1", 0)
    door.port, door.served, door.serving = server.sockets[0].getsockname()[1], served, serving
    yield door
    served.set()
    server.close()
    await runner.cleanup()


async def ended(connection):
    """Read a connection to its end, without holding up the server."""
    with connection:
        return await asyncio.to_thread(connection.recv, 1000)


async def test_row_31_who_sends_no_headers_is_let_go(door):
    assert await ended(await asyncio.to_thread(connected, door.port, b"GET / HTTP/1.1\r\n")) == b""
    assert len(door) == 0


async def test_row_31_what_is_being_served_has_no_deadline_and_makes_no_room(door):
    """Of three connections two are served: the third goes when a fourth comes, the two stay."""
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    served = [await asyncio.to_thread(connected, door.port, request) for _ in range(2)]
    for _ in range(2):
        await door.serving.acquire()
    third, fourth = [await asyncio.to_thread(connected, door.port) for _ in range(2)]
    assert await ended(third) == b""
    assert await ended(fourth) == b""
    door.served.set()
    for one in served:
        assert (await ended(one)).startswith(b"HTTP/1.1 200")


async def test_row_31_what_is_no_request_gets_our_headers_and_no_word_back():
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


async def test_row_31_what_strangers_cause_is_counted_in_the_log():
    written, loop = [], asyncio.get_running_loop()
    timers = []
    counted = Counted(lambda reason, times: written.append((reason, times)))
    original, loop.call_later = loop.call_later, lambda _, *call: timers.append(call)
    try:
        for _ in range(1_000):
            counted.add("signature")
        counted.add("time")
        assert written == [("signature", 1), ("time", 1)]
        for callback, reason in timers[:]:
            callback(reason)
        assert written[2:] == [("signature", 999)]
        counted.add("time")
        assert written[3:] == [("time", 1)]
    finally:
        loop.call_later = original
