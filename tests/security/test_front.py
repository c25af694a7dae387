"""Tests of forged, garbled and repeated requests to the endpoint that Slack calls."""

import asyncio
import io
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.store.signatures import RETENTION_SECONDS
from bot.web.bolt import build_http_handler
from bot.web.front import MAX_BYTES, MAX_KEPT_ANSWERS, REPEAT_SECONDS
from bot.web.replays import Replays
from tests.rigs.clock import FakeClock
from tests.web import signed
from tests.web.bolts import REGISTER, bolt_with, noting
from tests.web.signed import FORM, click, command, event, form, guarded, headers_for, interaction

JSON = "application/json"
GOOD = form(command())


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def calls():
    return []


@pytest.fixture
async def client(clock, calls):
    app = bolt_with({kind: noting(calls) for kind in REGISTER})
    async with TestClient(TestServer(guarded(clock, build_http_handler(app)))) as client:
        yield client


async def post(client, raw, headers):
    return await client.post("/slack/events", data=raw, headers=headers, skip_auto_headers=["Content-Type"])


def without(name):
    return lambda headers: headers.pop(name)


def changed(name, value):
    return lambda headers: headers.__setitem__(name, value(headers[name]) if callable(value) else value)


STAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"

#: Faulty headers of a request whose body is valid: how they are changed, and the status of the answer.
HEADERS = {
    "no timestamp": (without(STAMP), 401),
    "no signature": (without(SIGNATURE), 401),
    "empty timestamp": (changed(STAMP, ""), 401),
    "empty signature": (changed(SIGNATURE, ""), 401),
    "timestamp in words": (changed(STAMP, "now"), 401),
    "negative timestamp": (changed(STAMP, lambda at: "-" + at), 401),
    "fractional timestamp": (changed(STAMP, lambda at: at + ".5"), 401),
    "timestamp with an exponent": (changed(STAMP, "18e8"), 401),
    "timestamp in other digits": (changed(STAMP, "१८००००००००"), 401),
    "timestamp too long": (changed(STAMP, "9" * 12), 401),
    "timestamp far too long": (changed(STAMP, "9" * 5000), 401),
    "timestamp too short": (changed(STAMP, "1"), 401),
    "timestamp padded": (changed(STAMP, lambda at: "00" + at), 401),
    "another timestamp": (changed(STAMP, lambda at: str(int(at) - 1)), 401),
    "signature of another version": (changed(SIGNATURE, lambda it: "v1" + it[2:]), 401),
    "signature without version": (changed(SIGNATURE, lambda it: it[3:]), 401),
    "signature in upper case": (changed(SIGNATURE, lambda it: "v0=" + it[3:].upper()), 401),
    "signature cut": (changed(SIGNATURE, lambda it: it[:-1]), 401),
    "signature longer": (changed(SIGNATURE, lambda it: it + "0"), 401),
    "signature of zeros": (changed(SIGNATURE, "v0=" + "0" * 64), 401),
    "signature not in hex": (changed(SIGNATURE, "v0=" + "g" * 64), 401),
    "signature not in ASCII": (changed(SIGNATURE, "v0=" + "é" * 64), 401),
    "signature with more behind it": (changed(SIGNATURE, lambda it: it + ",v0=" + "0" * 64), 401),
    "packed body": (lambda headers: headers.__setitem__("Content-Encoding", "deflate"), 400),
    "unknown packing": (lambda headers: headers.__setitem__("Content-Encoding", "zebra"), 400),
    "no content type": (without("Content-Type"), 400),
    "content type of a file": (changed("Content-Type", "multipart/form-data; boundary=x"), 400),
    "content type of text": (changed("Content-Type", "text/plain"), 400),
    "content type in pieces": (changed("Content-Type", ";;;"), 400),
    "unknown charset": (changed("Content-Type", FORM + "; charset=zebra"), 400),
    "other charset": (changed("Content-Type", FORM + "; charset=utf-16"), 400),
    "JSON said of a form": (changed("Content-Type", JSON), 400),
}


async def test_malformed_headers_are_refused(client, clock, calls):
    for number, (name, (change, status)) in enumerate(HEADERS.items()):
        # Each request has a different time, so that none is refused as a repetition.
        headers = headers_for(clock, GOOD, at=clock.now() - number)
        change(headers)
        response = await post(client, GOOD, headers)
        assert response.status == status, name
        assert "workspace" not in await response.text()
    assert calls == []


#: Correctly signed bodies that Slack wouldn't send: content type and bytes.
BODIES = {
    "nothing": (FORM, b""),
    "nothing as JSON": (JSON, b""),
    "not UTF-8": (FORM, b"\xff\xfe\xfd"),
    "escapes that are not UTF-8": (FORM, b"command=%ff%fe"),
    "only a NUL": (FORM, b"\x00"),
    "a field twice": (FORM, b"command=/workspace&command=/other"),
    "two payloads": (FORM, b"payload={}&payload={}"),
    "a thousand fields": (FORM, b"&".join(b"f%d=1" % n for n in range(1000))),
    "neither payload nor command": (FORM, b"a=b"),
    "a command without its stroke": (FORM, form(command(command="workspace"))),
    "an empty command": (FORM, form(command(command=""))),
    "a payload of garbage": (FORM, interaction("{")),
    "an empty payload": (FORM, interaction("")),
    "a payload of null": (FORM, interaction("null")),
    "a payload that is a list": (FORM, interaction("[]")),
    "a payload that is a number": (FORM, interaction("1")),
    "an empty object": (FORM, interaction({})),
    "a type of another type": (FORM, interaction({"type": 1})),
    "a hundred thousand brackets": (FORM, interaction("[" * 100_000)),
    "a deep object": (FORM, interaction({"type": "block_actions", "a": json.loads("[" * 90 + "]" * 90)})),
    "a number that is none": (FORM, interaction('{"type": NaN}')),
    "a number of 5,000 digits": (FORM, interaction('{"type": "block_actions", "a": ' + "9" * 5000 + "}")),
    "half a surrogate pair": (FORM, interaction('{"type": "block_actions", "a": "\\ud800"}')),
    "a click without actions": (FORM, interaction(click(actions=None))),
    "a click with no action": (FORM, interaction(click(actions=[]))),
    "a click whose actions are an object": (FORM, interaction(click(actions={"0": {}}))),
    "a click whose action is null": (FORM, interaction(click(actions=[None]))),
    "a click whose action has no id": (FORM, interaction(click(actions=[{"type": "button"}]))),
    "a click whose action id is a list": (
        FORM,
        interaction(click(actions=[{"type": "button", "action_id": []}])),
    ),
    "a click by a number": (FORM, interaction(click(user=7))),
    "a click by a nameless list": (FORM, interaction(click(user={"id": ["U0ALICE"]}))),
    "a click in a team that is a list": (FORM, interaction(click(team=[]))),
    "a click in an enterprise of number": (FORM, interaction(click(enterprise=5))),
    "a click in a channel that is true": (FORM, interaction(click(channel=True))),
    "a click with answers nowhere": (FORM, interaction(click(response_urls=["x"]))),
    "a view without a view": (FORM, interaction({"type": "view_submission", "team": {"id": signed.TEAM}})),
    "a view that is a text": (FORM, interaction({"type": "view_submission", "view": "form"})),
    "a view without a type": (
        FORM,
        interaction({"type": "view_submission", "view": {"id": "V1", "callback_id": "form"}}),
    ),
    "a view without an id": (FORM, interaction({"type": "view_submission", "view": {"callback_id": "form"}})),
    "options for nothing": (FORM, interaction({"type": "block_suggestion", "team": {"id": signed.TEAM}})),
    "a shortcut to nothing": (FORM, interaction({"type": "shortcut", "team": {"id": signed.TEAM}})),
    "JSON of garbage": (JSON, b"{"),
    "JSON that is a text": (JSON, b'"event_callback"'),
    "an event without event": (JSON, json.dumps(event(event=None)).encode()),
    "an event that is a list": (JSON, json.dumps(event(event=[])).encode()),
    "an event without type": (JSON, json.dumps(event(event={})).encode()),
    "an event without id": (JSON, json.dumps(event(event_id=None)).encode()),
    "an event of number": (JSON, json.dumps(event(event={"type": 3})).encode()),
    "an event whose text is a list": (
        JSON,
        json.dumps(event(event={"type": "message", "text": []})).encode(),
    ),
    "authorizations of null": (JSON, json.dumps(event(authorizations=[None])).encode()),
    "authorizations of a text": (JSON, json.dumps(event(authorizations="T1")).encode()),
    "an event within an event": (
        JSON,
        b'{"type": "event_callback", "event_id": "E", "event": {"type": "x", "event": {"team": 5}}}',
    ),
    "a challenge of number": (JSON, b'{"type": "url_verification", "challenge": 5}'),
    "a challenge of nothing": (JSON, b'{"type": "url_verification"}'),
}


async def test_malformed_signed_bodies_are_refused(client, clock, calls):
    for number, (name, (content_type, raw)) in enumerate(BODIES.items()):
        headers = headers_for(clock, raw, content_type=content_type, at=clock.now() - number)
        assert (await post(client, raw, headers)).status == 400, name
    assert calls == []


async def test_the_same_bodies_unsigned_are_not_even_parsed(client, clock, calls):
    for content_type, raw in BODIES.values():
        headers = headers_for(clock, raw, content_type=content_type, secret="another")
        response = await post(client, raw, headers)
        assert (response.status, await response.text()) == (401, "signature")
    assert calls == []


async def test_a_header_that_stands_twice_is_refused(client, clock, calls):
    headers = list(headers_for(clock, GOOD).items())
    for name in (STAMP, SIGNATURE, "Content-Type"):
        twice = [*headers, next(pair for pair in headers if pair[0] == name)]
        response = await post(client, GOOD, twice)
        assert response.status in (400, 401)
    assert calls == []


async def test_only_posts_are_taken(client, calls):
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert (await client.request(method, "/slack/events")).status == 405
    assert calls == []


async def test_size_is_capped_said_or_not(client, clock, calls):
    raw = GOOD + b"&filling=" + b"x" * MAX_BYTES
    headers = headers_for(clock, raw)
    assert (await post(client, io.BytesIO(raw), headers)).status == 413

    async def pieces():
        for start in range(0, len(raw), 65536):
            yield raw[start : start + 65536]

    assert (await post(client, pieces(), headers)).status == 413
    assert calls == []


async def test_a_size_that_is_too_large_is_refused_before_anything_else_is_looked_at(client, calls):
    assert (await post(client, io.BytesIO(b"x" * (MAX_BYTES + 1)), {})).status == 413
    assert calls == []


@pytest.mark.parametrize(("age", "status"), [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)])
async def test_a_request_is_good_for_five_minutes_either_way(age, status, client, clock, calls):
    response = await post(client, GOOD, headers_for(clock, GOOD, at=clock.now() + age))
    assert response.status == status
    assert len(calls) == (status == 200)


async def test_fifty_equal_requests_at_once_are_one_and_get_its_answer():
    """A proxy that lost the answer may repeat a request, even while the first one is still being handled."""
    clock, served, begun, slow = FakeClock(), [], asyncio.Event(), asyncio.Event()

    async def serve(payload, _signature, _headers):
        served.append(payload["command"])
        begun.set()
        await slow.wait()
        return web.json_response({"text": f"answer {len(served)}"}, status=202)

    headers = headers_for(clock, GOOD)
    async with TestClient(TestServer(guarded(clock, serve))) as client:
        sent = [asyncio.ensure_future(post(client, GOOD, headers)) for _ in range(50)]
        await begun.wait()
        slow.set()
        responses = await asyncio.gather(*sent)
        said = {
            (response.status, response.content_type, await response.text(), len(served))
            for response in responses
        }
    assert said == {(202, "application/json", '{"text": "answer 1"}', 1)}


@pytest.mark.parametrize(("after", "status"), [(0, 200), (REPEAT_SECONDS, 200), (REPEAT_SECONDS + 1, 401)])
async def test_the_same_bytes_are_a_replay_after_a_minute(after, status):
    clock, served = FakeClock(), []

    async def serve(payload, _signature, _headers):
        served.append(payload)
        return web.Response(text="done")

    headers = headers_for(clock, GOOD)
    async with TestClient(TestServer(guarded(clock, serve))) as client:
        await post(client, GOOD, headers)
        clock.advance(after)
        response = await post(client, GOOD, headers)
        assert (response.status, await response.text()) == (status, "done" if status == 200 else "replay")
    assert len(served) == 1


async def test_a_repetition_without_a_kept_answer_gets_no_words():
    """A failed request has no answer to keep.

    If there are too many answers, the oldest ones are dropped.
    """
    clock = FakeClock()

    async def serve(_payload, signature, _headers):
        if signature == broken["X-Slack-Signature"]:
            raise RuntimeError
        return web.Response(text="done")

    broken = headers_for(clock, GOOD, at=clock.now() - 1)
    async with TestClient(TestServer(guarded(clock, serve))) as client:
        assert (await post(client, GOOD, broken)).status == 500
        response = await post(client, GOOD, broken)
        assert (response.status, await response.text()) == (200, "")
        stamps = [
            headers_for(clock, GOOD, at=clock.now() - 2 - count) for count in range(MAX_KEPT_ANSWERS + 1)
        ]
        for headers in stamps:
            await post(client, GOOD, headers)
        said = [await (await post(client, GOOD, headers)).text() for headers in (stamps[0], stamps[-1])]
    assert said == ["", "done"]


async def test_malformed_bytes_are_refused_each_time(client, clock, calls):
    content_type, raw = BODIES["a payload of garbage"]
    headers = headers_for(clock, raw, content_type=content_type)
    assert [(await post(client, raw, headers)).status for _ in range(2)] == [400, 400]
    assert calls == []


VIEW = {"id": "V1", "callback_id": "form", "type": "modal", "state": {"values": {}}}


def test_signatures_are_forgotten_after_ten_minutes_and_never_pile_up():
    clock = FakeClock()
    seen = Replays(clock.monotonic, limit=3)
    assert seen.is_first("a")
    clock.advance(RETENTION_SECONDS - 1)
    assert not seen.is_first("a")
    assert seen.is_first("b")
    clock.advance(1)
    assert seen.is_first("a")
    assert len(seen) == 2
    for signature in "cdef":
        assert seen.is_first(signature)
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("content_type", "raw", "kind"),
    [
        (FORM, GOOD, "command"),
        (FORM, interaction(click()), "block_actions"),
        (JSON + "; charset=utf-8", json.dumps(event()).encode(), "event_callback"),
        (FORM, interaction(click(type="view_submission", view=VIEW)), "view_submission"),
        (FORM, interaction(click(type="block_suggestion", action_id="pick", value="")), "block_suggestion"),
    ],
)
async def test_good_requests_of_every_kind_arrive(content_type, raw, kind, client, clock, calls):
    response = await post(client, raw, headers_for(clock, raw, content_type=content_type))
    assert response.status == 200
    assert calls == [kind]


async def test_the_address_is_verified_by_its_challenge_only_when_signed(client, clock):
    raw = b'{"type": "url_verification", "challenge": "c4", "token": "x"}'
    response = await post(client, raw, headers_for(clock, raw, content_type=JSON))
    assert (response.status, await response.json()) == (200, {"challenge": "c4"})
    response = await post(client, raw, headers_for(clock, raw, content_type=JSON, secret="another"))
    assert response.status == 401


#: Payloads without a Slack workspace, or from another installation. Each is refused, and commands get a hint.
FOREIGN = {
    "command of no team": (FORM, form(command(team_id=None)), True),
    "command of an empty team": (FORM, form(command(team_id="")), True),
    "click in a null team": (FORM, interaction(click(team=None, user={"id": "U0ALICE"})), False),
    "click in a team without id": (FORM, interaction(click(team={}, user={"id": "U0ALICE"})), False),
    "event for no team": (JSON, json.dumps(event(authorizations=None, team_id=None)).encode(), False),
    "organisation where the install is of a team": (
        FORM,
        interaction(click(team=None, enterprise={"id": "E0"}, is_enterprise_install=True, user={"id": "U"})),
        False,
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
async def test_foreign_and_missing_teams_are_refused(name, client, clock, calls):
    content_type, raw, has_hint = FOREIGN[name]
    response = await post(client, raw, headers_for(clock, raw, content_type=content_type))
    assert response.status == 200
    assert ("not installed" in await response.text()) == has_hint
    assert calls == []


@pytest.mark.parametrize(
    "tail",
    [
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nbroken",
        b"Content-Length: 50\r\n\r\ntoo short",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    ],
)
async def test_bodies_that_break_off_reach_nobody(tail, client, clock, calls):
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    lines = [f"{name}: {value}" for name, value in headers_for(clock, GOOD).items()]
    head = "\r\n".join(["POST /slack/events HTTP/1.1", "Host: usher", "Connection: close", *lines])
    writer.write(head.encode() + b"\r\n" + tail)
    writer.write_eof()
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert calls == []
