"""What a person sees of a conversation: what is unread, how threads and commands are shown, what changes."""

import asyncio

import aiohttp
import pytest

from playground.slack import manifest
from tests.playground.slack_help import CHEN, GENERAL, OLIVIA, TARA, recorded, slack


def place(server, user, name):
    return next(one for one in server.sees(user)["channels"] if one["name"] == name)


async def read(server, user, channel, thread_ts=None):
    async with aiohttp.ClientSession() as session:
        told = {"as": user, "channel": channel, "thread_ts": thread_ts}
        async with session.post(f"{server.state.base_url}/_page/read", json=told) as answer:
            assert answer.status == 200


async def test_unread_is_counted_for_each_person_and_in_channels_only_what_calls_them():
    async with slack() as (server, client):
        await server.say(CHEN, GENERAL, "hello")
        await server.say(CHEN, GENERAL, "@olivia are you there?")
        await client.chat_postMessage(channel=OLIVIA, text="ready")
        seen = [place(server, user, "general") for user in (OLIVIA, TARA, CHEN)]
        assert [(one["unread"], one["badge"]) for one in seen] == [(2, 1), (2, 0), (0, 0)]
        assert place(server, OLIVIA, "Usher")["badge"] == 1
        await read(server, OLIVIA, GENERAL)
        assert [place(server, user, "general")["unread"] for user in (OLIVIA, TARA)] == [0, 2]
        await client.chat_postMessage(channel=GENERAL, text="<!channel> lunch")
        assert place(server, TARA, "general")["badge"] == 1


async def test_replies_are_unread_in_their_thread_until_that_is_read():
    async with slack() as (server, client):
        parent = (await client.chat_postMessage(channel=GENERAL, text="card"))["ts"]
        await read(server, OLIVIA, GENERAL)
        await server.say(TARA, GENERAL, "detail", parent)
        await server.say(OLIVIA, GENERAL, "mine", parent)
        last = (await client.chat_postMessage(channel=GENERAL, text="more", thread_ts=parent))["ts"]

        def card():
            return server.sees(OLIVIA)["messages"][GENERAL][0]["replies"]

        assert place(server, OLIVIA, "general")["unread"] == 0
        assert card() == {"count": 3, "unread": 2, "users": [TARA, OLIVIA, "U0USHER"], "latest": last}
        await read(server, OLIVIA, GENERAL, parent)
        assert (card()["unread"], server.sees(CHEN)["messages"][GENERAL][0]["replies"]["unread"]) == (0, 3)


async def test_a_reply_that_is_sent_to_the_channel_too_is_a_broadcast():
    seed = {"app": {"events": ["message.channels"]}}
    async with slack(seed=seed) as (server, client), recorded(server) as app:
        parent = (await client.chat_postMessage(channel=GENERAL, text="card"))["ts"]
        await read(server, OLIVIA, GENERAL)
        await server.say(TARA, GENERAL, "all of you", parent, broadcast=True)
        assert place(server, OLIVIA, "general")["unread"] == 1
        event = next(one["event"] for one in app.own if one["event"].get("text") == "all of you")
        assert (event["subtype"], event["thread_ts"]) == ("thread_broadcast", parent)
        assert (event["root"]["text"], event["root"]["reply_count"]) == ("card", 1)
        shown = {one["text"]: one["broadcast"] for one in server.sees(OLIVIA)["messages"][GENERAL]}
        assert shown == {"card": False, "all of you": True}


async def test_only_the_last_messages_are_shown_each_with_the_number_of_all_its_replies():
    async with slack() as (server, _client):
        first = (await server.say(TARA, GENERAL, "first"))["ts"]
        for number in range(210):
            await server.say(TARA, GENERAL, f"reply {number}", first)
        shown = server.sees(OLIVIA)["messages"][GENERAL]
        assert (len(shown), shown[0]["text"], shown[-1]["text"]) == (201, "first", "reply 209")
        assert shown[0]["replies"]["count"] == 210


async def test_the_commands_are_shown_as_the_manifest_describes_them():
    async with slack() as (server, _client):
        shown = {"command": "/job", "description": "Run jobs", "usage_hint": "list | run"}
        command = {**shown, "should_escape": True}
        features = {"slash_commands": [command], "bot_user": {"display_name": "helper"}}
        manifest.apply(server.state, {"display_information": {"name": "Usher"}, "features": features})
        app = server.sees(OLIVIA)["app"]
        assert app["commands"] == [shown]
        assert app["handle"] == "helper"


async def test_each_change_is_told_until_the_server_ends():
    async with aiohttp.ClientSession() as session, slack() as (server, _client):
        address = f"{server.state.base_url}/_page/changes"
        socket = await session.ws_connect(address)
        before = int(await socket.receive_str(timeout=10))
        await server.say(TARA, GENERAL, "hello")
        assert int(await socket.receive_str(timeout=10)) > before
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(address, headers={"Origin": "http://elsewhere.example"})
        ending = asyncio.create_task(socket.receive(timeout=10))
        await server.app.shutdown()
        assert (await ending).data == aiohttp.WSCloseCode.GOING_AWAY
