"""Provides the conformance kit with a rig: its interface to the local Lagoon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from usher_lagoon import Lagoon
from usher_lagoon_local import SEED, LocalLagoon

from playground.harness import Clock
from usher.conformance.rigs import FrozenClock, Http, Rig, build_provider
from usher.provider import Access, Credential


@pytest.fixture
def open_rig():
    """Return a function that opens the local server together with a provider that uses it."""

    @asynccontextmanager
    async def opened(client: type[Http]) -> AsyncIterator[Rig]:
        server, window = LocalLagoon(clock=Clock(lambda: 1_700_000_000.0)), FrozenClock()
        async with TestServer(server.app, host="127.0.0.1") as listening, Http.new_session() as session:
            http = client(session, window.monotonic)
            yield Rig(
                provider=build_provider(Lagoon, http, str(listening.make_url(""))),
                access=Access("alice", Credential(SecretStr(SEED["tokens"]["alice"]))),
                harness=server.harness,
                clock=window,
                server_clock=server.clock,
                remote_id="training",
                broken_id="broken",
                foreign_id="secret",
                missing_id="nothing",
                names={"training", "broken"},
                state_pointer="/state",
                id_pointer="/id",
                url_pointer="/url",
                list_pointer="/workspaces",
                entry_state_pointer="/state",
                entry_id_pointer="/id",
                entry_name_pointer="/name",
                list_requests="GET /api/workspaces$",
            )

    return opened
