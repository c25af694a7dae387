"""Connections in Socket Mode, and helpers that wait for them."""

import asyncio
import time
from contextlib import asynccontextmanager

from pydantic import SecretStr

from bot.domain.installations import Installation
from bot.web.socket import SocketSide
from tests.playground.slack_help import slack
from tests.web.bolts import bolt_with


async def until(condition, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the client of the SDK tells its state in no other way
            await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(listen=None, *, connections=1, ping_seconds=10.0, monotonic=time.monotonic, **options):
    async with slack(**options) as (server, client):
        told = server.credentials
        home = Installation(told["team_id"])
        app = bolt_with({} if listen is None else {"command": listen}, home, client.base_url)
        token = SecretStr(told["app_token"])
        tasks = asyncio.all_tasks()
        socket = SocketSide(
            app, token, client.base_url, monotonic, connections=connections, ping_seconds=ping_seconds
        )
        assert not socket.is_ready()
        socket.start()
        try:
            await until(lambda: socket.is_ready() and len(server.sockets.open) == connections)
            yield server, socket
        finally:
            await socket.close()
            assert not socket.is_ready()
        assert server.harness.violations == []
        assert {one for one in asyncio.all_tasks() - tasks if one.get_name() == "socket-mode"} == set()
