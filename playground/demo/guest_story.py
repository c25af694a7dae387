"""A story that tests a package's own provider in the local Slack, from linking an account to stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from playground.demo.browser import Browser
from playground.demo.guests import invited
from playground.demo.people import NAMES
from playground.demo.person import Person
from playground.demo.stage import environment_of, manifest_of, register, to_connection, write_seed
from playground.demo.story import Provider, Story, StoryError
from playground.demo.usher import start_usher, wait_for_usher
from playground.processes import ready_line, reserved_port, start_child

_OLIVIA, _CHEN = "U0OLIVIA", "U0CHEN"


async def play_guest(
    package: str, folder: Path, *, workspace: str, opened: str, form: Mapping[str, str] | None = None
) -> list[str]:
    """Play the story with an installed package in the local Slack; return what people read, line by line.

    Olivia links her account, then starts her ``workspace``, opens its IDE, and stops it; Chen can't open it.
    If a ``form`` (the values of its fields) is given, Chen also creates, opens and stops the workspace named
    in it. The pattern ``opened`` must match the IDE's page; in it, ``{owner}`` and ``{workspace}`` stand for
    their names. Raises StoryError if a step fails, or if the local server records a violation, such as a
    status read less than ten seconds after the last one. All files, such as ``usher.log``, are in ``folder``.
    The story takes as long as the starts and stops, because it uses the machine's clock.
    """
    (guest,) = invited([package], NAMES.values())
    lines: list[str] = []
    async with AsyncExitStack() as stack:
        place = ["--port", "0", *write_seed(folder, guest.name, guest.seed)]
        children = [
            await start_child("slack", ["playground", "slack", "--port", "0"], folder),
            await start_child(guest.name, [guest.module, *place], folder),
        ]
        for child in children:
            stack.push_async_callback(child.stop)
        slack, server = await asyncio.gather(*map(ready_line, children))
        users = server["credentials"]["users"]

        async def log_in(browser: Browser, account: tuple[str, str]) -> None:
            page = await browser.get(f"{server['url']}{guest.sign_in}")
            await browser.submit(page, username=account[0], password=account[1])

        port = reserved_port()
        url = f"http://127.0.0.1:{port}"
        environment = environment_of(folder, slack, to_connection(guest, server["url"]), port)
        bot = await start_usher(folder, environment)
        stack.push_async_callback(bot.stop)
        await wait_for_usher(bot, url)
        await register(slack["url"], url, await manifest_of(environment))
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def play(
            user_id: str, other_id: str, title: str, words: str, form: Mapping[str, str] | None
        ) -> None:
            owner, other = ((name, users[name]["token"]) for name in (NAMES[user_id], NAMES[other_id]))
            provider = Provider(
                connection=guest.name,
                title=guest.title,
                first_words=words,
                then_words="",
                token=owner[1],
                workspace=title,
                owner=owner,
                other=other,
                log_in=log_in,
                opened=opened.replace("{owner}", owner[0]).replace("{workspace}", title),
                form=form,
            )
            person = Person(session, slack["url"], user_id, owner[0].title())
            await Story(person, lines.append).play(provider)

        stories = [play(_OLIVIA, _CHEN, workspace, f"/workspace start {workspace}", None)]
        if form is not None:
            stories.append(play(_CHEN, _OLIVIA, form["name"], f"/workspace link {guest.name}", form))
        await asyncio.gather(*stories)
        async with session.get(f"{server['url']}/_playground/stats") as response:
            broken = (await response.json())["violations"] if response.ok else []
        if broken:
            raise StoryError(f"{guest.title} counts broken rules: {broken}")
    return lines
