"""A local server in the test's own process, on a clock that only tests move."""

from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer

from playground.harness import Clock

#: 2023-11-14 22:13:20 UTC
NOW = 1_700_000_000.0


class Client:
    """A client that knows only the server's documentation."""

    def __init__(self, server: Any, url: str, session: aiohttp.ClientSession) -> None:
        self.server, self.url, self.session = server, url, session


@asynccontextmanager
async def served(build, seed, client: type[Client]):
    """Serve what ``build`` makes from the seed, and yield a client for it."""
    server = build(clock=Clock(lambda: NOW), seed=seed)
    test_server = TestServer(server.app, host="127.0.0.1")
    await test_server.start_server()
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield client(server, str(test_server.make_url("")).rstrip("/"), session)
    finally:
        await test_server.close()


async def refuses_strangers(base: str, *paths: str) -> None:
    """Check that control addresses answer programs, but refuse other sites' pages and host names."""
    async with aiohttp.ClientSession() as session:
        for path in paths:
            verdicts = []
            for headers in ({}, {"Origin": "https://elsewhere.example"}, {"Host": "rebound.example"}):
                async with session.get(base + path, headers=headers) as answer:
                    verdicts.append((answer.status, (await answer.json()).get("error")))
            assert verdicts == [(200, None), (403, "foreign_origin"), (403, "foreign_host")], path
