"""Requests that aren't read cost nothing: those over the limit, too long, or already answered."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from bot.store import inbox
from bot.support.errors import StoreUnavailable
from handlers.dispatch import run_text
from handlers.events import on_direct_message
from handlers.requests.command_line import MAX_TEXT_LENGTH
from handlers.requests.event_request import EventRequest
from tests.handlers.rig import rig, words
from tests.handlers.slack import message
from tests.rigs.store import ALICE

LONG = "x" * (MAX_TEXT_LENGTH + 1)


class Counting(Mapping[str, str]):
    """Count how often a message's words are looked up among the slash commands.

    A look-up shows that the message was read.
    """

    def __init__(self, commands: Mapping[str, str]) -> None:
        self._commands = commands
        self.looks = 0

    def __getitem__(self, name: str) -> str:
        self.looks += 1
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)


@pytest.fixture
async def bot():
    async with rig() as made:
        made.services = replace(made.services, commands=Counting(made.services.commands))
        yield made


async def hear(bot, text, ts):
    await on_direct_message(EventRequest(message(text, ts=ts), bot.services, "event:Ev1"))


async def test_the_limit_comes_first_then_the_length_then_what_was_answered_then_the_words(bot):
    await bot.link()
    bot.store.fails[inbox.was_answered] = StoreUnavailable("gone")
    assert "That's too long for a command" in words(await bot.direct(LONG))
    looks = bot.services.commands.looks
    assert "I can't reach my own records" in words(await bot.direct("list"))
    del bot.store.fails[inbox.was_answered]
    while bot.services.limiter.take(ALICE.key) == 0:
        pass
    for text in (LONG, "list"):
        said = await run_text(bot.services, ALICE, bot.surface(), text)
        assert "You're sending requests too quickly" in words(said)
    assert bot.services.commands.looks == looks
    # The first message beyond the limit gets this answer; further ones get none for a while.
    said = [(await bot.direct("list")).text for _ in range(2)]
    assert ("too quickly" in said[0], said[1]) == (True, "")


async def test_a_redelivered_message_is_not_read_again(bot):
    await bot.link()
    await hear(bot, "nonsense", "1800000000.000300")
    looks = bot.services.commands.looks
    assert looks
    await hear(bot, "nonsense", "1800000000.000300")
    assert bot.services.commands.looks == looks
    assert len(await bot.notices()) == 1
    await hear(bot, "nonsense", "1800000000.000400")
    assert bot.services.commands.looks > looks
