"""Every message of the test sets, each sent in a new world: only commands in their proper form may act.

``free_text.txt`` has sentences by strangers, sentences that once went wrong, different phrasings, and remarks
of two or three words that begin with a verb. ``#`` begins a world: its workspaces (``*``: it is running;
``@hub``: on the other connection) and, after a semicolon, its jobs. ``!`` begins a command in its proper
form, which does act.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.domain.workspaces import State
from handlers.requests.command_line import parse
from tests.handlers.rig import Rig
from tests.handlers.run_rig import over, run_rig

TEXTS = Path(__file__).with_name("free_text.txt")
BREAK = " ⏎ "
#: Number of parts into which the messages are divided. Workers run the parts in parallel.
PARTS = 8


class World(NamedTuple):
    """The names in a world, and the messages that are sent in it."""

    workspaces: list[str]
    jobs: list[str]
    texts: list[str]


def read_worlds() -> Iterator[World]:
    for part in TEXTS.read_text(encoding="utf-8").strip().split("\n\n"):
        head, *texts = part.splitlines()
        names, _, jobs = head.removeprefix("# ").partition("; ")
        yield World([*filter(None, names.split(", "))], [*filter(None, jobs.split(", "))], texts)


async def acts(world: World, text: str) -> bool:
    """Return whether a message makes Usher do anything."""
    async with run_rig() as bot:
        await stage(bot, world)
        before = await bot.audit()
        await bot.direct(text.replace(BREAK, "\n"))
        # Like a button, a page for linking is only an offer: nothing happens until the person opens it.
        return [one for one in await bot.audit() if one["action"] != "link.invited"] != before


async def stage(bot: Rig, world: World) -> None:
    names = [name.rstrip("*").partition("@") for name in world.workspaces]
    for connection, mark in (("posit", ""), ("hub", "@")):
        if there := tuple(name for name, at, _ in names if at == mark):
            await bot.link(names=there, connection=connection)
    for (name, _, _), full in zip(names, world.workspaces, strict=True):
        if full.endswith("*"):
            await bot.sees(State.RUNNING, name)
    for job in world.jobs:
        await over(bot, job)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
async def test_only_commands_by_their_form_act(part):
    wrong = []
    for world in [*read_worlds()][part::PARTS]:
        for line in world.texts:
            text, is_command = line.removeprefix("! "), line.startswith("! ")
            if await acts(world, text) is not is_command:
                wrong.append(line)
    assert wrong == []


def test_sets_are_large_and_few_texts_are_commands():
    lines = [line for world in read_worlds() for line in world.texts]
    commands = [line for line in lines if line.startswith("! ")]
    assert len(lines) >= 900
    assert len(commands) <= len(lines) / 4
    assert all(len(parse(line, {}).words) < 12 for line in commands)
