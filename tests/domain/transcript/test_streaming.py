"""Tests of endless answers: limited in bytes, waited for patiently, and ended by the reader."""

import asyncio

import pytest

from bot.support.errors import BadAnswer, InvalidRequest, ProviderError, UnknownOutcome, Unreachable
from bot.support.http import open_stream
from tests.support.http_rig import CANARY, HEADERS, chain, http, raw_server, whole

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def in_chunks(*pieces: bytes, end: bytes = b"0\r\n\r\n"):
    async def answer(writer, _number):
        writer.write(HEAD)
        for piece in pieces:
            writer.write(chunk(piece))
            await writer.drain()
        writer.write(end)
        await writer.drain()
        writer.close()

    return answer


async def read(url: str, max_bytes: int = 10_000, got: bytearray | None = None, **options) -> bytes:
    collected = bytearray() if got is None else got
    async with http() as client:
        opened = open_stream(client, "POST", url, max_bytes=max_bytes, headers=HEADERS, **options)
        async with opened as stream:
            async for piece in stream:
                collected += piece
    return bytes(collected)


async def test_pieces_come_until_the_end():
    async with raw_server(in_chunks(b"one", b"two")) as server:
        assert await read(server.url, json_body={"a": 1}) == b"onetwo"
    (head,) = server.requests
    assert head.startswith(b"POST / HTTP/1.1")
    assert b"Accept-Encoding: identity" in head


async def test_a_piece_is_handed_out_before_the_next_one_comes():
    go_on = asyncio.Event()

    async def answer(writer, _number):
        writer.write(HEAD + chunk(b"one"))
        await go_on.wait()
        writer.write(chunk(b"two") + b"0\r\n\r\n")

    async with (
        raw_server(answer) as server,
        http() as client,
        open_stream(client, "GET", server.url, max_bytes=100) as stream,
    ):
        assert (stream.status, "Transfer-Encoding" in stream.headers) == (200, True)
        assert await anext(stream) == b"one"
        go_on.set()
        assert [piece async for piece in stream] == [b"two"]


@pytest.mark.parametrize("size", [99, 100])
async def test_what_is_within_the_cap_is_handed_out(size):
    async with raw_server(in_chunks(b"x" * size)) as server:
        got = bytearray()
        if size < 100:
            await read(server.url, 100, got)
        else:
            with pytest.raises(BadAnswer):
                await read(server.url, 100, got)
    assert len(got) == size


async def test_no_more_than_the_cap_is_taken():
    async with raw_server(in_chunks(*[b"x" * 60_000] * 100)) as server:
        got = bytearray()
        with pytest.raises(BadAnswer, match="too large"):
            await read(server.url, 100_000, got)
    assert len(got) == 100_000


@pytest.mark.parametrize(("end", "more"), [(b"", b""), (b"5\r\nab", b"ab")])
async def test_a_stream_that_breaks_off_is_an_unknown_outcome(end, more):
    async with raw_server(in_chunks(b"one", end=end)) as server:
        got = bytearray()
        with pytest.raises(UnknownOutcome) as caught:
            await read(server.url, got=got)
    assert bytes(got) == b"one" + more
    assert_clean(caught.value)


async def test_cancelling_closes_the_connection():
    is_closed, has_come = asyncio.Event(), asyncio.Event()

    async def answer(writer, _number):
        try:
            writer.write(HEAD)
            while True:
                writer.write(chunk(b"." * 10_000))
                await writer.drain()
        finally:
            is_closed.set()

    async def reader(url: str) -> None:
        async with http() as client, open_stream(client, "GET", url, max_bytes=10**9) as stream:
            await anext(stream)
            has_come.set()
            await asyncio.Event().wait()

    async with raw_server(answer) as server:
        task = asyncio.create_task(reader(server.url))
        await has_come.wait()
        assert not is_closed.is_set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(is_closed.wait(), 10)


async def test_a_redirect_is_an_answer_and_goes_nowhere():
    async with raw_server(whole()) as other:
        moved = whole(b"", "302 Found", f"Location: {other.url}/x")
        async with (
            raw_server(moved) as server,
            http() as client,
            open_stream(client, "GET", server.url, max_bytes=100, headers=HEADERS) as stream,
        ):
            assert stream.status == 302
        assert other.connections == 0


async def test_an_answer_may_be_taken_whole():
    async with raw_server(whole(b"x" * 500, "500 Oops")) as server, http() as client:
        async with open_stream(client, "GET", server.url, max_bytes=1000) as stream:
            response = await stream.read_all()
        assert (response.status, response.body) == (500, b"x" * 500)
        with pytest.raises(BadAnswer):
            async with open_stream(client, "GET", server.url, max_bytes=1000) as stream:
                await stream.read_all(100)


async def test_nobody_there_and_nothing_to_write():
    with pytest.raises(Unreachable) as caught:
        await read("http://127.0.0.1:9/")
    assert_clean(caught.value)
    with pytest.raises(InvalidRequest):
        async with http() as client, open_stream(client, "GET", "nowhere", max_bytes=1):
            pass


def assert_clean(error: BaseException) -> None:
    for one in chain(error):
        assert isinstance(one, (ProviderError, TimeoutError, asyncio.CancelledError))
        assert CANARY not in repr(one) + repr(vars(one))
