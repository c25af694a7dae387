"""The conformance kit's rig: a local GitHub, checked against GitHub's OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from usher_codespaces import Codespaces
from usher_codespaces.local import SEED, LocalGitHub

from playground.harness import Clock
from usher.conformance.rigs import FacetValues, FrozenClock, Http, Rig, build_provider
from usher.provider import Access, Credential

DOCUMENT = json.loads(Path(__file__).with_name("github_api.json").read_text(encoding="utf-8"))
#: Responses that every operation may give to a request that lacks a token or exceeds a limit.
GATE_ANSWERS = {
    401: "#/components/responses/requires_authentication",
    403: "#/components/responses/forbidden",
}
#: Responses that GitHub's document doesn't list: a codespace with a pending operation can't be started or
#: stopped (github.com/cli/cli, pull request 5319).
UNDOCUMENTED_ANSWERS = {
    f"POST /user/codespaces/{{codespace_name}}/{verb} 422": "#/components/responses/validation_failed"
    for verb in ("start", "stop")
}
START_TIME = 1_700_000_000.0


def to_json_schema(node: Any) -> Any:
    """Convert part of an OpenAPI 3.0 document to JSON Schema, which doesn't have `nullable`."""
    if isinstance(node, list):
        return [to_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: to_json_schema(value) for key, value in node.items()}
    return {"anyOf": [schema, {"type": "null"}]} if node.get("nullable") is True else schema


COMPONENTS = to_json_schema(DOCUMENT["components"])


class DocumentChecker:
    """Middleware that checks requests and responses against GitHub's OpenAPI description.

    It also records which operations were called, and with which results.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.operations: set[tuple[str, str]] = set()
        self.answers: set[tuple[str, str, int]] = set()

    def find_operation(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        """Return the documented path and the operation that match a request."""
        templates = sorted(DOCUMENT["paths"], key=lambda template: template.count("{"))
        for template in templates:
            operation = DOCUMENT["paths"][template].get(method.lower())
            if operation and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
                return template, operation
        return path, {"responses": {"404": {"$ref": "#/components/responses/not_found"}}}

    def validate(self, value: Any, schema: Any, where: str) -> None:
        """Record everything in a value that violates its schema."""
        whole = {**to_json_schema(schema), "components": COMPONENTS}
        for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
            self.problems.append(f"{where}: {error.json_path}: {error.message[:200]}")

    @web.middleware
    async def check(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Check one request and the response to it."""
        response = await handler(request)
        if request.path.startswith(("/user", "/repos/", "/versions")):
            template, operation = self.find_operation(request.method, request.path)
            where = f"{request.method} {template} {response.status}"
            self.operations.add((request.method, template))
            self.answers.add((request.method, template, response.status))
            if request.can_read_body:
                body = operation["requestBody"]["content"]["application/json"]["schema"]
                self.validate(await request.json(), body, f"{where} request")
                known = set(body.get("properties", ()))
                self.problems += [f"{where}: no {key}" for key in set(await request.json()) - known]
            self.check_answer(operation, response, where)
        return response

    def check_answer(self, operation: dict[str, Any], response: Any, where: str) -> None:
        """Check the status of a response, then its body."""
        documented = operation["responses"].get(str(response.status))
        if documented is None and response.status in GATE_ANSWERS:
            documented = {"$ref": GATE_ANSWERS[response.status]}
        if documented is None and where in UNDOCUMENTED_ANSWERS:
            documented = {"$ref": UNDOCUMENTED_ANSWERS[where]}
        if documented is None:
            self.problems.append(f"{where} isn't documented")
            return
        if "$ref" in documented:
            documented = DOCUMENT["components"]["responses"][documented["$ref"].rpartition("/")[2]]
        content = documented.get("content")
        if content:
            self.validate(json.loads(response.body), content["application/json"]["schema"], where)


CHECKER = DocumentChecker()


@asynccontextmanager
async def codespaces_rig(client: type[Http] = Http) -> AsyncIterator[Rig]:
    """Open the local server together with a provider that uses it."""
    server, window = LocalGitHub(clock=Clock(lambda: START_TIME)), FrozenClock()
    # The harness's two middlewares come first, so that the checker doesn't see the faults that they inject.
    server.app.middlewares.insert(2, CHECKER.check)
    CHECKER.problems.clear()
    async with TestServer(server.app, host="127.0.0.1") as listening, Http.new_session() as session:
        http = client(session, window.monotonic)
        yield Rig(
            provider=build_provider(Codespaces, http, str(listening.make_url(""))),
            access=Access("alice", Credential(SecretStr(SEED["tokens"]["alice"]))),
            harness=server.harness,
            clock=window,
            server_clock=server.clock,
            server=server,
            remote_id="fuzzy-train-g4wpq6h95q",
            broken_id="broken-space-x7vr5pj2p",
            foreign_id="secret-rotary-5v7wq9r4",
            missing_id="absent-engine-4j7v",
            names={"training", "broken"},
            state_pointer="/state",
            id_pointer="/name",
            url_pointer="/web_url",
            list_pointer="/codespaces",
            entry_state_pointer="/state",
            entry_id_pointer="/name",
            entry_name_pointer="/display_name",
            endless_list_patch=[{"op": "replace", "path": "/total_count", "value": 1_000_000}],
            list_requests="GET /user/codespaces$",
            create_requests="POST /repos/acme/reef/codespaces$",
            facet_values=FacetValues(form_values={"workspace": {"repository": "acme/reef"}}),
        )
    assert CHECKER.problems == []
