"""Tests of somebody else's Bolt app: three processes, which know only each other's addresses."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from playground.processes import reserved_port
from playground.slack.methods.table import METHODS
from tests.project.repository import ROOT

LUNCH = Path(__file__).parent / "lunch"
OLIVIA, GENERAL = "U0OLIVIA", "C0GENERAL"
PATIENCE = 60.0


@asynccontextmanager
async def process(*words: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a Python program while the block lasts."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, env=os.environ | environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield started
    finally:
        started.terminate()
        await started.communicate()


class LocalSlack:
    """Act for people, through the API of the local Slack's page."""

    def __init__(self, session: aiohttp.ClientSession, ready: Mapping[str, Any]) -> None:
        self.given = ready["credentials"]
        self._session, self._url = session, ready["url"]

    async def get(self, path: str, **query: str) -> Any:
        async with self._session.get(self._url + path, params=query) as answer:
            return await answer.json()

    async def does(self, act: str, **values: Any) -> Any:
        async with self._session.post(f"{self._url}/_page/{act}", json={"as": OLIVIA, **values}) as answer:
            return await answer.json()

    async def sees(self, text: str, channel: str = GENERAL) -> dict[str, Any]:
        """Wait until Olivia sees a message that contains the text, and return it."""
        since: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            while True:
                state = await self.get("/_page/state", **{"as": OLIVIA, **since})
                place = next(one["id"] for one in state["channels"] if channel in (one["id"], one["kind"]))
                for message in state["messages"][place]:
                    if text in message["text"]:
                        return message
                since = {"since": str(state["version"])}


@asynccontextmanager
async def local_slack(*words: str) -> AsyncIterator[LocalSlack]:
    given = ("-m", "playground", "slack", "--manifest", str(LUNCH / "manifest.json"))
    async with process(*given, *words) as slack, aiohttp.ClientSession() as session:
        async with asyncio.timeout(PATIENCE):
            ready = json.loads(await slack.stdout.readline())
        yield LocalSlack(session, ready)


@asynccontextmanager
async def lunch(slack: LocalSlack, **environment: str) -> AsyncIterator[None]:
    """Run the lunch app, and wait until it receives Slack's messages."""
    given = slack.given
    told = {"SLACK_BOT_TOKEN": given["bot_token"], "SLACK_API_URL": given["api_url"], **environment}
    async with process(str(LUNCH / "app.py"), **told):
        async with asyncio.timeout(PATIENCE):
            while not (await slack.does("say", channel=GENERAL, text="/lunch"))["ok"]:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.2)
        yield


async def test_an_app_lives_on_the_local_slack_over_socket_mode():
    async with local_slack("--no-limits") as slack, lunch(slack, SLACK_APP_TOKEN=slack.given["app_token"]):
        await slack.does("say", channel="@bot", text="hello")
        await slack.sees("in a channel", "im")
        assert (await slack.does("say", channel=GENERAL, text="/lunch 12:30"))["ok"]
        asked = await slack.sees("Lunch at 12:30?")
        at = {"channel": GENERAL, "ts": asked["ts"]}
        assert (await slack.does("press", **at, action_id="join"))["ok"]
        await slack.sees(f"<@{OLIVIA}> is in")

        assert (await slack.does("press", **at, action_id="suggest"))["ok"]
        form = (await slack.get("/_page/form", **{"as": OLIVIA}))["form"]
        assert form["title"] == "Suggest a place"
        await slack.does("fill", values={"place": "X"})
        refused = await slack.does("submit")
        assert refused["errors"] == {"where": "That's too short for a name."}
        await slack.does("fill", values={"place": "The Crown"})
        assert (await slack.does("submit"))["ok"]
        await slack.sees(f"<@{OLIVIA}> suggests The Crown")

        await slack.does("say", channel=GENERAL, text="@lunch how?")
        assert (await slack.sees("Type `/lunch 12:30` here."))["thread_ts"]
        assert (await slack.get("/_playground/stats"))["violations"] == []


async def test_an_app_lives_on_the_local_slack_over_http():
    port = reserved_port()
    async with local_slack("--request-url", f"http://127.0.0.1:{port}/slack/events") as slack:
        secret = slack.given["signing_secret"]
        async with lunch(slack, PORT=str(port), SLACK_SIGNING_SECRET=secret):
            await slack.sees("Lunch at noon?")
            assert (await slack.get("/_playground/stats"))["violations"] == []


async def test_one_command_of_ushers_is_that_slack_with_the_same_tokens_each_time():
    port = str(reserved_port())
    words = ("--slack-only", "--port", port, "--manifest", str(LUNCH / "manifest.json"))
    async with process("-m", "bot", "demo", *words) as started, aiohttp.ClientSession() as session:
        async with asyncio.timeout(PATIENCE):
            lines = [(await started.stdout.readline()).decode() for _ in range(5)]
        ready = json.loads(lines[-1])
        page = (ROOT / "playground/README.md").read_text(encoding="utf-8")
        assert "".join(lines[:-1]).replace(port, "8090") in page
        given = dict(word.split("=", 1) for word in " ".join(lines[1:3]).split() if "=" in word)
        assert given.pop("SLACK_API_URL") == ready["credentials"]["api_url"] == f"{ready['url']}/api/"
        assert given == {
            "SLACK_BOT_TOKEN": ready["credentials"]["bot_token"],
            "SLACK_APP_TOKEN": ready["credentials"]["app_token"],
            "SLACK_SIGNING_SECRET": ready["credentials"]["signing_secret"],
        }
        slack = LocalSlack(session, ready)
        async with lunch(slack, SLACK_APP_TOKEN=given["SLACK_APP_TOKEN"]):
            await slack.sees("Lunch at noon?")


def test_the_page_lists_the_methods_that_there_are():
    page = (ROOT / "playground/README.md").read_text(encoding="utf-8")
    listed = page.partition("| methods of the Web API |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"`([^`]+)`", listed)) == sorted(METHODS)
