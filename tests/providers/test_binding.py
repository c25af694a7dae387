"""Tests that a provider calls only its API's origin, as the acting account, and never shows a secret."""

import json
import logging
from dataclasses import fields
from typing import ClassVar

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.domain.observations import Observed
from bot.domain.workspaces import State
from bot.providers import build_bound_provider
from bot.providers.answers import to_error
from bot.providers.base import Access, Credential, CredentialPlacement, Identity, Pace, Provider
from bot.providers.connection import ConnectionSettings
from bot.providers.requests import ApiClient
from bot.support import errors, windows
from bot.support.http import Http
from bot.support.logs import REMOVED, Redactor, redact_secrets
from tests.support.http_rig import raw_server, whole

TOKEN = "canary-4f1d9c-token"
OWN = "canary-of-the-connection"
HEADER = CredentialPlacement("Coder-Session-Token", scheme="")
CREDENTIAL = Credential(SecretStr(TOKEN))


async def echo(request):
    repeated = {"X-Echo": request.headers.get("Coder-Session-Token", "")}
    return web.json_response({"message": dict(request.headers)}, headers=repeated)


async def refuse(request):
    return web.json_response({"message": f"bad token {request.headers['Coder-Session-Token']}"}, status=422)


@pytest.fixture
async def http():
    async with Http.new_session() as session:
        yield Http(session)


@pytest.fixture
async def url():
    app = web.Application()
    app.router.add_route("*", "/echo", echo)
    app.router.add_route("*", "/refuse", refuse)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")


def sent(body):
    return json.loads(body)["message"]


def test_binding_changes_nothing_but_the_credential():
    given = {field.name: object() for field in fields(ApiClient)}
    assert ApiClient(**given).acting_as(CREDENTIAL) == ApiClient(**{**given, "credential": CREDENTIAL})
    assert {field.name for field in fields(Access)} == {"username", "credential", "api"}


def test_narrower_window_asks_the_same():
    wide = windows.Window(9.0, lambda: False)
    with windows.limit_departures(wide):
        narrow = windows.narrow_window(5.0)
    assert (narrow.until, narrow.may_leave) == (5.0, wide.may_leave)
    assert {field.name for field in fields(windows.Window)} == {"until", "may_leave"}


async def test_what_was_sent_in_a_header_of_any_name_appears_nowhere(http, url):
    api = ApiClient(http, url, HEADER).acting_as(CREDENTIAL)
    answers = [await api.call("GET", "/echo"), await api.call("POST", "/echo"), await api.peek("/echo")]
    async with api.stream("GET", "/echo", max_bytes=9_999) as stream:
        answers.append(await stream.read_all())
    for answer in answers:
        assert sent(answer.body)["Coder-Session-Token"] == "…"
        assert "Authorization" not in sent(answer.body)
        assert TOKEN not in repr(answer)
        assert answer.headers["X-Echo"] == "…"
        assert answer.headers["Content-Type"].startswith("application/json")
    with pytest.raises(errors.InvalidRequest) as caught:
        await api.call("GET", "/refuse")
    assert caught.value.message == "bad token …"
    assert TOKEN not in repr(api)


async def test_a_token_goes_to_its_own_origin_and_to_declared_hosts_alone(http, url):
    async with raw_server(whole(b"{}"), whole(b"{}"), whole(b"{}")) as other:
        host = other.url.removeprefix("http://")
        strict = ApiClient(http, url, HEADER).acting_as(CREDENTIAL)
        for address in (other.url, f"{other.url}/x", "https://evil.example/", "javascript:x", "", "//x/y"):
            if address.startswith("/"):
                continue
            with pytest.raises(errors.Untrusted):
                await strict.send("GET", address)
        assert other.connections == 0
        for is_told in (False, True):
            declared = ApiClient(http, url, HEADER, lambda told=is_told: {host: told}).acting_as(CREDENTIAL)
            await declared.send("GET", f"{other.url}/signed?x=1")
            assert (TOKEN.encode() in other.requests[-1]) is is_told
    assert sent((await strict.call("GET", f"{url}/echo")).body)["Coder-Session-Token"] == "…"


async def test_two_slashes_lead_nowhere_else(http, url):
    async with raw_server(whole(b"{}")) as other:
        api = ApiClient(http, url, HEADER).acting_as(CREDENTIAL)
        await api.send("GET", f"//{other.url.removeprefix('http://')}/echo")
        assert other.connections == 0


async def test_client_encodes_ids_in_paths(http, url):
    async with raw_server(*[whole(b"{}")] * 3) as server:
        api = ApiClient(http, f"{server.url}/api", HEADER)
        for one in ("a/b?c#d", "../e f", "é%2F"):
            await api.call("GET", "/workspaces/{}/of/{}", one, "x")
        paths = [one.split()[1].decode() for one in server.requests]
    assert paths == [f"/api/workspaces/{one}/of/x" for one in ("a%2Fb%3Fc%23d", "..%2Fe%20f", "%C3%A9%252F")]
    with pytest.raises(ValueError, match="has places for 2 ids, and 1 were given"):
        await api.call("GET", "/workspaces/{}/of/{}", "x")


@pytest.mark.parametrize("part", ["a?b", "a#b", "../b", "%2e%2E/b", ".", "a b", "é", "{}", "a\\b", "%zz"])
async def test_client_refuses_paths_that_are_not_encoded(http, url, part):
    with pytest.raises(errors.NotFound, match="isn't encoded"):
        await ApiClient(http, url, HEADER).call("GET", f"/workspaces/{part}")


def read_limit(response, *, changes):
    """Return the error for a response of GitHub's. A 403 with no requests left means a rate limit."""
    error = to_error(response, changes=changes)
    if response.headers.get("x-ratelimit-remaining") == "0":
        wait = response.retry_after("x-ratelimit-reset")
        return errors.RateLimited(error.message, status=response.status, retry_after=wait)
    return error


async def test_provider_reads_a_refusal_by_its_headers(http):
    told = (b'{"message": "Spent"}', "403 Forbidden", "Date: Fri, 27 Nov 2026 15:00:00 GMT")
    told += ("x-ratelimit-reset: 1795792500",)
    spent, left = (whole(*told, f"x-ratelimit-remaining: {one}") for one in (0, 7))
    async with raw_server(spent, left) as server:
        api = ApiClient(http, server.url, HEADER, to_error=read_limit).acting_as(CREDENTIAL)
        with pytest.raises(errors.RateLimited) as limited:
            await api.call("POST", "/start")
        with pytest.raises(errors.Forbidden) as forbidden:
            await api.call("GET", "/list")
    error = limited.value
    assert (error.message, error.status, error.retry_after, error.is_refusal) == ("Spent", 403, 900.0, True)
    assert error.response.headers["x-ratelimit-remaining"] == "0"
    assert forbidden.value.response.json() == {"message": "Spent"}


async def test_without_a_credential_none_is_sent(http, url):
    answer = await ApiClient(http, url, HEADER).call("GET", "/echo")
    assert "Coder-Session-Token" not in sent(answer.body)


@pytest.mark.parametrize("token", ["a b", "a\r\nX: 1", "\u00fc" * 9, "x" * 5000, ""])
async def test_what_can_be_no_token_is_refused_before_it_is_sent(http, url, token):
    with pytest.raises(errors.CredentialRefused):
        await ApiClient(http, url, HEADER).acting_as(Credential(SecretStr(token))).call("GET", "/echo")


class Settings(ConnectionSettings):
    link_methods: ClassVar = {"token": "", "admin": "admin_token"}

    admin_token: SecretStr | None = None


class Lagoon(Provider):
    """A provider whose verbs return the token that they sent."""

    kind = "lagoon"
    title = "Lagoon"
    settings_model = Settings
    settings: Settings
    pace = Pace(1.0, 1.0)
    credential_in = HEADER

    def credential_owner(self, access, call):
        return "admin" if call in {"read", "stop"} else "person"

    async def status(self, access, remote_ids, window=None):
        return access.api.credential.token.get_secret_value()

    async def start(self, access, workspace):
        logging.getLogger("lagoon").warning(
            "starting with %s", access.api.credential.token.get_secret_value()
        )
        raise errors.InvalidRequest(f"no {access.api.credential.token.get_secret_value()} here", status=400)

    async def stop(self, access, workspace, mode="stop"):
        return access.api.credential.secrets()

    async def check_credential(self, credential):
        return Identity("alice", credential)

    async def probe(self):
        raise errors.BadAnswer(f"odd: {self.settings.admin_token.get_secret_value()}")

    def page_url(self, remote_id):
        return ""


def lagoon(http, **more):
    settings = {"name": "lagoon", "provider": "lagoon", "title": "L", "base_url": "https://l.example.org"}
    return build_bound_provider(Lagoon, Settings.model_validate(settings | more), http)


async def test_each_verb_has_the_secret_that_it_declares(http):
    provider, access = lagoon(http, admin_token=OWN), Access("alice", CREDENTIAL)
    assert await provider.status(access, ["w1"]) == OWN
    # The purpose of the token must not be shown either.
    assert await provider.stop(access, None) == (OWN, TOKEN)
    with pytest.raises(AssertionError):
        assert access.api


TOKEN_WORDS = [
    "0123456789abcdef0123456789abcdef",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLWFsaWNl",
    "lagoon-of-alice-alone",
    "eyJhbGciOiJIUzI1…",
    "0123456789abcd…",
]
OTHER_WORDS = [
    "insufficient-memory-for-the-pod",
    "0f8b6a2e-1d2c-4b3a-9c8d-7e6f5a4b3c2d",
    "Failed to pull lab:2026…",
]


class Speaking(Lagoon):
    """A provider that puts a server's word wherever people would read it."""

    token_pattern = r"lagoon-of-[a-z-]+"

    async def status(self, access, remote_ids, window=None):
        return {one: Observed(State.FAILED, reason=f"bad: {one}", detail=f"({one})") for one in remote_ids}

    async def start(self, access, workspace):
        raise errors.InvalidRequest(f"refused {workspace}", status=400)

    async def stop(self, access, workspace, mode="stop"):
        return f"already {workspace}"


@pytest.mark.parametrize(
    ("word", "shown"), [*((one, "…") for one in TOKEN_WORDS), *((one, one) for one in OTHER_WORDS)], ids=str
)
async def test_words_with_a_token_are_shown_without_it(http, word, shown):
    settings = {"name": "lagoon", "provider": "lagoon", "title": "L", "base_url": "https://l.example.org"}
    provider = build_bound_provider(Speaking, Settings.model_validate(settings | {"admin_token": OWN}), http)
    access = Access("alice", CREDENTIAL)
    seen = (await provider.status(access, [word]))[word]
    assert (seen.reason, seen.detail) == (f"bad: {shown}", f"({shown})" if word[-1] != "…" else f"({word})")
    assert await provider.stop(access, word) == f"already {shown}"
    with pytest.raises(errors.InvalidRequest) as caught:
        await provider.start(access, word)
    assert caught.value.message == f"refused {shown}"


async def test_a_verb_whose_secret_is_not_there_is_refused(http):
    with pytest.raises(errors.CredentialRefused, match="no token of its own"):
        await lagoon(http).status(Access("alice", CREDENTIAL), ["w1"])


async def test_no_error_of_a_verb_and_no_log_line_within_it_has_its_secret(http):
    lines, redactor = [], Redactor()

    class Sink(logging.Handler):
        def emit(self, record):
            lines.append(redactor.text(record.getMessage()))

    sink = Sink()
    logging.getLogger("lagoon").addHandler(sink)
    try:
        with pytest.raises(errors.InvalidRequest) as caught:
            await lagoon(http).start(Access("alice", CREDENTIAL), None)
    finally:
        logging.getLogger("lagoon").removeHandler(sink)
    assert caught.value.message == "no … here"
    assert str(caught.value) == "no … here"
    assert lines == [f"starting with {REMOVED}"]
    assert redactor.text(f"later {TOKEN}") == f"later {TOKEN}"


def test_what_is_hidden_within_is_hidden_within_that_too():
    redactor = Redactor(["known-from-the-start"])
    with redact_secrets([TOKEN]), redact_secrets([OWN, "short"]):
        text = redactor.text(f"{TOKEN} {OWN} known-from-the-start short")
    assert text == f"{REMOVED} {REMOVED} {REMOVED} short"


async def test_no_error_of_a_check_has_what_was_checked_or_the_connections_own(http):
    with pytest.raises(errors.BadAnswer, match=r"^odd: …$"):
        await lagoon(http, admin_token=OWN).probe()
