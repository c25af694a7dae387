"""Whatever JSON a provider answers, the result is well-formed or one of our errors."""

import asyncio
import copy
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from bot.domain.forms import Spec
from bot.domain.observations import Observed
from bot.domain.people import Principal
from bot.domain.workspaces import State
from bot.providers import facets
from bot.providers.base import Identity
from bot.providers.facets import DiscoveredWorkspace
from bot.providers.sphere.provider import SphereProvider
from bot.support.errors import ProviderError
from bot.support.http import Http
from bot.support.responses import Response
from tests.contract.providers.accesses import ACCESS, BASES
from tests.contract.providers.rigs import provider_of
from tests.rigs.hubs import NEWEST, list_full_scopes
from usher.conformance.rigs import build_row

PERSON = Principal(None, "T1", "UALICE")
IDS = {"saturn": "0" * 32, "jupyterhub": "alice/training", "posit": "6124d41f", "sphere": "0" * 32}
WORDS = st.sampled_from(
    [
        "running",
        "stopped",
        "pending",
        "error",
        "spawn",
        "stop",
        "check_credential",
        "workspace",
        "user",
        "alice",
    ]
)
URLS = st.sampled_from(["https://app.acme.io/x", "https://evil.example/", "/user/alice/", "javascript:x", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | URLS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
RECIPE = {
    "type": "workspace",
    "spec": {"name": "w", "owner": "acme/alice"},
    "state": {"id": "0" * 32, "status": "running"},
}
SERVER = {
    "pending": None,
    "ready": True,
    "url": "/user/alice/training/",
    "full_url": None,
    "display_name": "Training",
}
GOOD = [
    {"status": "running", "url": "https://app.acme.io/ide/1", "name": "w"},
    {"recipes": [RECIPE], "next_key": None},
    {"username": "alice", "id": "1"},
    {"servers": {"training": SERVER, "": {**SERVER, "ready": False}}},
    {"servers": {"training": {**SERVER, "pending": "spawn", "ready": False}}},
    {"kind": "user", "name": "alice", "token_id": "a1", "id": "a2", "token": "t" * 32, "expires_at": None},
    {
        "kind": "user",
        "name": "alice",
        "scopes": list_full_scopes(NEWEST, "alice"),
    },
    {"message": "already running"},
]
SESSION = {
    "id": "6124d41f",
    "activity_state": "running",
    "url": "/s/0da29cfc78a316124d41f/",
    "display_name": "Analysis",
    "workbench": "RStudio",
    "status_detail": "",
    "launch_parameters": {"name": "n", "cluster": "Local", "queues": []},
}
GOOD += [
    {"result": {"sessions": [SESSION]}},
    {"result": {"sessions": [{**SESSION, "activity_state": "suspended"}]}},
    {"result": {"id": "6124d41f", "url": "/s/0da29cfc78a316124d41f/"}},
    {"error": {"code": 14, "message": "unknown session"}},
    {"version": {"major": "2024"}, "features": []},
]
SPHERE = {
    "id": "0" * 32,
    "project": {"id": "1" * 32, "name": "p"},
    "created_at": "2021-01-01 10:20:37 +0000",
    "last_usage": None,
    "inactivity_timeout": 15,
    "workspace_token": "73543c2d-3476-46ee-a49c-227f59181961",
    "state": {"code": 2, "name": "running", "error_reason": None},
    "workspace_init_failed": True,
    "streams": {"workspace_init_output": "o", "workspace_init_error": "e"},
    "retention_time_stopped": 60,
    "retention_time_total": 0,
    "permissions": {"enter": True, "remove": False, "stop": False},
    "workspace_url": "https://evil.example/",
}
GOOD += [
    SPHERE,
    {"message": "made", "workspace": {**SPHERE, "state": {"code": "3", "name": "stopped"}}},
    {"items": [{"id": "1" * 32, "name": "p"}], "paging": {"next_page_token": None}},
    {"items": [SPHERE], "paging": {}},
]
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 424, 429, 500, 799])


@st.composite
def nearly_good(draw: st.DrawFn) -> Any:
    """Draw a good answer with an arbitrary value in one place."""
    whole = copy.deepcopy(draw(st.sampled_from(GOOD)))
    place: Any = whole
    while True:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or not place[key] or draw(st.booleans()):
            place[key] = draw(VALUES)
            return whole
        place = place[key]


class CannedHttp(Http):
    """A client that gives the same answer to every request."""

    def __init__(self, status: int, body: bytes) -> None:
        self.answer = Response(status, CIMultiDictProxy(CIMultiDict()), body)

    async def request(self, *_arguments: Any, **_options: Any) -> Response:
        return self.answer

    async def peek(self, *_arguments: Any, **_options: Any) -> Response:
        return self.answer


def is_visible(text: str) -> bool:
    """Return whether a string has no hidden characters.

    A character that Python doesn't know yet may be a new emoji.
    """
    return all(letter.isprintable() or unicodedata.category(letter) == "Cn" for letter in text)


def is_sound(observed: Observed) -> bool:
    url = observed.url
    return (
        isinstance(observed.state, State)
        and (url is None or (observed.state is State.RUNNING and ".acme.io/" in url and "evil" not in url))
        and all(
            text is None or is_visible(text) for text in (observed.detail, observed.reason, observed.name)
        )
        and (observed.progress is None or 0 <= observed.progress <= 100)
    )


async def made(provider: SphereProvider) -> None:
    """Create a workspace from whatever the server lists as projects."""
    offer = await provider.read_offer(ACCESS)
    form = provider.form(offer, "workspace", {}, PERSON)
    for field in form.fields:
        assert all(one.value and is_visible(one.label) for one in field.choices)
    if form.fields:
        values = {"template": form.fields[0].choices[0].value}
        spec = provider.spec(offer, "workspace", values, PERSON)
        assert is_visible(spec.name)
        created = await provider.create(ACCESS, spec, "k")
        assert len(created.remote_id) == 32


async def found(provider: SphereProvider) -> None:
    traces = await provider.find_created(ACCESS, Spec("w", {"project": "1" * 32}), "k", 0.0)
    assert all(len(one.remote_id) == 32 for one in traces.candidates)


async def ask(kind: str, status: int, body: bytes) -> None:
    provider = provider_of(kind, CannedHttp(status, body), BASES[kind])
    calls = [
        provider.status(ACCESS, [IDS[kind]]),
        provider.check_credential(ACCESS.credential),
        provider.start(ACCESS, build_row(provider, IDS[kind])),
        provider.stop(ACCESS, build_row(provider, IDS[kind])),
    ]
    if isinstance(provider, facets.Lists):
        calls.append(provider.discover(ACCESS))
    if kind == "sphere":
        calls += [found(provider), provider.remove(ACCESS, build_row(provider, IDS[kind])), made(provider)]
    for call in calls:
        try:
            result: Any = await call
        except ProviderError as error:
            assert error.message.isprintable()  # noqa: PT017 - most answers end in an error, some do not
            continue
        if isinstance(result, dict):
            assert list(result) == [IDS[kind]]
            assert is_sound(result[IDS[kind]])
        elif isinstance(result, list):
            assert all(
                isinstance(one, DiscoveredWorkspace) and one.remote_id and is_sound(one.observed)
                for one in result
            )
        elif not isinstance(result, str | None):
            assert isinstance(result, Identity)
            assert is_visible(result.username)


@pytest.mark.parametrize("kind", BASES)
@given(value=st.sampled_from(GOOD) | nearly_good() | VALUES, status=STATUSES)
def test_any_json(kind, value, status):
    asyncio.run(ask(kind, status, json.dumps(value).encode()))


@pytest.mark.parametrize("kind", BASES)
@given(body=st.binary(max_size=50))
def test_any_bytes(kind, body):
    asyncio.run(ask(kind, 200, body))
