"""A package's story in the local Slack, for a test of its author's: from the link to the stop."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from playground.demo.browser import Browser
from playground.demo.guests import invited
from playground.demo.people import NAMES
from playground.demo.person import Person
from playground.demo.stage import environment_of, manifest_of, register, to_connection, write_seed
from playground.demo.story import Provider, Story
from playground.demo.usher import start_usher, wait_for_usher
from playground.processes import ready_line, reserved_port, start_child

_OWNER, _OTHER = "U0OLIVIA", "U0CHEN"


async def play_guest(package: str, folder: Path, *, workspace: str, opened: str) -> list[str]:
    """Play an installed package in the local Slack, and return what its person reads, line by line.

    Olivia links her account, starts her ``workspace``, opens its IDE, whose page matches the pattern
    ``opened``, and stops it; Chen can't open it. Raises StoryError if a step fails. All files, such as
    ``usher.log``, are in ``folder``. It takes a start and a stop by the machine's clock.
    """
    (guest,) = invited([package], NAMES.values())
    owner, other = NAMES[_OWNER], NAMES[_OTHER]
    told: list[str] = []
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
        provider = Provider(
            connection=guest.name,
            title=guest.title,
            first_words=f"/workspace start {workspace}",
            then_words="",
            token=users[owner]["token"],
            workspace=workspace,
            owner=(owner, users[owner]["token"]),
            other=(other, users[other]["token"]),
            log_in=log_in,
            opened=opened,
        )
        await Story(Person(session, slack["url"], _OWNER, "Olivia"), told.append).play(provider)
    return told
