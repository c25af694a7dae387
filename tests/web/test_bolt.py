"""Tests of Bolt behind the front: requests that are answered, other workspaces, and what isn't logged."""

import json
import os

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from structlog.testing import capture_logs

from bot.domain.installations import Installation
from bot.support.logs import shorten_exception
from bot.web.bolt import build_http_handler, dispatch
from bot.web.shapes import Malformed, check_payload, read_envelope
from tests.rigs.clock import FakeClock
from tests.security.canaries import logging_everything
from tests.web.bolts import HOME, REGISTER, bolt_with, noting
from tests.web.signed import FORM, TEAM, click, command, event, form, guarded, headers_for, interaction

GRID = Installation(None, "E0ORG", is_org_wide=True)
JSON = "application/json"


async def sent(listeners, kind, payload, home=HOME):
    return await dispatch(bolt_with(listeners, home), read_envelope(kind, payload))


async def posted(app, raw, **how):
    """Send signed bytes, and return the status and text of the answer."""
    clock = FakeClock()
    async with TestClient(TestServer(guarded(clock, build_http_handler(app)))) as client:
        response = await client.post("/slack/events", data=raw, headers=headers_for(clock, raw, **how))
        return response.status, await response.text()


async def fail(ack):
    raise RuntimeError("canary-of-an-exception")


async def fail_after_ack(ack):
    await ack()
    raise RuntimeError("canary-of-an-exception")


async def test_listeners_call_slack_as_the_bot():
    async def listen(ack, client):
        return await ack(f"{client.token} {client.base_url}")

    response = await sent({"command": listen}, "slash_commands", command())
    assert response.body == "xoxb-canary-token http://127.0.0.1:9/api/"


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
    logged = shorten_exception(None, "error", entry)
    assert logged["error"] == "RuntimeError"
    assert "canary" not in str(logged)


@pytest.mark.parametrize("listen", [fail, fail_after_ack])
async def test_a_click_that_fails_is_acknowledged(listen, capsys):
    response = await sent({"block_actions": listen}, "interactive", click())
    assert (response.status, response.body) == (200, "")
    assert "TEST-0001" in capsys.readouterr().out


async def test_an_answer_of_a_listener_passes_as_it_is():
    async def listen(ack):
        return BoltResponse(status=503, body="")

    assert (await sent({"event_callback": listen}, "events_api", event())).status == 503


async def test_a_payload_is_led_by_its_kind_alone():
    calls: list[str] = []
    app = bolt_with({kind: noting(calls, kind) for kind in REGISTER})
    # The contents of a payload don't select a listener of another kind than its type.
    await posted(app, interaction(click(command="/workspace", event={"type": "message"})))
    odd = json.dumps(event(actions=[{"action_id": "start", "type": "button"}], command="/workspace"))
    await posted(app, odd.encode(), content_type=JSON)
    assert calls == ["block_actions", "event_callback"]


#: Requests for which there is no listener: kinds that Usher doesn't use, old and unknown ones, and some on
#: which Bolt's argument parser fails.
UNHEARD = {
    "a closed form": click(type="view_closed", view={"id": "V1", "callback_id": "x"}, text="canary"),
    "a shortcut": click(type="shortcut", callback_id="canary"),
    "a shortcut at a message": click(type="message_action", callback_id="canary"),
    "a button of an attachment": click(type="interactive_message", callback_id="canary"),
    "a dialog": click(type="dialog_submission", callback_id="canary", submission={}),
    "suggestions for a dialog": click(type="dialog_suggestion", callback_id="canary"),
    "a step of a workflow": click(type="workflow_step_edit", callback_id="x", workflow_step={"a": "canary"}),
    "a kind of tomorrow": click(type="block_dreams", text="canary"),
    "a kind of no workspace": {"type": "block_dreams", "text": "canary"},
    "a limit of events": {"type": "app_rate_limited", "team_id": TEAM, "token": "canary"},
    "a function": event(
        event={
            "type": "function_executed",
            "function": {"callback_id": "canary"},
            "function_execution_id": "Fx1",
            "bot_access_token": "xwfp-canary",
        }
    ),
    "an event of tomorrow": event(event={"type": "dream_had", "text": "canary"}),
    "a step without a step": click(type="workflow_step_edit", callback_id="canary"),
    "a button of no attachment": click(type="interactive_message", callback_id="canary", actions=[]),
}


@pytest.mark.parametrize("name", UNHEARD)
@pytest.mark.parametrize("kinds", [(), tuple(REGISTER)])
async def test_what_nobody_listens_to_is_acknowledged(name, kinds):
    app = bolt_with({kind: noting([]) for kind in kinds})
    is_event = UNHEARD[name]["type"] == "event_callback"
    raw = json.dumps(UNHEARD[name]).encode() if is_event else interaction(UNHEARD[name])
    assert await posted(app, raw, content_type=JSON if is_event else FORM) == (200, "")


async def test_what_breaks_bolt_itself_is_logged_as_a_fault():
    with capture_logs() as logs:
        await sent({}, "interactive", UNHEARD["a step without a step"])
    (entry,) = logs
    assert (entry["event"], entry["log_level"]) == ("slack.bolt_failed", "error")
    assert "canary" not in str(shorten_exception(None, "error", entry))


async def test_a_payload_that_bolt_cannot_take_in_is_malformed():
    odd = {"type": "event_callback", "event_id": "Ev1", "event": {"type": "x", "event": {"team": 5}}}
    answer = await posted(bolt_with(), json.dumps(odd).encode(), content_type=JSON)
    assert answer == (400, "malformed: event_callback")


@pytest.mark.parametrize(
    ("raw", "content_type", "text"),
    [
        (b'{"type": "url_verification", "challenge": "c4", "token": "t"}', JSON, '{"challenge": "c4"}'),
        (b"ssl_check=1&token=t", FORM, ""),
    ],
)
async def test_slacks_own_questions_need_no_workspace(raw, content_type, text, monkeypatch):
    # Bolt would read this token from the environment, and refuse requests that contain it.
    monkeypatch.setenv("SLACK_VERIFICATION_TOKEN", "t")
    assert await posted(bolt_with(), raw, content_type=content_type) == (200, text)


OTHER = {"team": {"id": "T0OTHER"}, "view": {"id": "V", "callback_id": "x", "type": "modal"}}
#: The beginning of the answer to other Slack workspaces, by kind of request.
REFUSED = [
    ("slash_commands", command(team_id="T0OTHER"), '{"response_type": "ephemeral", "text": "'),
    ("interactive", click(**OTHER), ""),
    ("interactive", click(type="view_submission", **OTHER), '{"response_action": "update", "view": {"type"'),
    ("interactive", click(type="block_suggestion", action_id="x", **OTHER), '{"options": []}'),
    ("interactive", click(type="view_closed", **OTHER), ""),
    ("interactive", click(type="block_dreams", **OTHER), ""),
    ("events_api", event(authorizations=[{"team_id": "T0OTHER"}]), ""),
]


async def test_other_workspaces_are_refused_each_in_its_own_form_and_nobody_is_called():
    called = []

    async def note(request):
        called.append(request.path)
        return web.json_response({"ok": True})

    slack = web.Application()
    slack.router.add_route("*", "/{path:.*}", note)
    calls: list[str] = []
    async with TestServer(slack) as server:
        url = str(server.make_url("/api/"))
        app = bolt_with({kind: noting(calls) for kind in REGISTER}, api_url=url)
        for kind, payload, text in REFUSED:
            response = await dispatch(app, read_envelope(kind, {**payload, "response_url": url}))
            assert response.status == 200
            assert response.body.startswith(text)
            assert bool(response.body) == bool(text)
            assert ("not installed" in response.body) == (len(text) > len('{"options": []}'))
    assert calls == called == []


def test_nothing_is_taken_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    given = ("CLIENT_ID", "CLIENT_SECRET", "BOT_TOKEN", "SIGNING_SECRET", "VERIFICATION_TOKEN", "SCOPES")
    for name in given:
        monkeypatch.setenv(f"SLACK_{name}", "canary")
    before = dict(os.environ)
    app = bolt_with()
    assert app.oauth_flow is None
    assert app.installation_store is None
    assert app.client.token is None
    assert "canary" not in repr(vars(app))
    assert dict(os.environ) == before
    assert list(tmp_path.iterdir()) == []


async def test_logs_hold_neither_bodies_nor_tokens_at_any_level():
    own = {"type": "message", "user": "U0BOT", "text": "canary-of-a-text"}
    with logging_everything([]) as logged:
        app = bolt_with({"command": noting([]), "block_actions": fail})
        for kind, payload in (
            ("slash_commands", command("canary-of-a-text")),
            ("slash_commands", command("canary-of-a-text", team_id="T0OTHER")),
            ("interactive", click(message={"text": "canary-of-a-text"})),
            ("events_api", event(event=own)),
            *(("interactive", payload) for payload in UNHEARD.values()),
        ):
            await dispatch(app, read_envelope(kind, payload))
    for known in ("TEST-0001", "slack.kind_ignored", "slack.foreign_team_refused", "slack.bolt_failed"):
        assert known in logged.getvalue()
    assert "canary" not in logged.getvalue()


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
    unknown = Installation(TEAM)
    for told in ({"user": "U0ALICE"}, {"bot_id": "B0OTHER"}, {}):
        payload = event(event={"type": "message", **told})
        await sent({"event_callback": noting(calls)}, "events_api", payload)
        await sent({"event_callback": noting(calls)}, "events_api", payload, unknown)
    assert len(calls) == 6


async def test_first_sight_with_a_retry_number_is_processed():
    calls, clock = [], FakeClock()
    app = bolt_with({"command": noting(calls)})
    raw = form(command())
    retried = headers_for(clock, raw) | {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    # Slack doesn't sign this header, which would make Bolt skip the listener.
    retried["X-Slack-Bolt-Lazy-Only"] = "1"
    async with TestClient(TestServer(guarded(clock, build_http_handler(app)))) as client:
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
    async def listen(ack):
        return await ack(said)

    clock, raw = FakeClock(), form(command())
    app = bolt_with({"command": listen})
    async with TestClient(TestServer(guarded(clock, build_http_handler(app)))) as client:
        response = await client.post("/slack/events", data=raw, headers=headers_for(clock, raw))
        assert response.headers["Content-Type"].replace(";c", "; c") == content_type
        assert await response.text() == text


async def test_an_event_names_its_home_by_its_authorization():
    calls = []
    # In a shared channel, the outer team may be that of the other organisation.
    await sent({"event_callback": noting(calls)}, "events_api", event(team_id="T0OTHER"))
    assert calls == ["event_callback"]


async def test_an_organisation_wide_install_takes_its_teams_and_no_others():
    calls = []
    for enterprise in ({"id": "E0ORG"}, {"id": "E0OTHER"}, None):
        payload = click(team=None, enterprise=enterprise, is_enterprise_install=True)
        await dispatch(bolt_with({"block_actions": noting(calls)}, GRID), check_payload(payload))
    assert calls == ["block_actions"]


#: Payloads that name their Slack workspace in one of Slack's many ways.
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
    assert bool(calls) == home.has_team(context.enterprise_id, context.team_id)


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
