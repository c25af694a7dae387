"""Faults that a local server can be told to have. They affect its answer, the action itself, or both."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

from aiohttp import web

#: Performs an action. The argument is the time on the server's clock.
Act = Callable[[float], object]


class Refused(Exception):
    """Base class of each server's refusals. If a delayed action is refused, nobody is told."""


class Refusal(Refused):
    """A refusal with a status and a message, as in REST APIs; ``refusals`` turns it into an answer."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


@dataclass(slots=True)
class Fault:
    """A fault in requests whose ``METHOD /path`` matches: in the next ``times`` requests, or in all if None.

    If ``credential`` is set, only requests with that token are affected. With ``after``, the server acts
    first and the fault affects only the answer, as when a request times out after it was accepted. With
    ``acts_after_s``, the server acts that many seconds later, on its own clock, whatever happens to the
    answer; if ``acts`` is false, it never acts. In both cases the client immediately gets the usual answer,
    unless other fields change that. ``patch`` changes the JSON of the answer, as described in RFC 6902. A
    fault with a ``name`` replaces the earlier fault with that name.
    """

    path: re.Pattern[str]
    times: int | None = 1
    status: int | None = None
    delay_s: float = 0.0
    drop: bool = False
    truncate: int | None = None
    garbage: bool = False
    after: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    credential: str | None = None
    acts_after_s: float = 0.0
    acts: bool = True
    patch: list[dict[str, Any]] = field(default_factory=list)
    name: str | None = None

    def as_values(self) -> dict[str, Any]:
        """Return the fault as shown in the list of active faults."""
        return {
            "name": self.name,
            "path": self.path.pattern,
            "times": self.times,
            "status": self.status,
            "delay_s": self.delay_s,
            "drop": self.drop,
            "acts_after_s": self.acts_after_s,
        }

    def describe(self) -> str:
        """Describe what happens to the answer, for people reading why a test failed."""
        changes = [f"has {one.get('value')!r} at {one['path']}" for one in self.patch]
        parts = {
            f"comes {self.delay_s:g} s late": self.delay_s,
            "is lost": self.drop,
            "is rubbish": self.garbage,
            f"is HTTP {self.status}": self.status,
            f"is {self.body!r:.60}": self.body is not None,
            f"is cut after {self.truncate} bytes": self.truncate,
            **dict.fromkeys(changes, True),
            "though the server acts": self.after,
        }
        return ", ".join(text for text, is_so in parts.items() if is_so)

    @property
    def is_late(self) -> bool:
        """Return whether the server acts later than it is asked to, or never."""
        return self.acts_after_s > 0 or not self.acts

    def takes(self, request: web.Request) -> bool:
        """Return whether this request is affected. If so, count it."""
        if self.times is not None and self.times <= 0:
            return False
        if self.credential is not None and self.credential not in _credentials(request):
            return False
        if not self.path.search(f"{request.method} {request.path}"):
            return False
        if self.times is not None:
            self.times -= 1
        return True


#: The allowed types of each field of a fault.
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("times", "status", "truncate"), (int, NoneType)),
    **dict.fromkeys(("delay_s", "acts_after_s"), (int, float)),
    **dict.fromkeys(("drop", "garbage", "after", "acts"), (bool,)),
    **dict.fromkeys(("body", "credential", "name"), (str, NoneType)),
    "path": (str,),
    "headers": (dict,),
    "patch": (list,),
}


def fault_from(values: Any) -> Fault:
    """Create the fault that a test asked for; raise ValueError if its fields are invalid."""
    given = values if isinstance(values, dict) else {}
    wrong = sorted(name for name in given if type(given[name]) not in _KINDS.get(name, ()))
    if not wrong and not all(isinstance(value, str) for value in given.get("headers", {}).values()):
        wrong = ["headers"]
    if wrong or "path" not in given:
        raise ValueError(f"a path is needed; unknown or of a wrong type: {wrong}")
    return Fault(**{**given, "path": re.compile(given["path"])})


def _credentials(request: web.Request) -> tuple[str, ...]:
    header = request.headers.get("Authorization", "")
    return header.partition(" ")[2].strip(), request.query.get("access_token", "")


@dataclass(frozen=True, slots=True)
class Asked:
    """When a request arrived, the fault it met, and the function that performs its action accordingly."""

    came: float
    fault: Fault | None
    do: Callable[[Act], None]


#: Set by the harness on every request.
ASKED: web.RequestKey[Asked] = web.RequestKey("playground_asked", Asked)


def act(request: web.Request, do: Act) -> None:
    """Perform the action that a request asks for: now or, if its fault says so, later or never.

    Check beforehand whether the request must be refused. If a delayed action raises Refused, nobody is told.
    """
    request[ASKED].do(do)


def came(request: web.Request) -> float:
    """Return when a request arrived, in epoch seconds. Even a server that acts late uses this time."""
    return request[ASKED].came


def is_late(request: web.Request) -> bool:
    """Return whether the action that this request asks for is delayed or never performed."""
    fault = request[ASKED].fault
    return fault is not None and fault.is_late


def patched(response: web.StreamResponse, operations: list[dict[str, Any]]) -> web.StreamResponse:
    """Return the answer with its JSON patched. If it isn't JSON or lacks the place, return it unchanged."""
    try:
        content = json.loads(response.text or "") if isinstance(response, web.Response) else None
    except ValueError:
        return response
    for operation in operations:
        content = _patch(content, operation)
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    return web.Response(status=response.status, text=json.dumps(content), headers=headers)


def _patch(whole: Any, operation: Mapping[str, Any]) -> Any:
    way = [part.replace("~1", "/").replace("~0", "~") for part in str(operation.get("path")).split("/")[1:]]
    if not way:
        return operation.get("value")
    changed = copy.deepcopy(whole)
    try:
        place = changed
        for part in way[:-1]:
            place = place[_key(place, part)]
        _change(place, _key(place, way[-1]), operation)
    except (KeyError, IndexError, TypeError, ValueError):
        return whole
    return changed


def _key(place: Any, part: str) -> Any:
    if not isinstance(place, list):
        return part
    return len(place) if part == "-" else int(part)


def _change(place: Any, key: Any, operation: Mapping[str, Any]) -> None:
    what = operation["op"]
    if what == "remove":
        del place[key]
    elif what == "add" and isinstance(place, list):
        place.insert(key, operation.get("value"))
    elif what in {"add", "replace"}:
        place[key] = operation.get("value")
    else:
        raise ValueError(what)
