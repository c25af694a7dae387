"""The demo's story, played automatically at each provider. If a step fails, its name is printed."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from typing import Any

import aiohttp

from playground.demo import add_arguments, on_stage
from playground.demo.browser import Browser
from playground.demo.person import Person
from playground.demo.stage import Stage, say
from playground.demo.story import LogIn, Provider, Story, StoryError

__all__ = ["add_arguments", "run"]


async def run(arguments: Namespace) -> int:
    """Play the story once; return 0, or 1 if a step failed."""

    async def play(running: Stage, stop: asyncio.Event) -> int:
        return await _until_stopped(stop, _play(running, light=arguments.light))

    return await on_stage(arguments, play)


async def _until_stopped(stop: asyncio.Event, play: Any) -> int:
    playing, stopping = asyncio.ensure_future(play), asyncio.ensure_future(stop.wait())
    await asyncio.wait([playing, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if playing.done():
        return int(playing.result())
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    say("\nStopped in the middle of the story.")
    return 130


async def _play(running: Stage, *, light: bool) -> int:
    """Play the story at all providers at the same time, but print one provider's story after another."""
    turn, waiting = 0, dict[int, list[str]]()

    def tell(place: int, line: str) -> None:
        if place == turn:
            say(line)
        else:
            waiting.setdefault(place, []).append(line)

    async def play(place: int, providers: Sequence[Provider]) -> None:
        person = Person(session, running.slack["url"], "U0OLIVIA", "Olivia")
        story = Story(person, partial(tell, place))
        for provider in providers:
            await story.play(provider)

    # A person can have only one form open at a time, so the providers with forms take turns.
    beside = ([_saturn(running)], [_hub(running, light=light)], [_posit(running), _sphere()])
    async with aiohttp.ClientSession() as session:
        playing = [asyncio.create_task(play(place, providers)) for place, providers in enumerate(beside)]
        try:
            for turn, story in enumerate(playing):
                for line in waiting.pop(turn, ()):
                    say(line)
                await story
        except StoryError as error:
            say(f"\nFAILED at: {error}")
            gone = running.ended()
            if gone is not None:
                say(f"{gone.name} has ended by itself:\n{gone.last_words()}")
            return 1
        finally:
            for story in playing:
                story.cancel()
            await asyncio.gather(*playing, return_exceptions=True)
    say("\nThe whole story worked: on Saturn Cloud, the hub, Workbench and Sphere Engine.")
    return 0


def _log_in(address: str) -> LogIn:
    async def log_in(browser: Browser, account: tuple[str, str]) -> None:
        page = await browser.get(address)
        await browser.submit(page, username=account[0], password=account[1])

    return log_in


def _saturn(running: Stage) -> Provider:
    users, base = running.saturn["credentials"]["users"], running.saturn["url"]
    return Provider(
        connection="saturn",
        title="Saturn Cloud",
        first_words="/workspace start notebook",
        then_words="",
        token=users["olivia"]["token"],
        workspace="notebook",
        owner=("olivia", users["olivia"]["password"]),
        other=("chen", users["chen"]["password"]),
        log_in=_log_in(f"{base}/login"),
        opened=r"The IDE of olivia is running",
    )


def _hub(running: Stage, *, light: bool) -> Provider:
    users, base = running.hub["credentials"]["users"], running.hub["url"]
    return Provider(
        connection="hub",
        title="Team hub",
        first_words="/workspace start training@hub",
        then_words="",
        token=users["olivia"]["token"],
        workspace="training",
        owner=("olivia", users["olivia"]["password"]),
        other=("chen", users["chen"]["password"]),
        log_in=_log_in(f"{base}/hub/login?next=%2Fhub%2Fhome"),
        opened=r"light server of olivia" if light else r"jupyter-config-data",
        sign_out=f"{base}/hub/logout",
    )


def _posit(running: Stage) -> Provider:
    users, base = running.posit["credentials"]["users"], running.posit["url"]
    return Provider(
        connection="posit",
        title="Workbench",
        first_words="/workspace link posit",
        then_words="",
        token=users["olivia"]["token"],
        workspace="paper",
        owner=("olivia", users["olivia"]["password"]),
        other=("chen", users["chen"]["password"]),
        log_in=_log_in(f"{base}/auth-sign-in"),
        opened=r"RStudio of olivia is running",
        form={"name": "paper", "ide": "RStudio"},
        job=("/job run posit --cluster Local -- Rscript report.R", "[1] 10"),
    )


def _sphere() -> Provider:
    async def log_in(_browser: Browser, _account: tuple[str, str]) -> None:
        """Do nothing, because the page asks Slack who the person is."""

    return Provider(
        connection="courses",
        title="Courses",
        first_words="",
        then_words="",
        token="",
        workspace="lesson",
        owner=("U0OLIVIA", "Olivia"),
        other=("U0CHEN", "Chen"),
        log_in=log_in,
        opened=r'id="stop"',
        form={"template": "Python basics", "name": "lesson"},
    )
