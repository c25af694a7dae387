"""The door behind the front: protocol requests, faults of listeners, tenants, and what the logs leave out."""

from __future__ import annotations

import json
import logging

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from structlog.testing import capture_logs

from bot.logs import brief_exception
from bot.web.bolt import Dispatcher, Installation, slack_client
from bot.web.shapes import Malformed, classify, read_envelope
from tests.support.clock import CountingIds, FakeClock
from tests.web.signed import TEAM, click, command, event, form, guarded, headers_for

HOME = Installation(
    team_id=TEAM, bot_token=SecretStr("xoxb-canary-token"), bot_user_id="U0BOT", bot_id="B0BOT"
)
GRID = Installation(team_id="", enterprise_id="E0ORG", is_org=True, bot_token=SecretStr("xoxb-1"))


async def sent(listeners, kind, payload, home=HOME):
    return await Dispatcher(listeners, home, CountingIds()).dispatch(read_envelope(kind, payload))


def noting(calls):
    async def listen(ack, body):
        calls.append(body.get("type", "command"))
        return await ack()

    return listen


async def fail(_ack, _body):
    raise RuntimeError("canary-of-an-exception")


async def fail_after_ack(ack, _body):
    await ack()
    raise RuntimeError("canary-of-an-exception")


def test_listeners_call_slack_as_the_bot():
    client = slack_client(HOME, "http://127.0.0.1:9/api/")
    assert (client.token, client.base_url) == ("xoxb-canary-token", "http://127.0.0.1:9/api/")


async def test_the_answer_is_what_the_ack_says():
    async def listen(ack, body):
        return await ack(body["text"])

    response = await sent({"command": listen}, "slash_commands", command("done"))
    assert (response.status, response.body) == (200, "done")


@pytest.mark.parametrize("listen", [fail, fail_after_ack])
async def test_a_listener_that_fails_is_answered_with_a_reference(listen):
    with capture_logs() as logs:
        response = await sent({"command": listen}, "slash_commands", command("canary-of-a-text"))
    assert response.status == 200
    answer = json.loads(response.body)
    assert answer["response_type"] == "ephemeral"
    assert "TEST-0001" in answer["text"]
    (entry,) = logs
    assert entry["reference"] == "TEST-0001"
    logged = brief_exception(None, "error", entry)
    assert logged["error"] == "RuntimeError"
    assert "canary" not in str(logged)


@pytest.mark.parametrize("listen", [fail, fail_after_ack])
async def test_a_click_that_fails_is_acknowledged(listen, capsys):
    response = await sent({"block_actions": listen}, "interactive", click())
    assert (response.status, response.body) == (200, "")
    assert "TEST-0001" in capsys.readouterr().out


async def test_an_answer_of_a_listener_passes_as_it_is():
    async def listen(_ack, _body):
        return BoltResponse(status=503, body="")

    assert (await sent({"event_callback": listen}, "events_api", event())).status == 503


async def test_a_payload_is_led_by_its_kind_alone():
    calls = []
    listeners = {"block_actions": noting(calls), "event_callback": noting(calls)}
    # What is within a payload names no other listener than its type does.
    await sent(listeners, "interactive", click(command="/workspace", event={"type": "message"}))
    await sent(listeners, "events_api", event(actions=[{"action_id": "start", "type": "button"}]))
    assert calls == ["block_actions", "event_callback"]


async def test_what_nobody_listens_to_is_acknowledged_without_its_body_in_the_log(caplog, capsys):
    caplog.set_level(logging.DEBUG)
    closed = click(type="view_closed", view={"id": "V1", "callback_id": "x"}, text="canary")
    for kind, payload in (
        ("slash_commands", command("canary-of-a-text")),
        ("interactive", {"type": "workflow_step_edit", "callback_id": "canary"}),
        ("interactive", closed),
        ("events_api", {"type": "app_rate_limited", "text": "canary"}),
    ):
        response = await sent({}, kind, payload)
        assert (response.status, response.body) == (200, "")
    assert "canary" not in caplog.text + capsys.readouterr().out


async def test_debug_logs_hold_neither_bodies_nor_tokens(caplog, capsys):
    caplog.set_level(logging.DEBUG)
    await sent({"command": noting([])}, "slash_commands", command("canary-of-a-text"))
    assert "canary" not in caplog.text + capsys.readouterr().out


@pytest.mark.parametrize(
    "own", [{"user": "U0BOT"}, {"user": None, "bot_id": "B0BOT"}, {"user": "U0BOT", "bot_id": "B0OTHER"}]
)
async def test_the_bots_own_messages_are_not_listened_to(own):
    calls = []
    told = {"type": "message", "channel_type": "im", "text": "ready", **own}
    response = await sent({"event_callback": noting(calls)}, "events_api", event(event=told))
    assert (response.status, response.body) == (200, "")
    assert calls == []


async def test_others_messages_are_listened_to_even_where_the_bot_is_not_known():
    calls = []
    unknown = Installation(team_id=TEAM, bot_token=SecretStr("xoxb-1"))
    for told in ({"user": "U0ALICE"}, {"bot_id": "B0OTHER"}, {}):
        payload = event(event={"type": "message", **told})
        await sent({"event_callback": noting(calls)}, "events_api", payload)
        await sent({"event_callback": noting(calls)}, "events_api", payload, unknown)
    assert len(calls) == 6


async def test_first_sight_with_a_retry_number_is_processed():
    calls, clock = [], FakeClock()
    dispatcher = Dispatcher({"command": noting(calls)}, HOME, CountingIds())
    raw = form(command())
    retried = headers_for(clock, raw) | {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    async with TestClient(TestServer(guarded(clock, dispatcher.over_http))) as client:
        assert (await client.post("/slack/events", data=raw, headers=retried)).status == 200
    assert calls == ["command"]


@pytest.mark.parametrize(
    ("said", "content_type", "text"),
    [
        ("", "text/plain; charset=utf-8", ""),
        ("Grüße", "text/plain; charset=utf-8", "Grüße"),
        ({"text": "Grüße"}, "application/json; charset=utf-8", '{"text": "Gr\\u00fc\\u00dfe"}'),
    ],
)
async def test_an_ack_is_on_the_wire_what_bolt_makes_of_it(said, content_type, text):
    async def listen(ack, _body):
        return await ack(said)

    clock, raw = FakeClock(), form(command())
    dispatcher = Dispatcher({"command": listen}, HOME, CountingIds())
    async with TestClient(TestServer(guarded(clock, dispatcher.over_http))) as client:
        response = await client.post("/slack/events", data=raw, headers=headers_for(clock, raw))
        assert response.headers["Content-Type"].replace(";c", "; c") == content_type
        assert await response.text() == text


async def test_an_event_names_its_home_by_its_authorization():
    calls = []
    # In a shared channel the outer team may be the other organisation's.
    await sent({"event_callback": noting(calls)}, "events_api", event(team_id="T0OTHER"))
    assert calls == ["event_callback"]


async def test_an_organisation_wide_install_takes_its_teams_and_no_others():
    calls = []
    for enterprise in ({"id": "E0ORG"}, {"id": "E0OTHER"}, None):
        payload = click(team=None, enterprise=enterprise, is_enterprise_install=True)
        await Dispatcher({"block_actions": noting(calls)}, GRID, CountingIds()).dispatch(classify(payload))
    assert calls == ["block_actions"]


#: Payloads that name where they belong in one of Slack's many ways.
PLACES = [
    command(),
    command(enterprise_id="E0ORG"),
    command(team_id=None),
    click(),
    click(team={"id": "T0OTHER"}),
    click(team=None, enterprise={"id": "E0ORG"}),
    click(team=None, user={"id": "U0ALICE", "team_id": TEAM}),
    click(team=TEAM, enterprise="E0ORG"),
    click(team={"id": "T0OTHER", "enterprise_id": "E0ORG"}),
    click(view={"id": "V1", "callback_id": "x", "app_installed_team_id": TEAM}, team={"id": "T0OTHER"}),
    event(),
    event(team_id="T0OTHER"),
    event(authorizations=[{"team_id": "T0OTHER", "enterprise_id": "E0ORG"}]),
    event(authorizations=[]),
    event(authorizations=None, team_id=None, enterprise_id="E0ORG"),
]


@pytest.mark.parametrize("payload", PLACES)
@pytest.mark.parametrize("home", [HOME, GRID])
async def test_whose_payload_it_is_is_judged_as_bolt_reads_it(payload, home):
    context = AsyncBoltRequest(body=payload, mode="socket_mode").context
    calls, kind = [], payload.get("type", "command")
    await sent({kind: noting(calls)}, "slash_commands" if kind == "command" else "interactive", payload, home)
    assert bool(calls) == home.is_home(context.enterprise_id, context.team_id)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("slash_commands", None),
        ("slash_commands", []),
        ("slash_commands", {"command": 5}),
        ("slash_commands", {**command(), "text": ["list"]}),
        ("interactive", {}),
        ("interactive", click(user=5)),
        ("events_api", {"type": "event_callback"}),
        ("events_api", "hello"),
    ],
)
def test_envelopes_of_a_wrong_shape_are_malformed(kind, payload):
    with pytest.raises(Malformed):
        read_envelope(kind, payload)


def test_a_deep_envelope_is_malformed():
    deep = click()
    for _ in range(100):
        deep = {"type": "block_actions", "a": deep}
    with pytest.raises(Malformed):
        read_envelope("interactive", deep)


def test_the_token_is_in_no_representation():
    assert "canary" not in repr(HOME)
