"""Pressing a button on an outdated message does nothing, and the answer shows the current state."""

import pytest

from bot.domain.surfaces import Where
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import operations
from tests.handlers.buttons import end, started
from tests.handlers.rig import words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE


async def seen(bot, state):
    """Record a read that finds the notebook in this state, and return its row."""
    bot.clock.advance(60)
    await bot.sees(state)
    return await bot.workspace()


@pytest.mark.parametrize("text", ["list", "status notebook"])
@pytest.mark.parametrize(
    ("drawn", "label", "since", "now"),
    [
        (State.RUNNING, "Stop", [State.STOPPED, State.RUNNING], "Running"),
        (State.STARTING, "Stop", [State.STOPPED, State.STARTING, State.RUNNING], "Running"),
        (State.STOPPED, "Start", [State.RUNNING], "Running"),
        (State.STOPPED, "Start", [State.RUNNING, State.STOPPED], "Stopped"),
    ],
)
async def test_what_came_up_again_since_is_left_alone(bot, text, drawn, label, since, now):
    await bot.link()
    await seen(bot, drawn)
    old = await bot.say(text)
    for state in since:
        await seen(bot, state)
    answer = await bot.push(old, label)
    assert "so I did nothing" in words(answer)
    assert now in words(answer)
    assert await bot.store.read(operations.open_operations, ALICE) == []


@pytest.mark.parametrize("where", [Where.HOME, Where.FORM])
async def test_what_is_out_of_date_is_the_message_or_the_page(bot, where):
    await bot.link()
    await seen(bot, State.RUNNING)
    old = await bot.say("list")
    await seen(bot, State.STOPPED)
    await seen(bot, State.RUNNING)
    assert "That message was out of date" in words(await bot.push(old, "Stop"))
    on_page = words(await bot.push(old, "Stop", where=where, channel_id=None))
    assert "This page was out of date" in on_page


async def test_a_second_press_says_what_is_under_way(bot):
    await bot.link()
    listed = await bot.say("list")
    await bot.push(listed, "Start")
    check_golden("answers/outdated-start", await bot.push(listed, "Start"))
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1


async def test_an_old_stop_says_how_things_are_and_offers_what_there_is(bot):
    await bot.link()
    await seen(bot, State.RUNNING)
    listed = await bot.say("list")
    await seen(bot, State.STOPPED)
    await seen(bot, State.RUNNING)
    answer = await bot.push(listed, "Stop")
    check_golden("answers/outdated-stop", answer)
    await bot.push(answer, "Stop")
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1


async def test_trying_again_what_something_newer_came_after_does_nothing(bot):
    operation = await started(bot)
    await end(bot, operation, Outcome.FAILED, "gave_up")
    await bot.say("stop notebook")
    newer = await bot.store.read(operations.find_latest_operation, operation.workspace_id)
    assert "so I did nothing" in words(await bot.press("try_again", operation.id))
    assert [one.id for one in await bot.store.read(operations.open_operations, ALICE)] == [newer.id]


async def test_the_card_as_an_answer_says_as_of_when(bot):
    await started(bot)
    answer = await bot.say("status notebook")
    assert "As of" in words(answer)
    assert "stays up to date" in words(answer)


async def test_a_list_in_a_channel_has_one_as_of(bot):
    await bot.link()
    await seen(bot, State.RUNNING)
    assert "As of" in words(await bot.say("stop notebook in 2 hours"))
    listed = words(await bot.say("list"))
    assert "I'll stop it" in listed
    assert listed.casefold().count("as of ") == 1


@pytest.mark.parametrize("later", ["read", "started"])
async def test_list_with_a_later_row_is_as_of_no_single_time(bot, later):
    """A list as of 1:00 can't contain a workspace that has been running since 1:01."""
    await bot.link(names=("notebook", "training"))
    for name in ("notebook", "training"):
        await bot.sees(State.STOPPED, name)
    first = words(await bot.say("list")).splitlines()[0]
    assert " as of " in first
    assert not first.endswith(" or later")
    bot.clock.advance(61)
    if later == "read":
        await bot.sees(State.RUNNING, "training")
    else:
        await bot.say("start training")
    first = words(await bot.say("list")).splitlines()[0]
    assert " as of " in first
    assert first.endswith(" or later")


async def test_the_start_of_usher_itself_is_one_episode(bot):
    operation = await started(bot)
    assert (await bot.workspace()).generation == 1
    await seen(bot, State.STARTING)
    assert (await seen(bot, State.RUNNING)).generation == 1
    await end(bot, operation, Outcome.FULFILLED)
    await seen(bot, State.STOPPED)
    assert (await seen(bot, State.RUNNING)).generation == 2
