"""A local Coder for the conformance kit. Requests and responses are checked against Coder's API."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from usher_coder import Coder
from usher_coder.local import SEED, LocalCoder

from playground.harness import Clock
from usher.conformance.rigs import FacetValues, FrozenClock, Http, Rig, build_provider
from usher.provider import Access, Credential, Provider

DOCUMENT = json.loads(Path(__file__).with_name("coder_api.json").read_text(encoding="utf-8"))
TOKENS = {one["name"]: one["token"] for one in SEED["users"]}
#: The path of the agent in an answer, and the requests that read a workspace.
AGENT = "/latest_build/resources/1/agents/0"
READ = "GET /api/v2/workspaces/[0-9a-f-]{36}$"
SHARED: list[dict[str, Any]] = [
    {**SEED["workspaces"][2], "users": ["alice"]},
    {"owner": "bob", "name": "everyones", "template": "plain", "groups": ["everyone"]},
    {"owner": "bob", "name": "teams", "template": "plain", "groups": ["team"]},
    {"owner": "bob", "name": "others", "template": "plain", "groups": ["strangers"]},
    {"owner": "bob", "name": "roots", "template": "plain", "users": ["root"]},
]
CHECKS = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "uuid": lambda value: isinstance(value, str) and bool(UUID(value)),
    "date-time": lambda value: isinstance(value, str) and datetime.fromisoformat(value) is not None,
    "any": lambda _: True,
}


def wrong_with(value: Any, kind: Any, where: str = "$") -> Iterator[str]:
    """Describe each place where a value deviates from the API document."""
    if isinstance(kind, list):
        if not isinstance(value, list):
            yield f"{where} is no list"
            return
        for place, one in enumerate(value):
            yield from wrong_with(one, kind[0], f"{where}[{place}]")
    elif isinstance(kind, dict):
        if value not in kind["enum"]:
            yield f"{where}: {value!r} is none of its words"
    elif kind in CHECKS:
        try:
            is_right = CHECKS[kind](value)
        except ValueError:
            is_right = False
        if not is_right:
            yield f"{where}: {value!r} is no {kind}"
    elif not isinstance(value, dict):
        yield f"{where} is no {kind}"
    else:
        told = DOCUMENT["types"][kind]
        yield from (f"{where}.{name} is missing" for name in told.get("required", ()) if name not in value)
        for name, one in value.items():
            if name not in told["fields"]:
                yield f"{where}.{name} isn't documented"
            else:
                yield from wrong_with(one, told["fields"][name], f"{where}.{name}")


class Held:
    """Checks requests and responses against the API document, and records the operations used."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.used: set[str] = set()

    @web.middleware
    async def check(self, request: web.Request, handler: Any) -> web.StreamResponse:
        sent = await request.read()
        response = await handler(request)
        if request.path.startswith("/api/v2/") and response.status < 300:
            self.hold(request, sent, json.loads(response.body))
        return response

    def hold(self, request: web.Request, sent: bytes, answer: Any) -> None:
        name, operation = self._operation(request.method, request.path.removeprefix("/api/v2"))
        self.used.add(name)
        found = [
            f"query {key} isn't documented" for key in set(request.query) - set(operation.get("query", ()))
        ]
        if "body" in operation:
            found += wrong_with(json.loads(sent), operation["body"])
        found += wrong_with(answer, operation["answer"])
        self.problems += [f"{name}: {one}" for one in found]

    @staticmethod
    def _operation(method: str, path: str) -> tuple[str, Mapping[str, Any]]:
        for name, operation in DOCUMENT["operations"].items():
            documented, _, template = name.partition(" ")
            if documented == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
                return name, operation
        raise AssertionError(f"there is no operation {method} {path}")


HELD = Held()


def shared_seed(**more: Any) -> dict[str, Any]:
    own = [one for one in SEED["workspaces"] if one["owner"] != "bob"]
    return {**SEED, "workspaces": [*own, *SHARED], **more}


def access_of(name: str) -> Access:
    return Access(name, Credential(SecretStr(TOKENS[name])))


@asynccontextmanager
async def coder_rig(
    client: type[Http] = Http,
    kind: type[Provider] = Coder,
    seed: Mapping[str, Any] = SEED,
    **settings: Any,
) -> AsyncIterator[Rig]:
    clock, window = Clock(lambda: 1_700_000_000.0), FrozenClock()
    server = LocalCoder(clock, seed)
    server.app.middlewares.append(HELD.check)
    async with TestServer(server.app, host="127.0.0.1") as listening, Http.new_session() as session:
        ids = {one.name: one.id for one in server.workspaces.values()}
        http = client(session, window.monotonic)
        builds = f"POST /api/v2/workspaces/{ids['training']}/builds$"
        yield Rig(
            provider=build_provider(kind, http, str(listening.make_url("")), **settings),
            access=access_of("alice"),
            harness=server.harness,
            clock=window,
            server_clock=clock,
            server=server,
            remote_id=ids["training"],
            broken_id=ids["broken"],
            foreign_id=ids["secret"],
            missing_id="00000000-0000-0000-0000-000000000000",
            names={"training", "broken"},
            request_patterns={
                "start": builds,
                "stop": builds,
                "status": f"GET /api/v2/workspaces/{ids['training']}$",
            },
            can_stop_starting=False,
            state_pointer="/latest_build/status",
            id_pointer="/id",
            list_pointer="/workspaces",
            entry_state_pointer="/latest_build/status",
            entry_id_pointer="/id",
            entry_name_pointer="/name",
            endless_list_patch=[{"op": "replace", "path": "/count", "value": 1000}],
            list_requests="GET /api/v2/workspaces$",
            create_requests="POST /api/v2/users/me/workspaces$",
            admin=access_of("root"),
            facet_values=FacetValues(
                form_values={"workspace": {"name": "made"}}, expected_reason=lambda _: ""
            ),
        )
    assert HELD.problems == []
