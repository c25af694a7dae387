"""Tests of what a person sees in a conversation: unread messages, threads, commands and changes."""

import asyncio

import aiohttp
import pytest

from playground.slack import manifest
from playground.slack.history import History
from tests.playground.slack_help import GENERAL, OLIVIA, TARA


async def test_only_the_last_messages_are_shown_each_with_the_number_of_all_its_replies(server):
    first = (await server.say(TARA, GENERAL, "first"))["ts"]
    for number in range(210):
        await server.say(TARA, GENERAL, f"reply {number}", first)
    shown = server.sees(OLIVIA)["messages"][GENERAL]
    assert (len(shown), shown[0]["text"], shown[-1]["text"]) == (201, "first", "reply 209")
    assert shown[0]["replies"]["count"] == 210


async def test_the_commands_are_shown_as_the_manifest_describes_them(server):
    shown = {"command": "/job", "description": "Run jobs", "usage_hint": "list | run"}
    command = {**shown, "should_escape": True}
    features = {"slash_commands": [command], "bot_user": {"display_name": "helper"}}
    manifest.apply(server.state, {"display_information": {"name": "Usher"}, "features": features})
    app = server.sees(OLIVIA)["app"]
    assert app["commands"] == [shown]
    assert app["handle"] == "helper"


async def test_each_change_is_told_until_the_server_ends(session, server):
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


def test_history_keeps_changed_and_deleted_messages(server):
    """The history has each version of a message with its time, whatever became of it later."""
    state, history = server.state, History.of(server.state)
    metadata = {"event_type": "told", "event_payload": {"key": "k"}}
    gone, stays = (state.add(state.from_bot(GENERAL, text, metadata=metadata)) for text in ("a", "b"))
    state.clock.advance(5.0)
    state.edit(gone, text="c")
    state.clock.advance(2.0)
    state.remove(gone)
    read = [
        (one.text, one.ts, one.key, one.until and round(one.until - one.since)) for one in history.readings
    ]
    assert read == [("a", gone.ts, "k", 5), ("b", stays.ts, "k", None), ("c", gone.ts, "k", 2)]
