"""Answers of providers that differ from a correct one in a single place; each has a name."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from bot.support.http import Http
from bot.support.responses import Response
from tests.contract.providers.accesses import BASES
from tests.contract.providers.rigs import provider_of

A, B, C = "a" * 32, "b" * 32, "c" * 32


#: A function that makes one entry odd.
Change = Callable[[dict[str, Any]], Any]


class Answers(Http):
    """Answer each path with its JSON, and any other path with the API's 404."""

    def __init__(self, **answers: Any) -> None:
        self.answers: Mapping[str, Any] = answers
        self.asked: list[str] = []

    async def request(self, _method: str, url: str, **_options: Any) -> Response:
        path = url.partition("/api/")[2].partition("?")[0]
        self.asked.append(path)
        told = self.answers.get(path.replace("/", "_"))
        body = {"message": "no such thing"} if told is None else told
        return Response(
            404 if told is None else 200, CIMultiDictProxy(CIMultiDict()), json.dumps(body).encode()
        )

    async def peek(self, url: str, **_options: Any) -> Response:
        return await self.request("GET", url)


def but(**fields: Any) -> Change:
    """Return a function that changes fields of an entry. Two underscores in a name lead to a nested field."""

    def change(entry: dict[str, Any]) -> Any:
        for name, value in fields.items():
            *places, last = name.split("__")
            place = entry
            for each in places:
                place = place[each]
            place[last] = value
        return entry

    return change


def without(*fields: str) -> Change:
    return lambda entry: {key: value for key, value in entry.items() if key not in fields}


def instead(value: Any) -> Change:
    return lambda _entry: value


NOTHING = instead(None)


def two(entry: Mapping[str, Any], change: Change) -> list[Any]:
    """Return a changed entry and a good one.

    For ``NOTHING``, return two entries that can't be read at all.
    """
    if change is NOTHING:
        return [None, 7]
    good = copy.deepcopy(dict(entry))
    return [change(json.loads(json.dumps(entry).replace(A, B).replace("good", "odd"))), good]


RECIPE = {
    "type": "workspace",
    "spec": {"name": "good", "owner": "acme/alice", "schedule": "0 3 * * *"},
    "state": {"id": A, "status": "running"},
}


POD = {"name": "good-pod", "status": "running", "started_at": "2026-01-01T10:00:00Z", "completed_at": None}


PAST = {
    "pod_name": "good-past",
    "status": "completed",
    "start_time": "2026-01-01T09:00:00Z",
    "end_time": None,
}


SESSION = {
    "id": "good",
    "activity_state": "running",
    "url": "/s/good/",
    "display_name": "Good",
    "label": "Good",
    "workbench": "RStudio",
    "launch_parameters": {"name": "n", "cluster": "Local", "placement_constraints": []},
}


JOB = {
    "id": "good",
    "status": "Running",
    "name": "good job",
    "args": [],
    "tags": ["t"],
    "submissionTime": "2026-01-01T10:00:00Z",
    "resourceLimits": [{"type": "memory", "value": "1"}],
    "placementConstraints": [],
}


SERVER = {"pending": None, "ready": False, "url": "/user/alice/good/", "display_name": "good"}


def provider(kind: str, **answers: Any) -> Any:
    secret = {"posit": "super_admin_token", "saturn": "admin_token"}.get(kind)
    more = {} if secret is None else {secret: "s" * 20, "linking": ["token", "admin"]}
    return provider_of(kind, Answers(**answers), BASES[kind], **more)
