"""The contract tests' rig for a local Workbench. The workspace to start is a suspended session."""

from contextlib import asynccontextmanager
from typing import Any

from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.domain.workspaces import State
from bot.providers.base import Access, Credential
from bot.support.errors import Forbidden
from bot.support.http import Http
from playground import posit
from playground.harness import Clock
from tests.contract.providers.rigs import FacetValues, Rig, provider_of
from tests.rigs.clock import FakeClock

ODD_NAME = 'Ana\'s "quick" 🚀 <!channel>'
SEED = {
    "users": [
        {"name": "alice", "token": "a11ce-token-of-alice"},
        {"name": "bob", "token": "b0b-token-of-bob"},
        {"name": "dora", "active": False},
        {"name": "admin", "super_admin": True},
    ],
    "tokens": [
        {"name": "super", "kind": "super-admin", "user": "admin", "token": "super-admin-token"},
        {"name": "reader", "kind": "admin", "user": "admin", "access": "read", "token": "reading-token"},
    ],
    "sessions": [
        {"owner": "alice", "name": "training", "state": "suspended"},
        {"owner": "alice", "name": "broken", "state": "suspended"},
        {"owner": "alice", "name": "lab", "workbench": "JupyterLab"},
        {"owner": "alice", "name": ODD_NAME + "\u202e"},
        {"owner": "bob", "name": "secret"},
    ],
}


@asynccontextmanager
async def posit_rig(seed: Any = None, client: type[Http] = Http, **settings: Any):
    clock, window = Clock(lambda: 1_700_000_000.0), FakeClock()
    server = posit.build(clock=clock, seed=seed or SEED)
    server.state.settings.change({"starting_seconds": 20.0})
    async with TestServer(server.app, host="127.0.0.1") as listening, Http.new_session() as session:
        users = server.credentials["users"]
        sessions = users["alice"]["sessions"]
        told = {"super_admin_token": "super-admin-token", **settings}
        provider = provider_of(
            "posit", client(session, window.monotonic), str(listening.make_url("")), **told
        )
        yield Rig(
            provider=provider,
            access=Access("", Credential(SecretStr(users["alice"]["token"]))),
            harness=server.harness,
            remote_id=sessions["training"],
            broken_id=sessions["broken"],
            foreign_id=users["bob"]["sessions"]["secret"],
            missing_id="00000000",
            names={"training", "broken", "lab", ODD_NAME},
            clock=window,
            server_clock=clock,
            server=server,
            other_ids=sessions,
            initial_state=State.SUSPENDED,
            stopped_states=frozenset({State.GONE}),
            request_patterns={"start": "resume_session", "stop": "stop_session"},
            request_counts={"start": 2},  # how a session was launched is nowhere but there
            # Workbench also answers 401 if a permission is missing; the provider then checks that the token
            # is good.
            expected_errors={(one, 401): Forbidden for one in ("discover", "status", "start", "stop")},
            has_token_page=False,
            state_pointer="/result/sessions/0/activity_state",
            list_pointer="/result/sessions",
            entry_id_pointer="/id",
            entry_name_pointer="/name",
            entry_state_pointer="/activity_state",
            list_requests="get_session",
            create_requests="launch_session",
            facet_values=FacetValues(
                form_values={"workspace": {"name": "made"}, "job": {"command": "print-lines lines=3 rate=1"}},
                username=lambda: "alice",
            ),
            break_next_start=lambda: server.state.settings.change({"fail_sessions": 1}),
        )
