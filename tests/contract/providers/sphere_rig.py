"""The rig of the local Sphere Engine for the contract: one token opens everybody's workspaces."""

import json
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.test_utils import TestServer

from bot.providers.base import Access, Credential
from bot.support.errors import Conflict, NoCapacity
from bot.support.http import Http
from playground import sphere
from playground.harness import Clock
from playground.sphere import webhooks
from tests.contract.providers.rigs import FacetValues, Rig, provider_of
from tests.rigs.clock import FakeClock

TOKEN = "acc3ss-token-of-the-account"
PYTHON, BROKEN, SHAKY, ODD = "a" * 32, "b" * 32, "c" * 32, "d" * 32
TRAINING, FAILING, NOTES = "1" * 32, "2" * 32, "3" * 32
SECRET_OF_NOTES = "73543c2d-3476-46ee-a49c-227f59181961"
ODD_NAME = 'Ana\'s "quick" 🚀 <!channel>'
NOW = 1_700_000_000.0
SEED = {
    "access_token": TOKEN,
    "page_size": 2,
    "webhook_secret": "shh",
    "projects": [
        {"name": "Python", "id": PYTHON, "start_seconds": 25, "stop_seconds": 0},
        {"name": "Broken", "id": BROKEN, "fail": "image pull failed"},
        {
            "name": "Shaky",
            "id": SHAKY,
            "init_failed": True,
            "init_output": "installing",
            "init_error": "no such package",
        },
        {"name": ODD_NAME + "\u202e", "id": ODD},
    ],
    "workspaces": [
        {"project": "Python", "id": TRAINING, "state": "stopped", "retention_time_stopped": 60},
        {"project": "Broken", "id": FAILING, "state": "stopped", "retention_time_stopped": 60},
        {
            "project": "Python",
            "id": NOTES,
            "workspace_token": SECRET_OF_NOTES,
            "retention_time_stopped": 60,
        },
    ],
}


def _event() -> tuple[dict[str, str], bytes]:
    result = {"status": {"name": "ok"}}
    told = {"workspace": {"id": TRAINING}, "scenario": "Sums", "result": result}
    body = json.dumps([{"id": "e1", "type": "workspace.scenario.finished", "payload": told}]).encode()
    return {webhooks.SIGNATURE: webhooks.signature("shh", body)}, body


@asynccontextmanager
async def sphere_rig(seed: Any = None, client: type[Http] = Http, **settings: Any):
    clock, window = Clock(lambda: NOW), FakeClock(NOW)
    server = sphere.build(clock=clock, seed=seed or SEED)
    async with TestServer(server.app, host="127.0.0.1") as listening, Http.new_session() as session:
        told = {"access_token": TOKEN, "webhook_secret": "shh", **settings}
        provider = provider_of(
            "sphere", client(session, window.monotonic), str(listening.make_url("")), **told
        )
        yield Rig(
            provider=provider,
            access=Access("", Credential.for_connection("none")),
            harness=server.harness,
            remote_id=TRAINING,
            broken_id=FAILING,
            # The server knows no owners: only Usher's records say whose a workspace is.
            foreign_id="e" * 32,
            missing_id="f" * 32,
            names=set(),
            clock=window,
            server_clock=clock,
            server=server,
            token=TOKEN,
            can_stop_starting=False,
            # The single token may do everything, so a 403 means a quota, or a state that doesn't allow the
            # call.
            expected_errors={("start", 403): NoCapacity, ("stop", 403): Conflict},
            state_pointer="/state/code",
            id_pointer="/id",
            create_requests="POST /api/v1/workspaces$",
            facet_values=FacetValues(
                form_values={"workspace": {"template": PYTHON, "name": "made"}}, event=_event
            ),
        )
