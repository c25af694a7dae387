"""A real Bolt app against the local Slack, over Socket Mode and over signed HTTP."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.playground.slack_help import GENERAL, OLIVIA, actions, button, section, slack


def tiny_app(server) -> AsyncApp:
    """Make an app that answers a command with a card, and a press with a modal."""
    url = f"{server.state.base_url}/api/"
    client = AsyncWebClient(token=server.credentials["bot_token"], base_url=url, retry_handlers=[])
    app = AsyncApp(client=client, signing_secret=server.credentials["signing_secret"])
    field = {
        "type": "input",
        "block_id": "name",
        "label": {"type": "plain_text", "text": "Name"},
        "element": {"type": "plain_text_input", "action_id": "typed"},
    }
    words = {"type": "plain_text", "text": "Name"}

    @app.command("/workspace")
    async def command(ack, command, client):
        await client.chat_postMessage(
            channel=command["user_id"], text="card", blocks=[section("card"), actions(button("open"))]
        )
        await ack(f"You asked: {command['text']}")

    @app.action("open")
    async def pressed(ack, body, client):
        view = {"type": "modal", "callback_id": "named", "title": words, "submit": words, "blocks": [field]}
        await client.views_open(trigger_id=body["trigger_id"], view=view)
        await ack()

    @app.view("named")
    async def named(ack, view):
        typed = view["state"]["values"]["name"]["typed"]["value"]
        if typed == "bad":
            await ack(response_action="errors", errors={"name": "Another name, please"})
        else:
            await ack()

    @app.event("message")
    async def heard(event, say):
        await say(f"You said: {event['text']}")

    return app


@asynccontextmanager
async def by_socket(server):
    handler = AsyncSocketModeHandler(tiny_app(server), server.credentials["app_token"])
    await handler.connect_async()
    assert await server.state.wait_for(lambda: bool(server.sockets.open))
    try:
        yield handler
    finally:
        await handler.close_async()


@asynccontextmanager
async def by_http(server):
    app = web.Application()
    bolt = tiny_app(server)
    app.add_routes(
        [web.post("/slack/events", bolt.server(port=0, path="/slack/events").handle_post_requests)]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.state.app.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        yield bolt
    finally:
        await runner.cleanup()


async def play(server) -> None:
    """Go through everything the tiny app can, as a person would."""
    told = await server.say(OLIVIA, GENERAL, "/workspace list")
    assert (told["ok"], told["text"]) == (True, "You asked: list")
    card = server.seen(OLIVIA)[0]
    assert (await server.press(OLIVIA, "@bot", card["ts"], "open"))["ok"] is True
    assert server.sees(OLIVIA)["view"]["callback_id"] == "named"
    told = await server.submit(OLIVIA, {"name": {"typed": "bad"}})
    assert told["errors"] == {"name": "Another name, please"}
    assert (await server.submit(OLIVIA, {"name": {"typed": "good"}}))["ok"] is True
    assert server.sees(OLIVIA)["view"] is None
    await server.say(OLIVIA, "@bot", "hello")
    assert await server.state.wait_for(lambda: server.seen(OLIVIA)[-1]["text"] == "You said: hello")
    assert server.harness.violations == []


@pytest.mark.parametrize("way", [by_socket, by_http])
async def test_bolt_over(way):
    async with slack(clock=None) as (server, _client), way(server):
        await play(server)


async def test_a_socket_is_preferred_and_an_address_is_good_once():
    async with slack() as (server, client), aiohttp.ClientSession() as session:
        told = await client.apps_connections_open(app_token=server.credentials["app_token"])
        async with session.ws_connect(told["url"]) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["connection_info"]["app_id"]) == ("hello", "A0USHER")
            spoken = asyncio.create_task(server.say(OLIVIA, GENERAL, "/workspace list"))
            envelope = await socket.receive_json()
            assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
            assert envelope["payload"]["text"] == "list"
            answer = {"envelope_id": envelope["envelope_id"], "payload": {"text": "Here"}}
            await socket.send_json(answer)
            assert (await spoken)["text"] == "Here"
            await server.sockets.disconnect("refresh_requested")
            goodbye = await socket.receive_json()
            assert (goodbye["type"], goodbye["reason"]) == ("disconnect", "refresh_requested")
        async with session.get(told["url"].replace("ws://", "http://")) as response:
            assert response.status == 401


async def test_an_envelope_that_nobody_acknowledges_times_out_and_a_late_one_is_noted():
    async with slack(ack_seconds=0.05) as (server, client), aiohttp.ClientSession() as session:
        told = await client.apps_connections_open(app_token=server.credentials["app_token"])
        async with session.ws_connect(told["url"]) as socket:
            await socket.receive_json()
            assert (await server.say(OLIVIA, GENERAL, "/workspace"))["error"] == "operation_timeout"
            envelope = await socket.receive_json()
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
            found = server.harness.violations
            assert await server.state.wait_for(lambda: len(found) == 2)
            assert [one["rule"] for one in found] == ["ack_within_3_s", "ack_within_3_s"]
