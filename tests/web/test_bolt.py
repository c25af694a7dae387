"""Bolt behind the front: protocol requests, faults of listeners, headers, and what the logs leave out."""

from __future__ import annotations

import json
import logging

import pytest
from pydantic import SecretStr
from slack_bolt.response import BoltResponse

from bot.web.bolt import Dispatcher, Installation, build_bolt
from bot.web.shapes import Malformed, classify, read_envelope
from tests.support.clock import CountingIds
from tests.web.signed import TEAM, click, command, event

HOME = Installation(
    team_id=TEAM, bot_token=SecretStr("xoxb-canary-token"), bot_user_id="U0BOT", bot_id="B0BOT"
)


@pytest.fixture
def app():
    return build_bolt(installation=HOME, api_url="http://127.0.0.1:9/api/", ids=CountingIds())


async def sent(app, kind, payload, headers=None):
    return await Dispatcher(app, HOME).dispatch(read_envelope(kind, payload), headers)


async def test_a_listener_gets_the_bots_token_and_nothing_is_asked_of_slack(app):
    seen = []

    @app.command("/workspace")
    async def listen(ack, context, client):
        seen.append((context.bot_token, client.token, client.base_url, context.team_id))
        await ack("done")

    response = await sent(app, "slash_commands", command())
    assert (response.status, response.body) == (200, "done")
    assert seen == [("xoxb-canary-token", "xoxb-canary-token", "http://127.0.0.1:9/api/", TEAM)]


@pytest.mark.parametrize("after_ack", [False, True])
async def test_a_listener_that_fails_is_answered_with_a_reference(app, after_ack, capsys):
    @app.command("/workspace")
    async def listen(ack):
        if after_ack:
            await ack()
        raise RuntimeError("canary-of-an-exception")

    response = await sent(app, "slash_commands", command("canary-of-a-text"))
    assert response.status == 200
    answer = json.loads(response.body)
    assert answer["response_type"] == "ephemeral"
    assert "TEST-0001" in answer["text"]
    logged = capsys.readouterr().out
    assert "TEST-0001" in logged
    assert "canary-of-a-text" not in logged


async def test_a_click_that_fails_is_acknowledged(app):
    @app.action("start")
    async def listen(ack):
        raise RuntimeError("canary")

    response = await sent(app, "interactive", click())
    assert (response.status, response.body) == (200, "")


async def test_a_matcher_that_fails_is_no_500(app):
    async def explode(body):
        raise KeyError("canary")

    @app.action("start", matchers=[explode])
    async def listen(ack):
        await ack()

    assert (await sent(app, "interactive", click())).status == 200


async def test_an_answer_of_a_listener_passes_as_it_is(app):
    @app.event("message")
    async def listen():
        return BoltResponse(status=503, body="")

    assert (await sent(app, "events_api", event())).status == 503


async def test_what_nobody_listens_to_is_acknowledged_without_its_body_in_the_log(app, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    assert (await sent(app, "slash_commands", command("canary-of-a-text"))).status == 200
    assert (await sent(app, "interactive", {"type": "workflow_step_edit", "callback_id": "x"})).status == 200
    assert (await sent(app, "events_api", {"type": "app_rate_limited"})).status == 200
    assert "canary" not in caplog.text + capsys.readouterr().out


async def test_debug_logs_hold_neither_bodies_nor_tokens(app, caplog, capsys):
    caplog.set_level(logging.DEBUG)

    @app.command("/workspace")
    async def listen(ack, logger):
        await ack()

    await sent(app, "slash_commands", command("canary-of-a-text"))
    assert "canary" not in caplog.text + capsys.readouterr().out


async def test_the_bots_own_messages_are_not_listened_to(app):
    calls = []

    @app.event("message")
    async def listen(ack):
        calls.append("event")
        await ack()

    own = {"type": "message", "channel_type": "im", "user": "U0BOT", "text": "ready"}
    assert (await sent(app, "events_api", event(event=own))).status == 200
    assert calls == []
    assert (await sent(app, "events_api", event())).status == 200
    assert calls == ["event"]


async def test_first_sight_with_a_retry_number_is_processed(app):
    seen = []

    @app.event("message")
    async def listen(ack, request):
        seen.append(request.headers["x-slack-retry-num"])
        await ack()

    await sent(app, "events_api", event(), {"X-Slack-Retry-Num": "1"})
    assert seen == [["1"]]


async def test_an_event_names_its_home_by_its_authorization(app):
    calls = []

    @app.event("message")
    async def listen(ack):
        calls.append("event")
        await ack()

    # In a shared channel the outer team may be the other organisation's.
    await sent(app, "events_api", event(team_id="T0OTHER"))
    assert calls == ["event"]


async def test_an_organisation_wide_install_takes_its_teams_and_no_others():
    home = Installation(team_id="", enterprise_id="E0ORG", is_org=True, bot_token=SecretStr("xoxb-1"))
    app = build_bolt(installation=home, api_url="http://127.0.0.1:9/api/", ids=CountingIds())
    calls = []

    @app.action("start")
    async def listen(ack):
        calls.append("click")
        await ack()

    for enterprise in ({"id": "E0ORG"}, {"id": "E0OTHER"}, None):
        payload = click(team=None, enterprise=enterprise, is_enterprise_install=True)
        await Dispatcher(app, home).dispatch(classify(payload))
    assert calls == ["click"]


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
