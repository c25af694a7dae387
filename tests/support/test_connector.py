"""Tests that a kept connection with unexpected data isn't used again, so nobody gets another's answer."""

import asyncio
import time

import aiohttp
import pytest

from bot.slack.web_api import WebApi
from bot.support.clock import SystemClock
from bot.support.connector import CleanConnector
from tests.support.http_rig import http, raw_server, whole

UNASKED = whole(b'{"whose": "nobody"}', "408 Request Timeout")


def of(person: bytes) -> bytes:
    return whole(b'{"whose": "%s"}' % person)


async def echo(writer: asyncio.StreamWriter, server, number: int, late: bytes) -> None:
    """Answer with the requested word. On the first connection only, more data follows."""
    asked = server.requests[number].split(b" ")[1].lstrip(b"/")
    writer.write(of(asked) + (b"" if number else late))


@pytest.fixture(params=["GET", "POST", "stream"])
def asking(request):
    async def ask(client, url):
        if request.param == "stream":
            async with client.stream("GET", url) as answer:
                return await answer.json(content_type=None)
        return (await client.request(request.param, url)).json()

    return ask


@pytest.mark.parametrize(
    ("late", "when"),
    [
        (UNASKED, "with the answer"),
        (UNASKED, "after it"),
        (UNASKED, "unread by the loop"),
        (b"\r\nsomething else", "after it"),
        (b"\r\nsomething else", "unread by the loop"),
    ],
)
async def test_nobody_gets_what_was_left_on_a_connection(asking, late, when):
    writers = []

    async def answer(writer, number):
        writers.append(writer)
        await echo(writer, server, number, late if when == "with the answer" else b"")

    async with raw_server(answer) as server, http() as client:
        assert await asking(client, f"{server.url}/alice") == {"whose": "alice"}
        if when != "with the answer":
            writers[0].write(late)
            if when == "after it":
                for _ in range(5):
                    await asyncio.sleep(0)
            else:
                # The data is in the socket, but the event loop hasn't had a turn to read it.
                time.sleep(0.005)  # noqa: ASYNC251 - nothing else may run
        for person in ("bob", "carol", "dave"):
            assert await asking(client, f"{server.url}/{person}") == {"whose": person}
        assert server.connections <= 2


async def test_a_408_that_crosses_a_request_costs_that_request_only(asking):
    go = asyncio.Event()

    async def answer(writer, number):
        if number == 0:
            writer.write(UNASKED)
            await writer.drain()
            await go.wait()
        await echo(writer, server, number, b"")

    async with raw_server(answer) as server, http() as client:
        assert await asking(client, f"{server.url}/alice") == {"whose": "nobody"}
        go.set()
        # Alice's answer is still coming, and mustn't be taken for Bob's.
        assert await asking(client, f"{server.url}/bob") == {"whose": "bob"}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_clean_connection_is_used_again(method):
    async with raw_server(of(b"x")) as server, http() as client:
        for _ in range(3):
            await client.request(method, server.url)
        assert server.connections == 1


async def test_slack_is_called_over_such_connections_too():
    writers = []

    async def answer(writer, number):
        writers.append(writer)
        writer.write(
            whole(b'{"ok": true, "number": %d}' % number, "200 OK", "Content-Type: application/json")
        )

    async with raw_server(answer) as server, aiohttp.ClientSession(connector=CleanConnector()) as session:
        api = WebApi("xoxb-1", f"{server.url}/api/", session, SystemClock())
        assert (await api.call("auth.test", {})).data["number"] == 0
        writers[0].write(whole(b'{"ok": true, "number": 99}', "200 OK", "Content-Type: application/json"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert (await api.call("users.info", {"user": "U1"})).data["number"] == 1
        assert (await api.call("users.info", {"user": "U2"})).data["number"] == 2
