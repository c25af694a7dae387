"""Tests of the traffic between Slack and the app that the page lists, and of what is hidden in it."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web

from playground.harness import Clock
from playground.slack import SlackWorkspaces
from playground.slack.masking import HIDDEN, masked
from tests.playground.slack_help import GENERAL, OLIVIA

NONCE = "q7Xz0aVbR2-kLmN4_pQsT6uW8yZ1cD3e"
SATURN_TOKEN = "8f14e45fceea167a5a36dedd4bea2543" * 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"token": "short", "user": {"id": "U0OLIVIA"}}, {"token": HIDDEN, "user": {"id": "U0OLIVIA"}}),
        ({"headers": {"Authorization": "Bearer x"}}, {"headers": {"Authorization": HIDDEN}}),
        ({"style": {"code": True}, "token": ""}, {"style": {"code": True}, "token": ""}),
        ("xoxb-1-2-abc and xapp-1-A0-9-ff", f"{HIDDEN} and {HIDDEN}"),
        (["see xoxe.xoxp-1-abc"], [f"see {HIDDEN}"]),
        (f"link {SATURN_TOKEN}", f"link {HIDDEN}"),
        (f"<http://127.0.0.1:1/link/{NONCE}|Link it> now", f"<http://127.0.0.1:1/link/{HIDDEN}|Link it> now"),
        (
            "http://127.0.0.1:1/commands/T0ACME/012345678901/Ab3dEf6hIj9lMn2pQr5tUv8x",
            f"http://127.0.0.1:1/commands/T0ACME/012345678901/{HIDDEN}",
        ),
        # This address is fixed, since a random one might not contain a digit.
        (
            "http://127.0.0.1:1/commands/T0/1/-IxRVXjpZHxUUjRMHHSOwc-X",
            f"http://127.0.0.1:1/commands/T0/1/{HIDDEN}",
        ),
        ("wss://slack.test/link/?ticket=Ab3dEf6hIj9lMn2pQr5tUv", f"wss://slack.test/link/?ticket={HIDDEN}"),
        ("operation_0123456789abcdef01234567/ready/1", "operation_0123456789abcdef01234567/ready/1"),
        ("0b7e1c1e-93cb-4b1d-9d43-0e5d9d1f6a10", "0b7e1c1e-93cb-4b1d-9d43-0e5d9d1f6a10"),
        ("a-very-long-name-of-a-workspace-without-digits", "a-very-long-name-of-a-workspace-without-digits"),
        (7, 7),
    ],
)
def test_what_is_hidden(value, shown):
    assert masked(value) == shown


class Reader:
    """A client that reads the traffic as the page does."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session, self._base = session, f"{base}/_page/traffic"

    async def get(self, path: str = "", **query):
        async with self._session.get(self._base + path, params=query) as answer:
            return await answer.json()

    async def clear(self) -> None:
        async with self._session.post(f"{self._base}/clear") as answer:
            assert answer.status == 200


async def test_both_directions_are_listed_with_answers_and_without_secrets(server, client, app, session):
    reader = Reader(session, server.state.base_url)
    app.answer = lambda _p: web.json_response({"text": "Here"})
    waiting = asyncio.create_task(reader.get(wait=1))
    await server.say(OLIVIA, GENERAL, f"/workspace link {SATURN_TOKEN}")
    (command,) = (await waiting)["exchanges"]
    told = [command[key] for key in ("direction", "name", "person", "status", "error")]
    assert told == ["to_app", f"/workspace link {HIDDEN}", OLIVIA, 200, None]
    assert command["milliseconds"] > 0
    await client.chat_postMessage(channel=GENERAL, text="hello")
    await session.post(app.seen[-1]["response_url"], json={"text": "later"})
    async with session.post(
        f"{server.state.base_url}/_playground/faults",
        json={"path": "/api/", "status": 429, "headers": {"Retry-After": "3"}},
    ):
        pass
    headers = {"Authorization": f"Bearer {client.token}"}
    async with session.post(f"{server.state.base_url}/api/auth.test", headers=headers) as refused:
        assert refused.status == 429

    listed = await reader.get(after=command["number"])
    told = [(one["name"], one["person"], one["status"], one["error"]) for one in listed["exchanges"]]
    assert told == [
        ("chat.postMessage", "", 200, None),
        ("response_url", OLIVIA, 200, None),
        ("auth.test", "", 429, "ratelimited"),
    ]
    opened = [await reader.get(f"/{number}") for number in range(1, 5)]
    assert opened[0]["request"]["body"]["command"] == "/workspace"
    assert opened[0]["answer"]["body"] == {"text": "Here"}
    assert opened[1]["request"]["body"]["text"] == "hello"
    assert opened[2]["path"].endswith(HIDDEN)
    assert opened[3]["answer"]["headers"]["Retry-After"] == "3"
    everything = json.dumps(opened)
    state = server.state
    for secret in (client.token, SATURN_TOKEN, app.seen[-1]["response_url"], app.seen[-1]["token"]):
        assert secret not in everything
    assert state.app.signing_secret not in everything
    await reader.clear()
    assert (await reader.get())["exchanges"] == []
    assert (await reader.get("/1"))["error"] == "not_found"


async def test_an_app_that_is_not_there_and_a_call_without_an_answer_are_said(server, client, session):
    server.state.app.request_url = "http://127.0.0.1:1/slack/events"
    await server.say(OLIVIA, GENERAL, "/workspace list")
    url = f"{server.state.base_url}/_playground/faults"
    async with session.post(url, json={"path": "/api/", "drop": True}):
        pass
    with pytest.raises(aiohttp.ClientError):
        await session.post(
            f"{server.state.base_url}/api/auth.test", headers={"Authorization": f"Bearer {client.token}"}
        )
    listed = (await Reader(session, server.state.base_url).get())["exchanges"]
    assert [(one["name"], one["status"], one["error"]) for one in listed] == [
        ("/workspace list", None, "dispatch_failed"),
        ("auth.test", None, "no_answer"),
    ]


async def test_what_is_kept_is_bounded(server, client, session):
    reader = Reader(session, server.state.base_url)
    server.traffic.most, server.traffic.longest_body = 3, 1000
    for number in range(5):
        await client.api_call("api.test", json={"number": number, "long": "x" * 1000 * (number == 4)})
    listed = await reader.get()
    assert (listed["first"], [one["number"] for one in listed["exchanges"]]) == (3, [3, 4, 5])
    assert (await reader.get("/5"))["request"]["body"].endswith("bytes: too long to keep")


async def test_each_of_several_workspaces_lists_its_own_calls():
    several = SlackWorkspaces([{}, {"team": {"id": "T0BETA"}}], Clock())
    async with aiohttp.ClientSession() as session, several.running() as base, several.pages([0, 0]) as pages:
        for path in ("/api/api.test", "/commands/T0BETA/1/unknown"):
            async with session.post(base + path, json={}):
                pass
        listed = [(await Reader(session, page).get())["exchanges"] for page in pages]
        assert [[one["name"] for one in own] for own in listed] == [["api.test"], ["response_url"]]
        for page in pages:
            async with session.get(f"{page}/_page/backstage/state") as answer:
                assert (answer.status, (await answer.json())["error"]) == (200, "no_backstage")
