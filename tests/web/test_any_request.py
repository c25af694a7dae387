"""Tests of arbitrary requests to any address: the answer is no 500, has all headers, and no secret."""

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from tests.project.repository import ROOT
from tests.web.ide_rig import TOKEN, IdeRig, ide_rig

WORDS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "",
            ".",
            "..",
            "%00",
            "%",
            "%2e%2e%2f",
            "\x00",
            #: Five of these fit into the longest line that aiohttp accepts. A longer one isn't valid HTTP.
            "A" * 1500,
            "workspace_x",
            "x" * 64,
            "é",
            "\u202e",
            "'\"<>",
        ]
    ),
)
#: Characters that can be in a header. The client itself refuses the others.
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=120)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Origin",
            "Sec-Fetch-Site",
            "X-Usher-Mark",
            "Referer",
            "Accept",
            "Range",
            "If-None-Match",
            "If-Modified-Since",
            "Content-Type",
            "X-Slack-Signature",
            "X-Slack-Request-Timestamp",
            "X-Forwarded-Host",
        ]
    ),
    HEADER,
    max_size=5,
)
OURS = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
BODIES = st.one_of(
    st.binary(max_size=400),
    st.dictionaries(st.sampled_from(["form", "token", "account", "x"]), WORDS, max_size=4).map(
        lambda fields: "&".join(
            f"{key}={quote(value, errors='replace')}" for key, value in fields.items()
        ).encode()
    ),
)
QUERIES = st.dictionaries(st.sampled_from(["state", "code", "error", "late", "v"]), WORDS, max_size=3)
PLACES = re.compile(r"/(?![/\\\\])[^\s]*|http://127\.0\.0\.1:\d+/openid/connect/authorize\?.*")
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]


def addresses(app) -> list[str]:
    """Return all addresses of the application as patterns, with variable parts in braces."""
    found = {resource.canonical for resource in app.router.resources()}
    return sorted({*found, "/{word}", "/ide", "/ide/{id}/{word}", "/link/{nonce}/{word}", "/static/{word}"})


@dataclass
class Scene:
    """A world for all examples, with a person who is signed in."""

    made: IdeRig
    client: aiohttp.ClientSession
    workspace_id: str
    cookies: str
    mark: str


@asynccontextmanager
async def scene():
    async with ide_rig() as made, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        workspace = await made.workspace()
        owner = await made.signed_in(page=workspace.id)
        cookies = "; ".join(f"{one.key}={one.value}" for one in owner.session.cookie_jar)
        mark = owner.text.split('name="form" value="')[1].split('"')[0]
        yield Scene(made, client, workspace.id, cookies, mark)


@pytest.fixture(scope="module")
def scene_runner():
    """A scene with its own event loop, since Hypothesis calls a plain function for each example."""
    with asyncio.Runner() as runner:
        opened = scene()
        yield runner, runner.run(opened.__aenter__())
        runner.run(opened.__aexit__(None, None, None))


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_request_breaks_anything(scene_runner, data):
    runner, here = scene_runner
    pattern = data.draw(st.sampled_from(addresses(here.made.made.app)))
    words = st.one_of(st.just(here.workspace_id), WORDS)
    path = re.sub(r"\{[^/]*\}", lambda _: quote(data.draw(words), safe="", errors="replace"), pattern)
    query = ""
    if data.draw(st.booleans()):
        query = "?" + urlencode(data.draw(QUERIES), errors="replace")
    method = data.draw(st.sampled_from(METHODS))
    is_signed_in = data.draw(st.booleans())
    headers = data.draw(st.one_of(HEADERS, st.just(OURS), st.just({**OURS, "X-Usher-Mark": here.mark})))
    cookie = here.cookies if is_signed_in else data.draw(st.one_of(st.just(""), HEADER))
    body = data.draw(BODIES) if method in {"POST", "PUT", "PATCH"} else None

    async def send():
        url = URL(here.made.origin + path + query, encoded=True)
        async with here.client.request(
            method, url, headers={**headers, "Cookie": cookie}, data=body, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers, await answer.text(errors="replace")

    status, told, text = runner.run(send())
    assert status < 500, (method, path, status)
    if status == 400 and "Content-Security-Policy" not in told:
        return  # what is no HTTP at all is refused before it is ours
    assert told["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in told["Content-Security-Policy"]
    assert told["Server"] == "usher"
    # Redirects lead to Usher's pages or to Slack, never to an address from the request.
    assert PLACES.fullmatch(told.get("Location", "/"))
    if TOKEN in text:
        assert (method, is_signed_in, headers.get("X-Usher-Mark")) == ("POST", True, here.mark)


def test_the_pages_proxy_lets_through_whatever_others_ask_for(scene_runner):
    """Health checks and metrics are only for the operator's own monitoring."""
    _, opened = scene_runner
    page = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    (passed,) = re.findall(r"location ~ (\^\S+) ", page)
    ours = {address for address in addresses(opened.made.made.app) if not address.startswith("/{word}")}
    kept = {one for one in ours if not re.match(passed, one)}
    health = {"/healthz", "/readyz", "/workz", "/metrics"}
    assert kept == health | {f"{path}/" for path in health}
    assert all(f"`{one}`" in page for one in health)
