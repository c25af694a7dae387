"""The notifier against the local Slack: what messages are made of, and the search for a lost one."""

import re
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.policy import Installation
from bot.domain.workspaces import Outcome
from bot.slack.notifier import WebApi
from playground.faults import Fault
from playground.harness import Clock
from playground.slack import build

OLIVIA = "U0OLIVIA"


@asynccontextmanager
async def local_slack(world):
    """Let the world's notifier speak to a local Slack that shares its clock."""
    server = build(clock=Clock(world.clock.now))
    for token in server.state.tokens.values():
        token.scopes = (*token.scopes, "im:write")
    async with server.running() as url, aiohttp.ClientSession() as session:
        world.installation = Installation(server.state.team.id)
        world.slack = WebApi(server.credentials["bot_token"], f"{url}/api/", session, world.clock)
        world.reborn()
        yield server


def olivia(server):
    return Principal(server.state.team.enterprise_id, server.state.team.id, OLIVIA)


def told(server):
    """Return the keys of the bot's messages to the person, in order."""
    messages = server.state.messages[server.state.direct[OLIVIA]]
    return [message.metadata["event_payload"]["key"] for message in messages if message.metadata]


def of(method, **keys):
    return Fault(re.compile(re.escape(f"/api/{method}")), **keys)


async def test_the_story_is_told_in_the_direct_message(world):
    async with local_slack(world) as server:
        operation_id = await world.begin(await world.own(olivia(server)))
        assert await world.until_ended(operation_id) is Outcome.FULFILLED
        assert told(server) == [f"{operation_id}/card/1", f"{operation_id}/ready/end"]
        assert server.harness.violations == []
        assert (await world.store.statistics())["dead_notices"] == 0
        card, ready = server.state.messages[server.state.direct[OLIVIA]]
        assert "started at" in card.text
        assert "https://app.example.test/ide/r1" in str(ready.blocks)


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "lost"])
async def test_a_message_of_unknown_outcome_is_looked_for(world, arrived):
    async with local_slack(world) as server:
        server.harness.faults.append(of("chat.postMessage", drop=True, after=arrived))
        notice = NewNotice("subject-1", NoticeKind.MESSAGE, "1", olivia(server), {"text": "hello"})
        await world.store.add_notices([notice])
        await world.pass_time(30)
        assert told(server) == ["subject-1/message/1"]
        asked = server.harness.requests
        assert asked["POST /api/chat.postMessage"] == (1 if arrived else 2)
        assert asked["POST /api/conversations.open"] == 1
        assert server.harness.violations == []


async def test_people_are_read_from_it(world):
    async with local_slack(world) as server:
        people = {person.principal.user_id: person for person in await world.people.sync()}
        assert people[OLIVIA].principal == olivia(server)
        assert people["U0GRETA"].is_guest
        assert not people[OLIVIA].is_guest
        assert (await world.people.look_up(olivia(server))).name == people[OLIVIA].name
        assert server.harness.violations == []
