"""The faults that the harness injects, seen by a client of the local Slack."""

import aiohttp
import pytest

from tests.playground.slack_help import GENERAL, slack


class Caller:
    """Post a message and report what comes back."""

    def __init__(self, server, client, session) -> None:
        self._base, self._token, self._session = server.state.base_url, client.token, session

    async def fault(self, **told) -> int:
        async with self._session.post(f"{self._base}/_playground/faults", json=told) as response:
            return response.status

    async def post(self) -> tuple[int, bytes, dict[str, str]]:
        headers = {"Authorization": f"Bearer {self._token}"}
        told = {"channel": GENERAL, "text": "x"}
        url = f"{self._base}/api/chat.postMessage"
        async with self._session.post(url, json=told, headers=headers) as response:
            return response.status, await response.read(), dict(response.headers)


async def test_a_status_with_headers_and_a_body_strike_as_often_as_told():
    async with slack() as (server, client), aiohttp.ClientSession() as session:
        caller = Caller(server, client, session)
        await caller.fault(path="/api/chat", status=429, times=2, headers={"Retry-After": "7"})
        for _ in range(2):
            status, _, headers = await caller.post()
            assert (status, headers["Retry-After"]) == (429, "7")
        await caller.fault(path="/api/chat", body='{"ok": false, "error": "fatal_error"}')
        assert (await caller.post())[:2] == (200, b'{"ok": false, "error": "fatal_error"}')
        assert (await caller.post())[0] == 200
        assert len(server.state.messages[GENERAL]) == 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_dropped_connection_before_or_after_acceptance(after):
    async with slack() as (server, client), aiohttp.ClientSession() as session:
        caller = Caller(server, client, session)
        await caller.fault(path="/api/chat.postMessage", drop=True, after=after)
        with pytest.raises(aiohttp.ClientError):
            await caller.post()
        assert len(server.state.messages[GENERAL]) == (1 if after else 0)


async def test_garbage_and_truncated_answers():
    async with slack() as (server, client), aiohttp.ClientSession() as session:
        caller = Caller(server, client, session)
        await caller.fault(path="/api/", garbage=True)
        assert b"not json" in (await caller.post())[1]
        await caller.fault(path="/api/", truncate=5)
        with pytest.raises(aiohttp.ClientError):
            await caller.post()


async def test_faults_can_be_cleared_and_misspelt_ones_are_refused():
    async with slack() as (server, client), aiohttp.ClientSession() as session:
        caller = Caller(server, client, session)
        assert await caller.fault(path="/api/", statuss=500) == 400
        await caller.fault(path="/api/", status=500)
        await session.delete(f"{server.state.base_url}/_playground/faults")
        assert (await caller.post())[0] == 200


async def test_the_clock_can_be_moved_from_outside_but_not_back():
    async with slack() as (server, _client), aiohttp.ClientSession() as session:
        url, now = f"{server.state.base_url}/_playground/advance", server.harness.clock.now()
        async with session.post(url, json={"seconds": 90}) as response:
            assert (await response.json())["now"] == now + 90
        with pytest.raises(ValueError, match="forward only"):
            server.harness.clock.advance(-1)
