"""Answers with a button that undoes them: pressed at once, twice, and late."""

import json

import pytest

from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import BACK, still_applies
from bot.store import hours as hour_rows
from bot.store import operations
from bot.store import workspaces as workspace_rows
from tests.rigs.store import ALICE, observe


def button(answer, label):
    (found,) = [one for one in kit.iterate_buttons(answer.blocks) if one["text"]["text"] == label]
    return found


def labels(answer):
    return [one["text"]["text"] for one in kit.iterate_buttons(answer.blocks)]


async def press(bot, element):
    return await bot.press(element["action_id"], element.get("value", ""))


async def rules(bot):
    return await bot.store.read(hour_rows.list_rules, (await bot.workspace()).id)


@pytest.fixture
async def running(bot):
    await bot.link()
    await observe(bot.store, bot.clock, await bot.workspace(), Observed(State.RUNNING))
    return await bot.workspace()


async def test_stop_is_followed_by_start_again(bot, running):
    again = button(await bot.say("stop notebook"), "Start again")
    assert ButtonValue.from_button(again).mark == BACK
    facts = await bot.services.gatherer.describe_workspace(await bot.workspace())
    assert still_applies(again, facts), "it works while the workspace is still going down"
    await press(bot, again)
    (operation,) = await bot.store.read(operations.open_operations, ALICE)
    assert operation.verb is OperationVerb.START
    # A second press leads to the same start.
    await press(bot, again)
    assert [one.id for one in await bot.store.read(operations.open_operations, ALICE)] == [operation.id]


async def test_start_again_of_an_earlier_time_shows_how_things_are(bot, running):
    again = button(await bot.say("stop notebook"), "Start again")
    stale = again | {"value": f"{running.id}@{running.generation + 7}"}
    assert "out of date" in (await press(bot, stale)).text
    (operation,) = await bot.store.read(operations.open_operations, ALICE)
    assert operation.verb is OperationVerb.STOP


async def test_planned_stop_is_cancelled_once(bot, running):
    cancel = button(await bot.say("stop notebook in 2 hours"), "Cancel it")
    await press(bot, cancel)
    assert (await bot.workspace()).stop_at is None
    await bot.say("stop notebook in 3 hours")
    planned = (await bot.workspace()).stop_at
    # The button cancels only the stop that it was made for.
    await press(bot, cancel)
    assert (await bot.workspace()).stop_at == planned


async def test_forgotten_workspace_is_brought_back(bot):
    await bot.link()
    back = button(await bot.say("forget notebook"), "Bring back")
    assert await bot.store.perform(workspace_rows.read_workspaces, ALICE) == []
    for _ in range(2):
        answer = await press(bot, back)
        # The offer to bring it back disappears.
        assert ("is back on your list" in answer.text, answer.replaces) == (True, True)
        assert [one.title for one in await bot.store.perform(workspace_rows.read_workspaces, ALICE)] == [
            "notebook"
        ]


@pytest.mark.parametrize(
    "given",
    [
        ["weekdays 9:00-18:00"],
        ["mon 9:00", "tue -20:00"],
        ["weekdays 22:00-6:00", "skip tomorrow"],
        ["daily 9:00", "pause"],
    ],
    ids=["one", "several", "left out", "paused"],
)
async def test_hours_turned_off_are_turned_on_again(bot, given):
    await bot.link()
    for said in given:
        await bot.say(f"hours notebook {said}")
    before = [(one.wanted, one.zone, one.off, one.paused) for one in await rules(bot)]
    on = button(await bot.say("hours notebook off"), "Turn on again")
    assert await rules(bot) == []
    for _ in range(2):
        answer = await press(bot, on)
        assert [(one.wanted, one.zone, one.off, one.paused) for one in await rules(bot)] == before
    assert "Turn hours off" in labels(answer)


async def test_hours_for_a_day_that_has_passed_do_not_keep_the_others_off(bot):
    await bot.link()
    await bot.say("hours notebook mon 9:00-17:00")
    await bot.say("hours notebook tomorrow 9:00-17:00")
    on = button(await bot.say("hours notebook off"), "Turn on again")
    bot.clock.advance(3 * 86_400.0)
    assert "now runs Mon" in (await press(bot, on)).text
    (rule,) = await rules(bot)
    assert rule.days == {"mon"}


async def test_hours_set_since_are_kept(bot):
    await bot.link()
    await bot.say("hours notebook weekdays 9:00-18:00")
    on = button(await bot.say("hours notebook off"), "Turn on again")
    await bot.say("hours notebook sat 10:00-12:00")
    since = await rules(bot)
    assert "Sat" in (await press(bot, on)).text
    assert await rules(bot) == since


@pytest.mark.parametrize("off", ["once more", "never"])
async def test_hours_that_are_off_already_have_nothing_to_bring_back(bot, off):
    await bot.link()
    if off == "once more":
        await bot.say("hours notebook weekdays 9:00-18:00")
        await bot.say("hours notebook off")
    assert "Turn on again" not in labels(await bot.say("hours notebook off"))


@pytest.mark.parametrize("former", [None, "study"])
async def test_former_name_is_given_back_unless_it_changed_since(bot, former):
    await bot.link()
    if former:
        await bot.say(f"alias notebook {former}")
    back = button(await bot.say(f"alias {former or 'notebook'} 'my thesis'"), "Change back")
    await press(bot, back)
    assert (await bot.workspace()).alias == former
    await bot.say(f"alias {former or 'notebook'} other")
    assert "called other" in (await press(bot, back)).text
    assert (await bot.workspace()).alias == "other"


async def test_chosen_messages_are_changed_back(bot):
    await bot.link()
    back = button(await bot.say("notify notebook off"), "Change back")
    await press(bot, back)
    row = await bot.workspace()
    assert (row.notify_ready, row.notify_stopped) == (None, None)
    await bot.say("notify notebook on")
    await press(bot, back)
    assert (await bot.workspace()).notify_ready is True


@pytest.mark.parametrize(
    "carried",
    [
        "",
        "x",
        "[1]",
        "{}",
        "null",
        '[["monday",1,2,"UTC","",false]]',
        '[["mon",-1,2,"UTC","",false]]',
        '[["mon","9",2,"UTC","",false]]',
        json.dumps(["a" * 61, None]),
    ],
    ids=["nothing", "word", "number", "object", "null", "day", "minute", "text", "long"],
)
@pytest.mark.parametrize("action", ["hours_back", "alias_back", "notify_back"])
async def test_button_that_carries_something_else_changes_nothing(bot, action, carried):
    await bot.link()
    before = await bot.workspace()
    answer = await bot.press(action, f"{before.id} {carried}")
    assert "internal" not in answer.text
    assert "logged" not in answer.text
    assert await bot.workspace() == before
    assert await rules(bot) == []


async def test_undo_of_an_earlier_release_says_what_there_is_instead(bot):
    await bot.link()
    assert "/workspace list" in (await bot.press("undo", "act_0001")).text
