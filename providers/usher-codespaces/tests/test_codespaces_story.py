"""Two people at a local Slack and a local GitHub, with the bot as it is installed: start, and create.

Everything runs in processes of its own, with the machine's clock: this takes about a minute.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import aiohttp
from usher_codespaces.local import guest

from playground.demo.person import Person
from playground.demo.stage import environment_of, manifest_of, register
from playground.demo.story import Provider, Story
from playground.demo.usher import start_usher, wait_for_usher
from playground.processes import ready_line, reserved_port, start_child

PEOPLE = ("olivia", "chen")
GUEST = guest(PEOPLE)
TOKENS = GUEST["seed"]["tokens"]
CONNECTION = (
    '[connections.codespaces]\nprovider = "codespaces"\nfrom = "usher-codespaces"\nbase_url = "{url}"\n'
)


def describe_story(url, owner, other, **steps):
    """Return the story of one person, who signs in at GitHub with the token."""

    async def sign_in(browser, account):
        page = await browser.get(f"{url}/login")
        await browser.submit(page, username=account[0], password=account[1])

    return Provider(
        connection="codespaces",
        title="GitHub Codespaces",
        then_words="",
        token=TOKENS[owner],
        owner=(owner, TOKENS[owner]),
        other=(other, TOKENS[other]),
        log_in=sign_in,
        **steps,
    )


async def test_people_start_and_create_codespaces(tmp_path):
    (tmp_path / "seed.json").write_text(json.dumps(GUEST["seed"]))
    async with AsyncExitStack() as stack:
        slack_child = await start_child("slack", ["playground", "slack", "--port", "0"], tmp_path)
        stack.push_async_callback(slack_child.stop)
        words = [GUEST["module"], "--port", "0", "--seed", str(tmp_path / "seed.json")]
        github_child = await start_child("github", words, tmp_path)
        stack.push_async_callback(github_child.stop)
        slack, github = await asyncio.gather(ready_line(slack_child), ready_line(github_child))
        port = reserved_port()
        environment = environment_of(tmp_path, slack, CONNECTION.format(url=github["url"]), port)
        bot = await start_usher(tmp_path, environment)
        stack.push_async_callback(bot.stop)
        url = f"http://127.0.0.1:{port}"
        await wait_for_usher(bot, url)
        await register(slack["url"], url, await manifest_of(environment))

        session = await stack.enter_async_context(aiohttp.ClientSession())
        started = describe_story(
            github["url"],
            "olivia",
            "chen",
            first_words="/workspace start reef-olivia",
            workspace="reef-olivia",
            opened="The editor of reef-olivia",
        )
        created = describe_story(
            github["url"],
            "chen",
            "olivia",
            first_words="/workspace link codespaces",
            workspace="paper",
            form={"repository": "acme/reef", "name": "paper"},
            opened="The editor of paper",
        )
        lines = []
        olivia = Person(session, slack["url"], "U0OLIVIA", "Olivia")
        chen = Person(session, slack["url"], "U0CHEN", "Chen")
        await asyncio.gather(
            Story(olivia, lines.append).play(started), Story(chen, lines.append).play(created)
        )
        log = (tmp_path / "usher.log").read_text()
    assert any("The editor of reef-olivia" in line for line in lines)
    assert any("The editor of paper" in line for line in lines)
    assert [token for token in TOKENS.values() if token in log + "\n".join(lines)] == []
