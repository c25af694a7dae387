"""Tests of a real Bolt app with the local Slack, over Socket Mode and over signed HTTP."""

import asyncio

import aiohttp

from tests.playground.slack_help import GENERAL, OLIVIA, slack


async def test_a_socket_is_preferred_and_an_address_is_good_once(server, client, session):
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
