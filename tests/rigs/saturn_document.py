"""Saturn Cloud's published API document, in the form of its generated client.

Requests and responses are checked against it. The wheel ``saturn-api`` is generated from the document,
operation by operation, with its types, bounds and required fields. It has no licence, so the project doesn't
keep a copy of the document or of the client (docs/adr/0050).
"""

import ast
import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

#: Modules of the client whose operations Usher or the local server may use.
_PARTS = (
    *("active", "api_status", "api_tokens", "authorization", "current_user"),
    *("info", "jobs", "recipes", "users", "workspaces"),
)


#: Paths that Saturn Cloud's guides mention but the document doesn't contain.
OF_GUIDES = frozenset({"/api/user/token"})


@dataclass(frozen=True)
class Operation:
    """An operation: its method and path, and the type of each documented response (None: no body)."""

    name: str
    method: str
    template: str
    path: re.Pattern[str]
    query: Mapping[str, inspect.Parameter]
    body: inspect.Parameter | None
    answers: Mapping[int, Any]


@dataclass
class Findings:
    """Everything that differed from the document, and the operations that were used."""

    problems: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)


@cache
def operations() -> tuple[Operation, ...]:
    """Return the document's operations. Those with fewer variables in their path come first."""
    found = [
        one for part in _PARTS for one in _operations(importlib.import_module(f"saturn_api.api.{part}_api"))
    ]
    return tuple(sorted(found, key=lambda one: one.path.pattern.count("[^/]")))


def operation_of(method: str, path: str) -> Operation | None:
    """Return the operation that a request is for, or None."""
    return next((one for one in operations() if one.method == method and one.path.fullmatch(path)), None)


def problems_of_request(method: str, path: str, query: str, body: bytes) -> Iterator[str]:
    """Yield everything in a request that differs from the document."""
    operation = operation_of(method, path)
    if operation is None:
        yield "there is no such operation"
        return
    given = dict(parse_qsl(query, keep_blank_values=True))
    yield from (f"query {key} isn't documented" for key in given.keys() - operation.query.keys())
    for name, parameter in operation.query.items():
        if name in given:
            yield from _wrong(f"query {name}", parameter.annotation, given[name], is_text=True)
        elif parameter.default is inspect.Parameter.empty:
            yield f"query {name} is required"
    if operation.body is None:
        if body.strip():
            yield "no body is documented"
    elif body.strip():
        yield from _wrong("body", operation.body.annotation, json.loads(body))
    elif operation.body.default is inspect.Parameter.empty:
        yield "a body is required"


def problems_of_answer(method: str, path: str, status: int, body: bytes) -> Iterator[str]:
    """Yield everything in a response that differs from the document.

    The document doesn't list the statuses of errors. An error must have a message.
    """
    operation = operation_of(method, path)
    if status >= 400:
        if not isinstance(json.loads(body or b"null"), dict) or not isinstance(
            json.loads(body).get("message"), str
        ):
            yield f"an error without a message: {body!r}"
    elif operation is None:
        yield "there is no such operation"
    elif status not in operation.answers:
        yield f"status {status} isn't documented"
    elif (kind := operation.answers[status]) is None:
        if body.strip():
            yield "no content is documented"
    else:
        yield from _wrong("answer", kind, json.loads(body))


def checking(findings: Findings) -> Any:
    """Return a middleware that checks a local server's requests and responses against the document.

    It wraps the server itself, because faults that a test injects aren't the server's own responses.
    """

    operations()  # Read before anybody waits for an answer.

    @web.middleware
    async def check(request: web.Request, handler: Any) -> web.StreamResponse:
        sent, path = await request.read(), request.path
        response = await handler(request)
        operation = operation_of(request.method, path)
        # An unknown path that is answered with 404 is fine. Paths that only the guides mention can't be
        # checked.
        is_known = operation is not None or response.status != 404
        if path.startswith("/api/") and path not in OF_GUIDES and is_known:
            wrong = []
            if response.status < 400:
                wrong += problems_of_request(request.method, path, request.query_string, sent)
            wrong += problems_of_answer(request.method, path, response.status, response.body or b"")
            findings.problems += [f"{request.method} {path}: {one}" for one in wrong]
            if operation is not None:
                findings.used.add(operation.name)
                findings.asked.add(f"{operation.method} {operation.template}")
        return response

    return check


def _wrong(what: str, kind: Any, value: Any, *, is_text: bool = False) -> Iterator[str]:
    adapter = TypeAdapter(kind)
    try:
        if is_text:
            adapter.validate_strings(value)
            return
        known = json.loads(adapter.dump_json(adapter.validate_json(json.dumps(value)), by_alias=True))
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            yield f"{what} {'.'.join(map(str, one['loc']))}: {one['msg']}"
    else:
        yield from (f"{what} {one}: isn't documented" for one in _unknown(value, known))


def _unknown(value: Any, known: Any, where: str = "") -> Iterator[str]:
    """Yield the fields that aren't in the document. Parsing into a model would silently drop them."""
    if isinstance(value, dict) and isinstance(known, dict):
        for key, inner in value.items():
            if key not in known:
                yield where + key
            else:
                yield from _unknown(inner, known[key], f"{where}{key}.")
    elif isinstance(value, list) and isinstance(known, list):
        for inner, its_known in zip(value, known, strict=True):
            yield from _unknown(inner, its_known, where)


def _operations(module: Any) -> Iterator[Operation]:
    tree = ast.parse(inspect.getsource(module))
    (found,) = (one for one in tree.body if isinstance(one, ast.ClassDef))
    methods = {
        one.name: one for one in found.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    for name, method in methods.items():
        serializer = methods.get(f"_{name}_serialize")
        if serializer is None:
            continue
        (call,) = (
            one
            for one in ast.walk(serializer)
            if isinstance(one, ast.Call) and getattr(one.func, "attr", "") == "param_serialize"
        )
        told = {word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)}
        parameters = inspect.signature(getattr(getattr(module, found.name), name)).parameters
        of_path = set(re.findall(r"{(\w+)}", told["resource_path"]))
        of_body = set(re.findall(r"_body_params = (\w+)", ast.unparse(serializer))) - {"None"}
        own = {key: one for key, one in parameters.items() if key != "self" and not key.startswith("_")}
        yield Operation(
            name=f"{found.name}.{name}",
            method=told["method"],
            template=told["resource_path"],
            path=re.compile(re.sub(r"{\w+}", "[^/]+", told["resource_path"])),
            query={key: one for key, one in own.items() if key not in of_path | of_body},
            body=next((own[key] for key in of_body), None),
            answers={int(status): _type_of(kind) for status, kind in _answers(method)},
        )


def _answers(method: ast.AST) -> list[tuple[str, str | None]]:
    for one in ast.walk(method):
        if isinstance(one, ast.AnnAssign) and getattr(one.target, "id", "") == "_response_types_map":
            return list(ast.literal_eval(one.value).items())
    raise AssertionError("every operation has documented answers")


def _type_of(kind: str | None) -> Any:
    return None if kind is None else getattr(importlib.import_module("saturn_api.models"), kind)
