"""Calls to a stand-in for Slack: the result of each answer, and errors that never contain the token."""

import asyncio
import json
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.slack.calls import is_slack_address
from bot.slack.web_api import WebApi
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome
from tests.rigs.clock import FakeClock

TOKEN = "xoxb-very-secret"


class Server:
    """A server that answers as told and records what was sent."""

    api: WebApi

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.status = 200
        self.body: bytes = b'{"ok": true, "ts": "1.5"}'
        self.headers = {"Content-Type": "application/json"}
        self.hangs = False
        self.breaks = False
        self.seen: list[tuple[str, str, bytes]] = []
        self.headers_seen: list[dict[str, str]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.headers_seen.append(dict(request.headers))
        self.seen.append((request.path, request.headers.get("Content-Type", ""), await request.read()))
        if self.breaks:
            request.transport.close()
        if self.hangs:
            await asyncio.Event().wait()
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@pytest.fixture
async def slack():
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.handle)
    async with TestServer(app) as running, aiohttp.ClientSession() as session:
        server.api = WebApi(TOKEN, str(running.make_url("/api/")), session, server.clock, timeout=0.5)
        yield server


async def test_a_good_answer_brings_its_data_and_slacks_time(slack):
    answer = await slack.api.call("chat.postMessage", {"channel": "U1", "blocks": [{"type": "divider"}]})
    assert answer.data["ts"] == "1.5"
    assert answer.at is not None
    [(path, kind, body)] = slack.seen
    assert (path, kind.split(";")[0]) == ("/api/chat.postMessage", "application/json")
    assert json.loads(body) == {"channel": "U1", "blocks": [{"type": "divider"}]}


async def test_methods_that_read_are_sent_as_forms(slack):
    await slack.api.call(
        "conversations.history", {"channel": "D1", "include_all_metadata": True, "cursor": ""}
    )
    [(_, kind, body)] = slack.seen
    assert kind.startswith("application/x-www-form-urlencoded")
    assert sorted(body.decode().split("&")) == ["channel=D1", "include_all_metadata=true"]


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, {"ok": False, "error": "user_not_found"}, SlackPermanent, "user_not_found"),
        (200, {"ok": False, "error": "restricted_action_read_only_channel"}, SlackPermanent, None),
        (200, {"ok": False, "error": "message_limit_exceeded"}, SlackFailed, None),
        (200, {"ok": False, "error": "token_revoked"}, SlackPermanent, "token_revoked"),
        (200, {"ok": False, "error": "some_new_error"}, SlackFailed, "some_new_error"),
        (200, {"ok": False, "error": "internal_error"}, SlackUnknownOutcome, "internal_error"),
        (200, {"ok": False}, SlackUnknownOutcome, "status_200"),
        (503, {"ok": False, "error": "service_unavailable"}, SlackUnknownOutcome, "service_unavailable"),
        (500, "<html>oops</html>", SlackUnknownOutcome, "status_500"),
        (200, "<html>oops</html>", SlackUnknownOutcome, None),
        (200, [], SlackUnknownOutcome, None),
    ],
)
async def test_answers_that_are_none(slack, status, body, kind, code):
    slack.status = status
    slack.body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    with pytest.raises(kind) as caught:
        await slack.api.call("chat.postMessage", {})
    assert type(caught.value) is kind
    assert code is None or caught.value.code == code
    assert len(slack.seen) == 1
    assert TOKEN not in repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__dict__)


async def test_html_that_says_so_is_no_answer_either(slack):
    slack.headers = {"Content-Type": "text/html"}
    slack.body = b"<html>"
    with pytest.raises(SlackUnknownOutcome):
        await slack.api.call("chat.postMessage", {})


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/octet-stream"])
@pytest.mark.parametrize(
    "body", [b"OK", b'"OK"', b'["ok"]', b"5", b"true", pytest.param(b"[" * 3_000, id="deep")]
)
async def test_answer_that_is_no_object_is_malformed(slack, kind, body):
    """Something in Slack's place, such as a proxy, answers 200, so the call's outcome is unknown."""
    slack.headers, slack.body = {"Content-Type": kind}, body
    with pytest.raises(SlackUnknownOutcome) as caught:
        await slack.api.call("views.open", {})
    assert caught.value.code in {"malformed_answer", "status_200"}
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), (None, 1.0), ("0", 1.0), ("soon", 1.0)])
async def test_429_tells_how_long(slack, header, seconds):
    slack.status, slack.body = 429, b'{"ok": false, "error": "ratelimited"}'
    if header is not None:
        slack.headers["Retry-After"] = header
    with pytest.raises(SlackLimited) as caught:
        await slack.api.call("chat.postMessage", {})
    assert caught.value.retry_after == seconds
    assert len(slack.seen) == 1


async def test_pauses_that_slack_does_not_name_grow_until_an_answer(slack):
    """Refusals during a pause don't lengthen it: calls that were refused together wait together."""
    limited = 429, b'{"ok": false, "error": "ratelimited"}'
    waited = []
    for _ in range(7):
        slack.status, slack.body = limited
        for _ in range(2):
            with pytest.raises(SlackLimited) as caught:
                await slack.api.call("chat.postMessage", {})
            waited.append(caught.value.retry_after)
        slack.clock.advance(waited[-1])
    assert waited[::2] == waited[1::2] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    slack.status, slack.body = 200, b'{"ok": true}'
    await slack.api.call("chat.postMessage", {})
    slack.status, slack.body = limited
    with pytest.raises(SlackLimited) as caught:
        await slack.api.call("chat.postMessage", {})
    assert caught.value.retry_after == 1.0


@pytest.mark.parametrize("fault", ["hangs", "breaks"])
async def test_what_left_and_got_no_answer_is_unknown_and_sent_once(slack, fault):
    setattr(slack, fault, True)
    with pytest.raises(SlackUnknownOutcome) as caught:
        await slack.api.call("chat.postMessage", {})
    assert len(slack.seen) == 1
    assert caught.value.__cause__ is None


async def test_what_never_left_is_no_unknown_outcome():
    async with aiohttp.ClientSession() as session:
        api = WebApi(TOKEN, "http://127.0.0.1:9/api/", session, FakeClock(), timeout=0.5)
        with pytest.raises(SlackFailed) as caught:
            await api.call("chat.postMessage", {})
    assert type(caught.value) is SlackFailed
    assert caught.value.code == "unreachable"


async def test_a_view_and_the_completion_of_a_file_are_sent_as_json(slack):
    await slack.api.call("views.update", {"view_id": "V1", "view": {"type": "modal"}})
    await slack.api.call("files.completeUploadExternal", {"files": [{"id": "F1"}]})
    await slack.api.call("files.getUploadURLExternal", {"filename": "a.log", "length": 3})
    kinds = [kind.split(";")[0] for _, kind, _ in slack.seen]
    assert kinds == ["application/json", "application/json", "application/x-www-form-urlencoded"]


async def pieces(*parts: bytes):
    for part in parts:
        yield part


def address(slack) -> str:
    return urlsplit(slack.api._own)._replace(path="/upload/v1/secret").geturl()


async def test_a_file_is_streamed_with_its_length_and_without_a_token(slack):
    await slack.api.upload(address(slack), pieces(b"one ", b"two"), 7)
    [(path, kind, body)] = slack.seen
    assert (path, kind, body) == ("/upload/v1/secret", "application/octet-stream", b"one two")
    assert slack.headers_seen[0]["Content-Length"] == "7"
    assert "Authorization" not in slack.headers_seen[0]


@pytest.mark.parametrize("status", [302, 400, 404, 500])
async def test_an_upload_that_is_not_taken_may_be_done_again(slack, status):
    slack.status, slack.headers = status, {"Location": "/elsewhere"}
    with pytest.raises(SlackFailed) as raised:
        await slack.api.upload(address(slack), pieces(b"x"), 1)
    assert raised.value.code == f"status_{status}"
    assert len(slack.seen) == 1


async def test_an_upload_that_breaks_off_says_nothing_of_its_address(slack):
    slack.breaks = True
    with pytest.raises(SlackFailed) as raised:
        await slack.api.upload(address(slack), pieces(b"x"), 1)
    assert raised.value.code == "no_answer"
    assert "secret" not in repr(raised.value)


@pytest.mark.parametrize(
    ("api", "url", "is_taken"),
    [
        ("https://slack.com/api/", "https://files.slack.com/upload/v1/x", True),
        ("https://slack.com/api/", "https://slack.com/upload/v1/x", True),
        ("https://slack-gov.com/api/", "https://files.slack-gov.com/upload/v1/x", True),
        ("https://slack.example.org/api/", "https://slack.example.org/upload/v1/x", True),
        ("https://slack.com/api/", "http://files.slack.com/upload/v1/x", False),
        ("https://slack.com/api/", "https://files.slack.com.evil.example/upload/v1/x", False),
        ("https://slack.com/api/", "https://evilslack.com/upload/v1/x", False),
        ("https://slack.com/api/", "https://files.slack.com@evil.example/upload/v1/x", False),
        ("https://slack.com/api/", "https://u:p@files.slack.com/upload/v1/x", False),
        ("https://slack.com/api/", "http://127.0.0.1:8080/upload/v1/x", False),
        ("https://slack.com/api/", "https://[::1/upload", False),
        ("https://slack.com/api/", "", False),
        ("http://127.0.0.1:9000/api/", "http://127.0.0.1:9000/upload/v1/x", True),
        ("http://localhost:9000/api/", "http://[::1]:9000/upload/v1/x", True),
        ("http://127.0.0.1:9000/api/", "https://files.slack.com/upload/v1/x", False),
        ("http://127.0.0.1:9000/api/", "http://127.0.0.1:9001/upload/v1/x", False),
        ("http://127.0.0.1:9000/api/", "http://169.254.169.254:9000/latest", False),
        ("https://slack.com/api/", "https://hooks.slack.com.evil.example/actions/1", False),
        ("https://slack.com/api/", "https://hooks.slack.com/actions/1", True),
        ("https://slack.com/api/", "file:///etc/passwd", False),
    ],
)
def test_files_and_answers_go_to_slack_and_to_nobody_else(api, url, is_taken):
    assert is_slack_address(url, api) is is_taken
