"""Tests of Socket Mode with the local Slack: the same listeners, health, reconnecting, a clean end."""

import asyncio
import json
import logging
import time

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.slack.bolt_context import RETRY_NUMBER
from bot.support.addresses import Proxy
from bot.web.socket import (
    LONGEST_PAUSE,
    MAX_FRAME_BYTES,
    SHORT_LIVED,
    SocketConnection,
    SocketSide,
    read_frame,
    wanted_pause,
)
from tests.playground.slack_help import GENERAL, OLIVIA
from tests.rigs.clock import FakeClock
from tests.security.canaries import logging_everything
from tests.web.bolts import NOWHERE, bolt_with
from tests.web.signed import click, command, event
from tests.web.sockets import connected, until

#: Number of two-byte characters that fit into a frame along with the surrounding text.
FITS = 10_216


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


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_new_connections_are_open_before_the_old_ones_go_and_answers_take_the_way_they_came(reason):
    began, go_on, seen = asyncio.Event(), asyncio.Event(), []

    async def listen(ack, body):
        seen.append(body["text"])
        began.set()
        await go_on.wait()
        return await ack()

    clock = FakeClock()
    async with connected(listen, connections=2, monotonic=clock.monotonic) as (server, socket):
        old = list(server.sockets.open)
        clock.advance(SHORT_LIVED)
        saying = asyncio.create_task(server.say(OLIVIA, GENERAL, "/workspace list"))
        await began.wait()
        await server.sockets.disconnect(reason, close=False)
        await until(lambda: len(server.sockets.open) == 4)
        assert socket.is_ready()
        # Requests that Slack still sends on an old connection are accepted, too.
        later = {**server.sockets.sent[-1], "envelope_id": "later"}
        again = asyncio.create_task(server.sockets.deliver(later, 3.0, old[0]))
        await until(lambda: len(seen) == 2)
        go_on.set()
        assert (await saying)["ok"]
        assert (await again).ok
        for one in old:
            await one.close()
        await until(lambda: len(server.sockets.open) == 2)
        assert socket.is_ready()
        assert not set(old) & set(server.sockets.open)


async def test_a_connection_that_died_silently_is_replaced_while_the_other_serves():
    async with connected(connections=2, ping_seconds=0.2) as (server, socket):
        dead = server.sockets.open[0]
        server.sockets.mute.add(dead)
        await until(lambda: dead not in server.sockets.open and len(server.sockets.open) == 2)
        await until(socket.is_ready)


async def test_a_connection_whose_end_is_announced_stays_until_it_comes():
    connection = SocketConnection(SocketSide(bolt_with(), SecretStr("xapp-1"), NOWHERE))
    seen = []
    for is_announced in (True, False):
        await connection.connect_to_new_endpoint(force=is_announced)
        seen.append((connection.ending.is_set(), connection.gone.is_set()))
    await connection.end()
    assert seen == [(True, False), (True, True)]


async def test_one_connection_too_many_goes_before_another_comes():
    async with connected(ping_seconds=0.2) as (server, socket):
        (first,) = server.sockets.open
        await server.sockets.disconnect("too_many_websockets", close=False)
        # Slack hasn't closed the connection, which would be kept for requests that may still come.
        await until(lambda: first not in server.sockets.open)
        await until(lambda: server.sockets.open and socket.is_ready())


async def test_a_slack_that_closes_each_connection_at_once_is_met_with_pauses(capsys):
    """This Slack sends hello and *disconnect* on a real web socket, and always offers another address."""
    clock, opened, lives = FakeClock(), [], [0.0, SHORT_LIVED, 0.0]

    async def open_one(request):
        address = str(request.url.origin().with_scheme("ws") / "link")
        return web.json_response({"ok": True, "url": address})

    async def link(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        opened.append(socket)
        await until(lambda: logged().count("slack.socket_connected") == len(opened))
        clock.advance(lives[len(opened) - 1])
        await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
        await socket.close()
        return socket

    text = []

    def logged():
        text.append(capsys.readouterr().out)
        return "".join(text)

    slack_app = web.Application()
    slack_app.router.add_post("/api/apps.connections.open", open_one)
    slack_app.router.add_get("/link", link)
    async with TestServer(slack_app) as server, ClientSession() as session:
        api_url = str(server.make_url("/api/"))

        async def rounds():
            """Repeat the first request of a new connection, some hundred times."""
            for _ in range(200):
                async with session.post(f"{api_url}apps.connections.open") as answer:
                    await answer.read()

        socket = SocketSide(bolt_with(), SecretStr("xapp-1"), api_url, clock.monotonic, ping_seconds=5.0)
        socket.start()
        await until(lambda: logged().count("slack.socket_ending") == 1)
        await rounds()
        assert len(opened) == 1
        # The second connection comes after the pause and lives for ten seconds, so the third comes
        # immediately.
        await until(lambda: logged().count("slack.socket_ending") == 3)
        await rounds()
        assert len(opened) == 3
        assert logged().count("slack.socket_") == 6
        await socket.close()


async def test_while_one_process_ends_the_other_is_served():
    async def listen(ack):
        return await ack()

    async with connected(listen, connections=2) as (server, socket):
        told = server.credentials
        other = SocketSide(socket.app, SecretStr(told["app_token"]), told["api_url"], connections=2)
        other.start()
        await until(lambda: len(server.sockets.open) == 4)
        await socket.close()
        assert len(server.sockets.open) == 2
        for _ in range(3):
            assert (await server.say(OLIVIA, GENERAL, "/workspace list"))["ok"]
        assert other.is_ready()
        await other.close()


async def test_connections_follow_how_many_there_should_be():
    async with connected(connections=2) as (server, socket):
        socket.hold_connections(1)
        await until(lambda: len(socket._live) == 1)
        assert socket.is_ready()
        socket.hold_connections(2)
        await until(lambda: len(socket._live) == 2)
        # Slack hasn't closed the abandoned connection, and requests on it are still served.
        assert len(server.sockets.open) == 3


async def test_connection_that_opens_too_late_is_given_up(monkeypatch):
    gate = asyncio.Event()
    open_one = SocketSide._count_connected

    async def open_later(side):
        await gate.wait()
        return await open_one(side)

    async with connected() as (server, socket):
        monkeypatch.setattr(SocketSide, "_count_connected", open_later)
        socket.hold_connections(2)
        await asyncio.sleep(0)
        socket.hold_connections(1)
        gate.set()
        await until(lambda: len(server.sockets.open) == 2 and len(socket._live) == 1 and socket._kept == {0})
        assert socket.is_ready()


async def test_without_slack_it_goes_on_trying_and_can_be_ended(caplog):
    asked = []

    async def refuse(_request):
        asked.append(True)
        # The ticket is for an address where nobody listens. On its own, the client would retry it for ever.
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


ODD_ANSWERS = {
    "a date to wait for": lambda: web.json_response(
        {"ok": False, "error": "ratelimited"},
        status=429,
        headers={"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"},
    ),
    "no number to wait for": lambda: web.json_response({}, status=429, headers={"Retry-After": "nan"}),
    "no object": lambda: web.json_response([1]),
    "nothing": lambda: web.Response(text=""),
    "no text": lambda: web.Response(body=b'\xff{"canary"', content_type="application/json"),
    "no end": lambda: web.Response(text="[" * 200_000, content_type="application/json"),
    "no host": lambda: web.json_response({"ok": True, "url": "wss://[canary"}),
    "no port": lambda: web.json_response({"ok": True, "url": "wss://slack.example:99999/?ticket=canary"}),
}


async def test_after_the_oddest_answers_in_slacks_place_it_connects(capsys):
    odd = list(ODD_ANSWERS.values())

    async def answer(request):
        address = str(request.url.origin().with_scheme("ws") / "link")
        return odd.pop(0)() if odd else web.json_response({"ok": True, "url": address})

    async def link(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello"})
        await socket.receive()
        return socket

    slack_app = web.Application()
    slack_app.router.add_post("/api/apps.connections.open", answer)
    slack_app.router.add_get("/link", link)
    async with TestServer(slack_app) as server:
        api_url = str(server.make_url("/api/"))
        socket = SocketSide(bolt_with(), SecretStr("xapp-1"), api_url, ping_seconds=0.1)
        socket.start()
        await until(socket.is_ready)
        await socket.close()
    logged = capsys.readouterr().out
    assert (odd, logged.count("slack.socket_")) == ([], len(ODD_ANSWERS) + 1)
    assert "canary" not in logged


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("30", 30.0),
        ("0", 10.0),
        ("9" * 400, LONGEST_PAUSE),
        ("", 10.0),
        ("-1", 10.0),
        ("1e9", 10.0),
        ("³", 10.0),
    ],
)
def test_a_pause_that_is_asked_for_is_kept_within_bounds(header, pause):
    assert wanted_pause(header, 10.0) == pause


class Unconnected(SocketConnection):
    """A connection that keeps the address at which it should connect."""

    async def connect(self):
        """Do nothing."""


@pytest.mark.parametrize(
    ("api_url", "address", "asked"),
    [
        ("http://127.0.0.1:9/api/", "ws://127.0.0.1:9/link", (False, False)),
        ("https://slack.com/api/", "wss://wss-primary.slack.com/link", (True, True)),
        ("https://slack.acme.example/api/", "wss://wss-primary.slack.com/link", (False, True)),
        ("https://slack.com/api/", "wss://wss.acme.example/link", (True, False)),
    ],
)
async def test_each_address_is_reached_through_the_proxy_by_the_same_rule(
    api_url, address, asked, monkeypatch
):
    # A proxy that the client's library finds in the environment isn't used.
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere.example:3128")
    proxy = Proxy("http://proxy.example:3128", "acme.example")
    socket = SocketSide(bolt_with(), SecretStr("xapp-1"), api_url, proxy=proxy)
    connection = Unconnected(socket)
    await connection.run_message_listeners({"type": "hello"}, "")
    await connection.open(address)
    found = (socket.web_client.proxy, connection.proxy)
    assert found == tuple(proxy.address if one else None for one in asked)
    await connection.end()


class Open:
    """A stand-in for the client's session."""

    closed = False


async def test_a_dead_connection_is_seen_whatever_was_done_to_the_wall_clock():
    clock = FakeClock()
    connection = SocketConnection(SocketSide(bolt_with(), SecretStr("xapp-1"), NOWHERE, clock.monotonic))
    connection.current_session = Open()
    assert not connection.is_ready()
    await connection.run_message_listeners({"type": "hello"}, "")
    # After this pong, the clock was set back by an hour.
    connection.last_ping_pong_time = time.time() + 3600.0
    assert connection.is_ready()
    clock.advance(39.0)
    assert connection.is_ready()
    clock.advance(2.0)
    assert not connection.is_ready()
    assert await connection.is_ping_pong_failing()
    # The clock was set ahead, so a pong that has just come looks old.
    connection.last_ping_pong_time = time.time() - 3600.0
    assert connection.is_ready()
    assert not await connection.is_ping_pong_failing()
    # Usher has closed it, and its session hasn't noticed yet.
    connection.closed = True
    assert not connection.is_ready()
    connection.current_session = None
    await connection.end()


class Acknowledged:
    """A stand-in for the SDK's client that records what is acknowledged.

    With ``lost``, sending fails as if the connection had broken.
    """

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


async def taken(listeners, kind, payload, retry=None):
    """Deliver one envelope, and return what was sent back."""
    socket, client = SocketSide(bolt_with(listeners), SecretStr("xapp-1"), NOWHERE), Acknowledged()
    await socket.handle(client, SocketModeRequest(kind, "envelope-1", payload, retry_attempt=retry))
    await socket.close()
    return client.responses


ODD_FRAMES = {
    "[1]": None,
    "": None,
    '"envelope"': None,
    '{"envelope_id": "e1", "payload": ' + "[" * 100_000 + "]" * 100_000 + "}": "e1",
    '{"payload": ' + "9" * 5_000 + ', "envelope_id": "e2"}': "e2",
    '{"payload": "\\"envelope_id\\": \\"no\\"", "broken": , "envelope_id":"e3"}': "e3",
    ' {"envelope_id": "e4"}': "e4",
    '{"envelope_id": 5}': 5,
    '{"envelope_id": null}': None,
}


@pytest.mark.parametrize(("text", "envelope_id"), ODD_FRAMES.items(), ids=range(len(ODD_FRAMES)))
async def test_frames_of_any_kind_are_acknowledged_by_their_id(text, envelope_id):
    socket = SocketSide(bolt_with(), SecretStr("xapp-1"), NOWHERE)
    connection, sent = SocketConnection(socket), []
    connection.socket_mode_request_listeners.append(socket.handle)
    connection.send_message = lambda text: asyncio.sleep(0, sent.append(text))
    await connection.run_message_listeners(read_frame(text), text)
    assert [json.loads(one)["envelope_id"] for one in sent] == ([] if envelope_id is None else [envelope_id])
    await connection.end()
    await socket.close()


@pytest.mark.parametrize("size", [FITS, FITS + 1, 100_000])
async def test_acknowledgement_that_does_not_fit_goes_without_answer(size):
    """Listeners keep within the limit. This is what happens if one doesn't."""
    connection, sent = SocketConnection(SocketSide(bolt_with(), SecretStr("xapp-1"), NOWHERE)), []
    connection.send_message = lambda text: asyncio.sleep(0, sent.append(text))
    await connection.send_socket_mode_response(SocketModeResponse("e-1", {"text": "é" * size}))
    assert [len(text.encode()) <= MAX_FRAME_BYTES for text in sent] == [True]
    assert ("payload" in json.loads(sent[0])) == (size == FITS)
    await connection.end()


async def test_an_event_that_was_not_written_down_is_not_acknowledged():
    async def listen(ack):
        return BoltResponse(status=503, body="")

    assert await taken({"event_callback": listen}, "events_api", event()) == []


@pytest.mark.parametrize(
    ("retry", "numbers"), [(None, ["0"]), (0, ["0"]), (2, ["2"])], ids=["none", "first", "third"]
)
async def test_retry_number_reaches_the_listener(retry, numbers):
    heard = []

    async def listen(ack, context):
        heard.append(context.get(RETRY_NUMBER))
        return await ack()

    await taken({"event_callback": listen}, "events_api", event(), retry)
    assert heard == numbers


async def test_answers_faults_and_refusals_go_back_with_the_acknowledgement():
    async def fail(ack):
        raise RuntimeError

    (said,) = await taken({"command": fail}, "slash_commands", command())
    assert "TEST-0001" in said["payload"]["text"]
    (said,) = await taken({}, "slash_commands", command(team_id="T0OTHER"))
    assert said["payload"]["response_type"] == "ephemeral"
    assert await taken({"event_callback": fail}, "events_api", event()) == [{"envelope_id": "envelope-1"}]


@pytest.mark.parametrize(
    "payload",
    [
        click(type="block_dreams"),
        click(type="view_closed", view={"id": "V1", "callback_id": "x"}),
        # Payloads on which Bolt itself fails: its argument parser, and its request parser.
        click(type="workflow_step_edit", callback_id="canary"),
        event(event={"type": "x", "event": {"team": "T", "user": 5}}, authorizations=None),
    ],
)
async def test_whatever_else_comes_is_acknowledged(payload):
    with logging_everything([]) as logged:
        assert await taken({}, "interactive", payload) == [{"envelope_id": "envelope-1"}]
    assert "canary" not in logged.getvalue()
