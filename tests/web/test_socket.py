"""Socket Mode against the local Slack: the same listeners, health, reconnecting, a clean end."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.domain.policy import Installation
from bot.web.socket import SocketSide
from tests.playground.slack_help import GENERAL, OLIVIA, slack
from tests.rigs.clock import FakeClock
from tests.security.canaries import logging_everything
from tests.web.bolts import NOWHERE, REGISTER, bolt_with, noting
from tests.web.signed import click, command, event


async def until(condition, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the client of the SDK tells its state in no other way
            await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(listen=None, **options):
    async with slack(**options) as (server, client):
        told = server.credentials
        home = Installation(told["team_id"])
        app = bolt_with({} if listen is None else {"command": listen}, home, client.base_url)
        socket = SocketSide(app, SecretStr(told["app_token"]), client.base_url, ping_seconds=0.2)
        assert not socket.is_ready()
        socket.start()
        try:
            await until(socket.is_ready)
            yield server, socket
        finally:
            await socket.close()
            assert not socket.is_ready()


async def test_a_command_arrives_and_is_answered_in_its_acknowledgement():
    seen = []

    async def listen(ack, body):
        seen.append(body["text"])
        return await ack("understood")

    async with connected(listen) as (server, _socket):
        await server.say(OLIVIA, GENERAL, "/workspace list")
        await until(lambda: seen)
    assert seen == ["list"]


async def test_what_is_under_way_is_finished_before_the_end():
    began, go_on, done = asyncio.Event(), asyncio.Event(), []

    async def listen(ack):
        began.set()
        await go_on.wait()
        answer = await ack()
        done.append(True)
        return answer

    async with connected(listen) as (server, socket):
        saying = asyncio.create_task(server.say(OLIVIA, GENERAL, "/workspace list"))
        await began.wait()
        closing = asyncio.create_task(socket.close())
        await asyncio.sleep(0)
        go_on.set()
        await closing
        assert done == [True]
        await saying


async def test_a_lost_connection_comes_back():
    async with connected() as (server, socket):
        first = socket.client.current_session
        await server.sockets.close()
        await until(lambda: socket.client.current_session is not first and socket.is_ready())


async def test_without_slack_it_goes_on_trying_and_can_be_ended(caplog):
    asked = []

    async def refuse(_request):
        asked.append(True)
        # A ticket for an address where nobody listens: the client alone would try it for ever.
        answer = {"ok": True, "url": "ws://127.0.0.1:9/?ticket=canary"}
        return web.json_response(answer, status=200 if len(asked) > 2 else 503)

    slack_app = web.Application()
    slack_app.router.add_post("/api/apps.connections.open", refuse)
    async with TestServer(slack_app) as server:
        api_url = str(server.make_url("/api/"))
        socket = SocketSide(bolt_with(), SecretStr("xapp-1"), api_url, ping_seconds=0.01)
        tasks = asyncio.all_tasks()
        socket.start()
        await until(lambda: len(asked) >= 5)
        assert not socket.is_ready()
        await socket.close()
    assert asyncio.all_tasks() <= tasks
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("api_url", "is_ours"),
    [("http://127.0.0.1:9/api/", True), ("http://localhost:9/api/", True), ("https://slack.com/api/", False)],
)
async def test_a_proxy_is_not_asked_for_what_is_on_this_machine(api_url, is_ours, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    socket = SocketSide(bolt_with(), SecretStr("xapp-1"), api_url)
    assert (socket.client.proxy is None) == is_ours
    await socket.close()


class Open:
    """Stand where the client's connection stands."""

    closed = False


async def test_a_dead_connection_is_seen_whatever_was_done_to_the_wall_clock():
    clock = FakeClock()
    socket = SocketSide(bolt_with(), SecretStr("xapp-1"), NOWHERE, clock.monotonic)
    socket.client.current_session = Open()
    # The clock was set back by an hour after this pong.
    socket.client.last_ping_pong_time = time.time() + 3600.0
    assert socket.is_ready()
    clock.advance(39.0)
    assert socket.is_ready()
    clock.advance(2.0)
    assert not socket.is_ready()
    # And ahead: a pong that looks old has just come.
    socket.client.last_ping_pong_time = time.time() - 3600.0
    assert socket.is_ready()
    socket.client.current_session = None
    await socket.close()


class Acknowledged:
    """Stand where the SDK's client stands, and keep what is acknowledged; ``lost`` breaks the connection."""

    def __init__(self, *, lost: bool = False) -> None:
        self.logger = logging.getLogger("tests.socket")
        self.lost = lost
        self.responses: list[dict] = []

    async def send_socket_mode_response(self, response):
        if self.lost:
            raise ConnectionResetError
        self.responses.append(response.to_dict())


@pytest.mark.parametrize("lost", [False, True])
async def test_a_malformed_envelope_is_acknowledged_and_a_lost_answer_is_no_fault(lost, capsys):
    socket = SocketSide(bolt_with(), SecretStr("xapp-1"), NOWHERE)
    client = Acknowledged(lost=lost)
    payload = {"type": "block_actions", "user": "canary"}
    request = SocketModeRequest("interactive", "envelope-1", payload, retry_attempt=1)
    await socket.handle(client, request)
    await socket.close()
    assert client.responses == ([] if lost else [{"envelope_id": "envelope-1"}])
    logged = capsys.readouterr().out
    assert "malformed" in logged
    assert ("not_acknowledged" in logged) == lost
    assert "canary" not in logged


async def taken(listeners, kind, payload):
    """Hand over one envelope, and return what was sent back."""
    socket, client = SocketSide(bolt_with(listeners), SecretStr("xapp-1"), NOWHERE), Acknowledged()
    await socket.handle(client, SocketModeRequest(kind, "envelope-1", payload))
    await socket.close()
    return client.responses


async def test_an_event_that_was_not_written_down_is_not_acknowledged():
    async def listen(ack):
        return BoltResponse(status=503, body="")

    assert await taken({"event_callback": listen}, "events_api", event()) == []


async def test_answers_faults_and_refusals_go_back_with_the_acknowledgement():
    async def fail(ack):
        raise RuntimeError

    (said,) = await taken({"command": fail}, "slash_commands", command())
    assert "TEST-0001" in said["payload"]["text"]
    (said,) = await taken({}, "slash_commands", command(team_id="T0OTHER"))
    assert said["payload"]["response_type"] == "ephemeral"
    assert await taken({"event_callback": fail}, "events_api", event()) == [{"envelope_id": "envelope-1"}]


async def test_an_envelope_is_led_by_its_kind_alone():
    calls: list[str] = []
    odd = click(command="/workspace", event={"type": "message"})
    await taken({kind: noting(calls, kind) for kind in REGISTER}, "interactive", odd)
    assert calls == ["block_actions"]


@pytest.mark.parametrize(
    "payload",
    [
        click(type="block_dreams"),
        click(type="view_closed", view={"id": "V1", "callback_id": "x"}),
        # These break Bolt: its reader of arguments, and its reader of requests.
        click(type="workflow_step_edit", callback_id="canary"),
        event(event={"type": "x", "event": {"team": "T", "user": 5}}, authorizations=None),
    ],
)
async def test_whatever_else_comes_is_acknowledged(payload):
    with logging_everything([]) as logged:
        assert await taken({}, "interactive", payload) == [{"envelope_id": "envelope-1"}]
    assert "canary" not in logged.getvalue()
