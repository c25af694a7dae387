"""Help, which depends on where it is read and on the accounts that the person has linked."""

import pytest

from bot.domain.surfaces import Where
from tests.handlers.rig import Rig, buttons, words
from tests.rigs.store import BOB


async def test_help_is_the_same_for_the_same_accounts(bot: Rig):
    first = await bot.say("help")
    assert (await bot.say("help", BOB)).blocks == first.blocks
    assert (await bot.say("job help")).blocks != first.blocks
    assert (await bot.direct("help")).blocks != first.blocks
    await bot.link()
    linked = await bot.say("help")
    assert "Show my workspaces" in buttons(linked)
    assert linked.blocks != first.blocks


@pytest.mark.parametrize(
    ("asked", "typed", "in_direct"),
    [
        ("help hours", "`/workspace hours NAME on` brings them back.", "`hours NAME on` brings them back."),
        ("help unlink", "`/workspace unlink all` removes every link", "`unlink all` removes every link"),
        ("help settings", "`ready` and `stopped` are for", "`ready` and `stopped` are for"),
        ("job help list", "`/job list failed`", "`job list failed`"),
        ("job help run", "repeat `--env A=B` as needed", "repeat `--env A=B` as needed"),
    ],
)
async def test_examples_are_written_as_they_are_typed_in_the_same_place(bot: Rig, asked, typed, in_direct):
    assert typed in words(await bot.say(asked))
    assert in_direct in words(await bot.direct(asked))


async def test_examples_begin_with_the_mention_that_they_need(bot: Rig):
    explained = words(await bot.say("help hours", kind="mention", where=Where.MENTION))
    assert "`@usher hours NAME on` brings them back." in explained


async def test_help_on_a_verb_that_is_also_another_word_for_help_explains_the_verb(bot: Rig):
    explained = words(await bot.say("help usage"))
    assert "`/workspace usage [WHEN|CLASS|team]`" in explained
    assert "help [VERB]" not in explained


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ("help job", "job help"),
        ("help /job", "job help"),
        ("job help workspaces", "help"),
        ("help start?", "help start"),
        ("help Start.", "help start"),
    ],
)
async def test_help_is_found_by_what_people_call_it(bot: Rig, asked, same):
    assert words(await bot.say(asked)) == words(await bot.say(same))
