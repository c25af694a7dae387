"""Tests of the request function with real servers: one request, one answer, within limits."""

import asyncio
import gzip
import socket
import zlib

import pytest

from bot.support.errors import BadAnswer, InvalidRequest, UnknownOutcome, Unreachable
from tests.support.http_rig import HEADERS, http, raw_server, whole


async def forever(*_: object) -> None:
    await asyncio.Event().wait()


async def test_an_answer_comes_whole_whatever_its_status():
    async with raw_server(whole(b'{"message": "no"}', "418 Teapot")) as server, http() as client:
        answer = await client.request("GET", f"{server.url}/x?a=%2F", query={"next_key": "ä b"})
        assert answer.status == 418
        assert answer.json_object() == {"message": "no"}
        assert server.requests[0].startswith(b"GET /x?a=%2F&next_key=%C3%A4+b HTTP/1.1\r\n")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 Other", "307 Again", "308 For ever"])
async def test_a_redirect_is_never_followed(status):
    async with raw_server(whole()) as other, http() as client:
        moved = whole(b"", status, f"Location: {other.url}/elsewhere")
        async with raw_server(moved) as server:
            answer = await client.request("POST", f"{server.url}/x", headers=HEADERS, json_body={"a": 1})
            assert answer.status == int(status[:3])
            assert (len(server.requests), other.connections) == (1, 0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "POST"])
async def test_nothing_is_sent_twice_when_the_server_hangs_up(method):
    async with raw_server(whole(), b"") as server, http() as client:
        await client.request("GET", server.url)
        with pytest.raises(UnknownOutcome):  # on the connection that was kept
            await client.request(method, server.url)
        assert (len(server.requests), server.connections) == (2, 1)
        with pytest.raises(UnknownOutcome):  # on a new one
            await client.request(method, server.url)
        assert (len(server.requests), server.connections) == (3, 2)


async def test_a_broken_off_body_is_an_unknown_outcome():
    async def half(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(whole(b'{"status": "running"}')[:-5])
        await writer.drain()
        writer.transport.abort()

    async with raw_server(half) as server, http() as client:
        with pytest.raises(UnknownOutcome) as caught:
            await client.request("POST", server.url)
        assert caught.value.status == 200


async def test_a_server_that_takes_the_request_and_is_silent_is_an_unknown_outcome():
    async with raw_server(forever) as server, http() as client:
        with pytest.raises(UnknownOutcome):
            await client.request("POST", server.url, total=0.1)
        assert len(server.requests) == 1


async def test_a_drip_of_bytes_ends_with_the_total_time():
    async def drip(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with raw_server(drip) as server, http() as client:
        with pytest.raises(UnknownOutcome):
            await client.request("GET", server.url, total=0.3)


async def test_nobody_listening_means_that_nothing_was_sent():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with http() as client:
            with pytest.raises(Unreachable):
                await client.request("POST", f"http://127.0.0.1:{bound.getsockname()[1]}")


@pytest.mark.parametrize("size", [1001, 5_000_000])
async def test_a_body_over_the_cap_is_refused(size):
    async with raw_server(whole(b"x" * size)) as server, http() as client:
        with pytest.raises(BadAnswer, match="too large"):
            await client.request("GET", server.url, max_bytes=1000)


async def test_a_body_at_the_cap_is_taken():
    async with raw_server(whole(b"x" * 1000)) as server, http() as client:
        assert len((await client.request("GET", server.url, max_bytes=1000)).body) == 1000


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_the_cap_counts_unpacked_bytes(encoding):
    zeros = bytes(50_000_000)
    packed = gzip.compress(zeros, 1) if encoding == "gzip" else zlib.compress(zeros, 1)
    del zeros
    bomb = whole(packed, "200 OK", f"Content-Encoding: {encoding}")
    async with raw_server(bomb) as server, http() as client:
        with pytest.raises(BadAnswer, match="too large"):
            await client.request("GET", server.url)


async def test_a_call_without_a_body_names_no_type_of_one():
    async with raw_server(whole()) as server, http() as client:
        await client.request("POST", server.url)
        await client.request("POST", server.url, json_body={})
        await client.request("POST", server.url, form={"a": "b"})
        plain, as_json, as_form = (request.lower() for request in server.requests[:3])
        assert b"content-type" not in plain
        assert b"content-length: 0" in plain
        assert b"content-type: application/json" in as_json
        assert b"content-type: application/x-www-form-urlencoded" in as_form


async def test_no_cookie_comes_back():
    async with (
        raw_server(whole(b"{}", "200 OK", "Set-Cookie: session=1; Path=/")) as server,
        http() as client,
    ):
        await client.request("GET", server.url)
        await client.request("GET", server.url)
        assert not any(b"cookie" in request.lower() for request in server.requests)


async def test_a_header_that_would_add_a_line_is_not_sent():
    async with raw_server(whole()) as server, http() as client:
        with pytest.raises(InvalidRequest):
            await client.request("GET", server.url, headers={"Authorization": "token a\r\nX-Evil: 1"})
        assert server.requests == []


async def test_a_cancelled_request_gives_its_place_back():
    async with raw_server(forever, whole(b'{"a": 1}')) as server, http(limit=1) as client:
        first = asyncio.ensure_future(client.request("GET", server.url))
        await server.arrived.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await client.request("GET", server.url)).json() == {"a": 1}
        assert (len(server.requests), server.connections) == (2, 2)
