"""With every verb, *everything* and similar words mean the same as *all*."""

from __future__ import annotations

import pytest

from bot.domain.workspaces import State
from tests.handlers.rig import buttons, words

EVERY = ("all", "everything", "every", "Everything", "alles", "*everything*", "everything!")
NAMES = ("notebook", "training")


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize(
    ("verb", "label"),
    [
        ("start", "Start 2 workspaces"),
        ("stop", "Stop 2 workspaces"),
        ("restart", "Restart 2 workspaces"),
        ("forget", "Take 2 workspaces off my list"),
    ],
)
async def test_verb_for_everything_is_offered_in_one_button(bot, verb, label, every):
    await bot.link(names=NAMES)
    for name in NAMES:
        await bot.sees(State.STOPPED if verb == "start" else State.RUNNING, name)
    offered = await bot.say(f"{verb} {every}")
    assert [*buttons(offered)] == [label]
    assert "can't find" not in words(offered)


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("verb", ["list", "status", "open", "hours"])
async def test_verb_that_shows_everything_names_all(bot, verb, every):
    await bot.link(names=NAMES)
    for name in NAMES:
        await bot.say(f"hours {name} weekdays 9:00-18:00")
    said = words(await bot.say(f"{verb} {every}"))
    assert all(f"*{name}* " in said for name in NAMES)


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("verb", ["remove", "cancel"])
async def test_verb_for_one_asks_which(bot, verb, every):
    await bot.link(names=NAMES)
    for name in NAMES:
        await bot.say(f"start {name}")
    asked = words(await bot.say(f"{verb} {every}"))
    assert asked.startswith("Which workspace? Press one")


@pytest.mark.parametrize("every", ["all", "everything", "every", "alles"])
async def test_help_and_unlink_take_everything(bot, every):
    await bot.link(names=NAMES)
    assert words(await bot.say(f"help {every}")) == words(await bot.say("help all"))
    assert words(await bot.say(f"unlink {every}")) == words(await bot.say("unlink all"))


async def test_name_in_quotes_is_a_name(bot):
    await bot.link(names=("everything", "notebook"))
    assert "Starting *everything*" in words(await bot.say('start "everything"'))
    assert [*buttons(await bot.say("start everything"))] == ["Start notebook"]
