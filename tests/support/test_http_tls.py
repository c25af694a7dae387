"""Test that nothing is sent to a server whose certificate isn't trusted."""

import asyncio

import pytest

from bot.support.errors import Unreachable
from tests.support.certificates import own_certificate
from tests.support.http_rig import HEADERS, chain, http


async def test_an_untrusted_certificate_ends_the_call_before_the_token_leaves(tmp_path):
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=own_certificate(tmp_path))
    async with server, http() as client:
        address = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(Unreachable, match="certificate is not trusted: self-signed") as caught:
            await client.request("GET", address, headers=HEADERS)
    assert seen == []
    assert chain(caught.value) == [caught.value]


async def test_a_server_without_encryption_is_unreachable_by_https():
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, http() as client:
        with pytest.raises(Unreachable):
            await client.request("GET", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
