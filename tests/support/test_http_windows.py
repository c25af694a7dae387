"""Tests of the time window for sending, of checking a stream, and of what errors mustn't contain."""

import asyncio
import socket
import traceback
from contextlib import nullcontext

import pytest

from bot.support.errors import ProviderError, SentTooLate, UnknownOutcome
from bot.support.windows import Window, limit_departures
from tests.rigs.clock import FakeClock
from tests.support.http_rig import CANARY, HEADERS, chain, http, raw_server, whole

EVENTS = b'data: {"progress": 10}\n\n'


async def test_inside_the_window_the_request_goes():
    clock = FakeClock()
    async with raw_server(whole()) as server, http(clock.monotonic) as client:
        await client.request("GET", server.url, send_until=clock.monotonic())
        assert len(server.requests) == 1


@pytest.mark.parametrize("reused", [False, True])
async def test_after_the_window_no_byte_goes(reused):
    clock = FakeClock()
    async with raw_server(whole()) as server, http(clock.monotonic) as client:
        if reused:
            await client.request("GET", server.url)
        until = clock.monotonic() + 0.5
        clock.advance(0.501)
        with pytest.raises(SentTooLate):
            await client.request("GET", server.url, send_until=until)
        # The server would have read anything sent before the request that it answered.
        await client.request("GET", f"{server.url}/after")
        heads = [request.split(b"\r\n")[0] for request in server.requests]
        assert heads == [b"GET / HTTP/1.1"] * reused + [b"GET /after HTTP/1.1"]


async def test_no_request_of_a_call_leaves_after_the_end_of_the_call_or_of_its_own_window():
    clock = FakeClock()
    now = clock.monotonic()
    async with raw_server(whole()) as server, http(clock.monotonic) as client:
        for end, own, leaves in [
            (1.0, None, True),
            (-1.0, None, False),
            (1.0, -1.0, False),
            (-1.0, 1.0, False),
        ]:
            with limit_departures(Window(now + end)), nullcontext() if leaves else pytest.raises(SentTooLate):
                await client.request("GET", server.url, send_until=own and now + own)
        assert len(server.requests) == 1
        # Another condition is checked right before sending, even if the request has its own time window.
        for own in (None, now + 1.0):
            with limit_departures(Window(may_leave=lambda: False)), pytest.raises(SentTooLate):
                await client.request("GET", server.url, send_until=own)
        assert (len(server.requests), server.connections) == (1, 1)


async def test_a_window_that_closes_while_waiting_for_a_connection_stops_the_request():
    clock = FakeClock()
    go = asyncio.Event()

    async def when_told(writer: asyncio.StreamWriter, _number: int) -> None:
        await go.wait()
        writer.write(whole())

    async with raw_server(when_told) as server, http(clock.monotonic, limit=1) as client:
        first = asyncio.ensure_future(client.request("GET", server.url))
        await server.arrived.wait()
        second = asyncio.ensure_future(client.request("GET", server.url, send_until=clock.monotonic() + 0.5))
        await asyncio.sleep(0)
        clock.advance(0.6)
        go.set()
        await first
        with pytest.raises(SentTooLate):
            await second
        assert len(server.requests) == 1


async def test_a_glance_takes_what_a_stream_says_and_closes_it():
    async def speaks(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n\n\n" + EVENTS)
        await asyncio.Event().wait()

    async with raw_server(speaks) as server, http(limit=1) as client:
        for _ in range(2):  # the one place is free again
            answer = await client.peek(server.url, seconds=30)
            assert (answer.status, answer.body.strip()) == (200, EVENTS.strip())


async def test_a_glance_at_a_silent_stream_ends():
    async def silent(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n\n\n")
        await asyncio.Event().wait()

    async with raw_server(silent) as server, http() as client:
        assert (await client.peek(server.url, seconds=0.1)).body.strip() == b""


async def test_a_glance_at_a_server_without_an_answer_is_an_unknown_outcome():
    async def nothing(*_: object) -> None:
        await asyncio.Event().wait()

    async with raw_server(nothing) as server, http() as client:
        with pytest.raises(UnknownOutcome):
            await client.peek(server.url, seconds=0.1)


async def test_a_glance_takes_no_more_than_its_cap():
    async def flood(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(EVENTS * 1000)
            await writer.drain()

    async with raw_server(flood) as server, http() as client:
        assert len((await client.peek(server.url, seconds=30, max_bytes=5000)).body) == 5000


async def test_a_glance_counts_what_came_before_a_stream_broke_off():
    async def breaks(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + EVENTS)
        await writer.drain()
        writer.close()

    async with raw_server(breaks) as server, http() as client:
        assert (await client.peek(server.url)).body == EVENTS


FAILURES = {
    "hangs up": b"",
    "no HTTP": b"\x00\xff<<<garbage>>>\r\n\r\n",
    "bad header": b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n{}",
    "header without end": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n{}",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "bad packing": whole(b"not packed", "200 OK", "Content-Encoding: gzip"),
    "too large": whole(b"x" * 3_000_000),
    "body missing": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
}


def nothing_secret_in(error: BaseException) -> None:
    assert chain(error) == [error]  # neither cause nor context leads back to aiohttp's error
    told = "".join([repr(error), str(error), repr(vars(error)), *traceback.format_exception(error)])
    assert CANARY not in told


@pytest.mark.parametrize("kind", sorted(FAILURES))
async def test_no_failure_carries_the_token(kind):
    async with raw_server(FAILURES[kind]) as server, http() as client:
        with pytest.raises(ProviderError) as caught:
            await client.request("GET", server.url, headers=HEADERS, total=0.2)
        nothing_secret_in(caught.value)


async def test_no_failure_to_connect_carries_the_token():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        addresses = (
            f"http://127.0.0.1:{bound.getsockname()[1]}",
            "http://nobody.invalid",
            "http://",
            "https://127.0.0.1:0",
        )
        async with http() as client:
            for address in addresses:
                with pytest.raises(ProviderError) as caught:
                    await client.request("GET", address, headers=HEADERS, total=5)
                nothing_secret_in(caught.value)


async def test_a_failure_inside_another_handler_keeps_only_that_context():
    async with raw_server(b"no HTTP\r\n\r\n") as server, http() as client:
        try:
            raise ValueError("of the caller")
        except ValueError:
            with pytest.raises(ProviderError) as caught:
                await client.request("GET", server.url, headers=HEADERS)
        assert all(CANARY not in repr(error) for error in chain(caught.value))
