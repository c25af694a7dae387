"""Quiet hours through the whole engine: one message at their end, whatever happens to clock and process."""

from contextlib import suppress
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.people import Preferences
from bot.domain.workspaces import Observed, OperationVerb, Outcome, State
from bot.support.errors import SlackUnknownOutcome, StoreBusy
from tests.reconciler.fuse import Fuse, Killed
from tests.reconciler.world import new_world
from tests.rigs.store import ALICE, observe, prefer

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Preferences(stopped=True, quiet_from=22 * 60, quiet_to=7 * 60)
POST = "chat.postMessage"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


async def evening(world, when="2027-01-15 22:30", preferences=NIGHT, state=State.RUNNING):
    """Let it be late; return ALICE's workspace, whose stops she wants to hear of."""
    world.clock.jump(at(when) - world.clock.now())
    await world.know(time_zone="Europe/Berlin")
    workspace = await world.own(state=state)
    await world.know(time_zone="Europe/Berlin")
    await prefer(world.store, ALICE, preferences)
    return workspace


async def stops(world, workspace):
    """Let it be found stopped, up as it was."""
    world.provider.put(workspace.remote_id, State.STOPPED)
    await observe(world.store, world.clock, workspace, Observed(State.STOPPED))
    await world.work()


async def until(world, when):
    """Let time pass until then, with work all along."""
    while world.clock.now() < at(when):
        world.clock.advance(min(1200.0, at(when) - world.clock.now()))
        await world.know(time_zone="Europe/Berlin")
        await world.work()


@pytest.mark.parametrize(
    ("night", "morning"),
    [
        ("2027-01-15 22:30", "2027-01-16 07:00"),
        ("2027-03-27 22:30", "2027-03-28 07:00"),
        ("2027-10-30 22:30", "2027-10-31 07:00"),
    ],
    ids=["usual", "summer-time-begins", "summer-time-ends"],
)
async def test_what_stops_at_night_is_told_in_the_morning(world, night, morning):
    await stops(world, await evening(world, night))
    await until(world, morning.replace("07:00", "06:59"))
    assert world.slack.messages == []
    await until(world, morning)
    assert world.slack.kinds() == ["held"]
    said = world.slack.messages[0]
    assert "name-r1 on Fake Cloud stopped at" in said["text"]
    assert "Show my workspaces" in str(said["blocks"])


async def test_a_start_that_was_asked_for_is_told_at_night(world):
    operation = await world.begin(await evening(world, state=State.STOPPED), OperationVerb.START)
    assert await world.until_ended(operation) is Outcome.FULFILLED
    assert world.slack.kinds() == ["card", "ready"]


@pytest.mark.parametrize(
    ("ends", "at_night", "later"),
    [(State.RUNNING, ["waiting"], ["held"]), (State.FAILED, ["waiting", "failed"], [])],
)
async def test_what_takes_more_than_an_hour_waits_and_its_failure_does_not(world, ends, at_night, later):
    workspace = await evening(world, state=State.STOPPED)
    world.provider.start_takes, world.provider.start_ends = 4000, ends
    await world.begin(workspace, OperationVerb.START)
    await world.pass_time(5400, step=60)
    assert [kind for kind in world.slack.kinds() if kind != "card"] == at_night
    await until(world, "2027-01-16 07:01")
    assert [kind for kind in world.slack.kinds() if kind != "card"] == at_night + later


async def test_what_is_told_in_the_morning_stays_true_whatever_happens_then(world):
    workspace = await evening(world, state=State.STOPPED)
    world.provider.start_takes = 4000
    await world.begin(workspace, OperationVerb.START)
    await world.pass_time(5400, step=60)
    await until(world, "2027-01-16 07:01")
    held = world.slack.messages[-1]
    said = "During your quiet hours: name-r1 on Fake Cloud was ready at <!date^"
    assert held["text"].startswith(said), held["text"]
    before = dict(held)
    world.provider.put(workspace.remote_id, State.STOPPED)
    await observe(world.store, world.clock, workspace, Observed(State.STOPPED))
    await world.pass_time(20)
    assert held == before


async def test_what_is_not_true_any_more_is_not_told(world):
    workspace = await evening(world)
    await stops(world, workspace)
    world.provider.put(workspace.remote_id, State.RUNNING)
    await observe(world.store, world.clock, workspace, Observed(State.RUNNING))
    await until(world, "2027-01-16 07:01")
    assert world.slack.messages == []
    assert (await world.store.statistics())["pending_notices"] == 0


async def test_several_are_one_message_and_of_one_workspace_the_last(world):
    first = await evening(world)
    second = await world.own(remote_id="r2", state=State.RUNNING)
    for workspace in (first, second, first):
        world.provider.put(workspace.remote_id, State.RUNNING)
        await observe(world.store, world.clock, workspace, Observed(State.RUNNING))
        await stops(world, workspace)
    await until(world, "2027-01-16 07:01")
    (said,) = world.slack.messages
    lines = str(said["blocks"])
    assert (
        lines.count("*name-r1* on Fake Cloud stopped"),
        lines.count("*name-r2* on Fake Cloud stopped"),
    ) == (1, 1)


@pytest.mark.parametrize("jump", [-3 * 3600.0, 3 * 3600.0], ids=["back", "ahead"])
async def test_a_clock_that_is_moved_at_night_loses_nothing_and_repeats_nothing(world, jump):
    await stops(world, await evening(world))
    world.clock.jump(jump)
    world.reborn()
    await until(world, "2027-01-16 06:50")
    assert world.slack.messages == []
    # The store's time doesn't go back: what was set back comes when it would have come anyway.
    await until(world, "2027-01-16 10:30")
    assert world.slack.kinds() == ["held"]


@pytest.mark.parametrize("arrived", [True, False])
async def test_an_answer_that_gets_lost_is_looked_up(world, arrived):
    await stops(world, await evening(world))
    world.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"), after=arrived)
    await until(world, "2027-01-16 07:30")
    assert world.slack.kinds() == ["held"]


@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
async def test_a_kill_anywhere_loses_nothing_and_repeats_nothing(after):
    for number in count(1):
        async with new_world() as world:
            workspace = await evening(world, "2027-01-16 06:30")
            await stops(world, workspace)
            await until(world, "2027-01-16 06:59")
            fuse = Fuse(number, after=after, done=world.done)
            world.reborn(fuse)
            with suppress(Killed, StoreBusy):
                await until(world, "2027-01-16 07:02")
            world.reborn()
            await until(world, "2027-01-16 07:30")
            assert world.slack.kinds() == ["held"], number
            assert (await world.store.statistics())["pending_notices"] == 0
            if not fuse.is_blown:
                return


async def test_who_ends_their_quiet_hours_at_night_is_told_at_the_end_as_it_was_then(world):
    """Longer ones hold on: nobody is woken by what was held under others."""
    await stops(world, await evening(world))
    longer = Preferences(stopped=True, quiet_from=22 * 60, quiet_to=9 * 60)
    await prefer(world.store, ALICE, longer)
    await until(world, "2027-01-16 08:50")
    assert world.slack.messages == []
    await until(world, "2027-01-16 09:01")
    assert world.slack.kinds() == ["held"]


async def test_what_is_off_is_on_the_card_alone(world):
    workspace = await evening(world, "2027-01-15 12:00", Preferences(ready=False), State.STOPPED)
    operation = await world.begin(workspace, OperationVerb.START)
    assert await world.until_ended(operation) is Outcome.FULFILLED
    assert world.slack.kinds() == ["card"]
    assert "is running" in world.slack.messages[0]["text"]
    assert NoticeKind.READY not in {one.kind for one in await world.store.claim_notices(9, 60.0)}
