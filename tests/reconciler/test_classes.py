"""A class from its card to its summary: counts, the end by consent, what is kept, and kills in between."""

import re
from contextlib import suppress
from itertools import count, cycle

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.services import classes
from bot.support.errors import SlackFailed, SlackUnknownOutcome, StoreBusy
from tests.reconciler.classroom import CHANNEL, TRAINER, ask, people, person, post, press, seat, told
from tests.reconciler.fuse import Fuse, Killed
from tests.reconciler.world import new_world


@pytest.fixture
async def world(world):
    world.provider.start_takes = 4.0
    return world


def buttons(message):
    return [one["text"]["text"] for one in kit.buttons_of(message["blocks"])]


def states(world):
    return {key: world.provider._moved(key).state for key in world.provider.machines}


async def test_the_card_is_drawn_every_three_seconds_at_most(world):
    world.provider.start_takes = 40.0
    card = await post(world)
    everybody = people(20)
    for principal in everybody:
        await seat(world, principal)
    began = len(world.slack.updates)
    at = world.clock.monotonic()
    for principal in everybody:
        await press(world, card, principal)
        await world.pass_time(0.5, step=0.5)
    passed = world.clock.monotonic() - at
    assert 1 <= len(world.slack.updates) - began <= passed / 3.0 + 1


async def test_what_its_owner_stopped_before_is_left_alone(world):
    (alice,) = people(1)
    await seat(world, alice)
    card = await post(world, stops_at=world.clock.now() + 700)
    await press(world, card, alice)
    await world.pass_time(20)
    (row,) = await world.store.workspaces(alice)
    await world.begin(row, OperationVerb.STOP)
    await world.pass_time(60)
    await world.pass_time(700, step=5)
    assert [one.method for one in world.provider.calls].count("stop") == 1
    assert "I left 1 alone" in told(world, TRAINER)[-1]


async def test_who_presses_late_has_five_minutes_all_the_same(world):
    (alice,) = people(1)
    await seat(world, alice)
    card = await post(world, stops_at=world.clock.now() + 650)
    await world.pass_time(600, step=20)
    await press(world, card, alice)
    await world.pass_time(200, step=2)
    assert states(world)["r-U000"] is State.RUNNING
    await world.pass_time(200, step=2)
    assert states(world)["r-U000"] is State.SUSPENDED
    pressed, stopped = reversed(await world.store.acts_since(alice, 0.0))
    assert (pressed.action, pressed.asker) == ("class.press", "")
    assert (stopped.action, stopped.asker) == ("workspace.suspend", "class")
    assert await world.store.asker_of(await world.store.operation(stopped.errand)) == "class"
    assert await world.store.asker_of(await world.store.operation(pressed.errand)) == ""


async def test_an_end_that_nobody_was_there_for_is_told_first_and_comes_all_the_same(world):
    (alice,) = people(1)
    await seat(world, alice)
    card = await post(world, stops_at=world.clock.now() + 650)
    await press(world, card, alice)
    await world.pass_time(20)
    world.clock.advance(2400.0)
    await world.pass_time(60, step=2)
    assert "is ending" in told(world, alice)[-1]
    warning = [one for one in world.slack.messages if one["channel"] == "DU000"][-1]
    assert float(re.search(r"<!date\^(\d+)", str(warning["blocks"]))[1]) > world.clock.now()
    assert states(world)["r-U000"] is State.RUNNING
    assert told(world, TRAINER) == []
    await world.pass_time(300, step=2)
    assert states(world)["r-U000"] is State.SUSPENDED
    (summary,) = told(world, TRAINER)
    assert "1 couldn't be stopped yet. I'm keeping their owners posted." in summary


async def test_a_trainer_who_lost_the_right_stops_nothing(world):
    (alice,) = people(1)
    await seat(world, alice)
    card = await post(world)
    await press(world, card, alice)
    await world.pass_time(20)
    await ask(world).to(classes.stop_all, card.id)
    world.clock.advance(1.0)
    await world.know(TRAINER, is_deleted=True)
    await world.pass_time(400, step=4)
    assert states(world)["r-U000"] is State.RUNNING
    refused = [row for row in await world.store.audit_entries() if row["result"] == "refused"]
    assert refused[-1]["action"] == "class.stop"


async def test_the_end_takes_two_transactions_a_person(world):
    """A warning and a stop; beside those, what is due is claimed for all, and the card's counts."""
    spent = {count: await _spent(world, count) for count in (5, 20)}
    assert spent[20] - spent[5] == 2 * 15, spent


async def _spent(world, count):
    """Return how many transactions of what time does had something to do at the end of a class."""
    everybody = [person(100 * count + number) for number in range(count)]
    for principal in everybody:
        await seat(world, principal, State.RUNNING)
    card = await post(world, stops_at=world.clock.now() + 700)
    for principal in everybody:
        await press(world, card, principal)
    await world.pass_time(300, step=5, longest=5)
    clockwork, engine, made, worked = world.reconciler.clockwork, world.store.engine, [0], 0
    step = clockwork.step

    def count_one(work, priority, writes):
        made[0] += 1
        return work

    async def counted(*due):
        nonlocal worked
        made[0], engine.watch = 0, count_one
        done = await step(*due)
        engine.watch = None
        worked += made[0] if done else 0
        return done

    clockwork.step = counted
    await world.pass_time(700, step=5, longest=5)
    clockwork.step = step
    stopped = {key: one for key, one in states(world).items() if any(p.user_id in key for p in everybody)}
    assert set(stopped.values()) == {State.SUSPENDED}
    return worked


# -- the card on its way -----------------------------------------------------------------------------------


async def test_a_card_of_unknown_outcome_is_not_repeated_and_its_poster_is_asked(world):
    world.slack.fail("chat.postMessage", SlackUnknownOutcome("chat.postMessage", "no_answer"), after=True)
    card = await post(world)
    await world.pass_time(60)
    assert len([one for one in world.slack.messages if one["channel"] == CHANNEL]) == 1
    assert world.slack.count("conversations.history") == 0
    (asked,) = [one for one in world.slack.messages if one["channel"] == "DUTRAINER"]
    assert buttons(asked) == ["Post again"]
    assert "Did" in asked["text"] or "whether the card" in asked["text"]
    assert await ask(world).to(classes.post_again, card.id)
    await world.pass_time(5)
    assert len([one for one in world.slack.messages if one["channel"] == CHANNEL]) == 2
    assert not await ask(world).to(classes.post_again, card.id)


async def test_a_card_that_is_refused_with_a_code_that_nobody_knows_is_given_up_after_an_hour(world):
    world.slack.fail_in(CHANNEL, SlackFailed("chat.postMessage", "solar_flare"))
    await post(world)
    await world.pass_time(3_300, step=60)
    assert told(world, TRAINER) == []
    await world.pass_time(900, step=60)
    (asked,) = told(world, TRAINER)
    assert "Slack answered solar_flare." in asked
    assert [(one.kind.value, one.error) for one in await world.store.dead_notices()] == [
        ("class_card", "solar_flare")
    ]


@pytest.mark.parametrize("apart", [41, pytest.param(9, marks=pytest.mark.thorough)])
async def test_kills_anywhere_at_the_end_of_a_class_stop_everybody_once(apart):
    for at, after in zip(count(1, apart), cycle([False, True]), strict=False):
        async with new_world() as world:
            everybody = people(3)
            for principal in everybody:
                await seat(world, principal, State.RUNNING)
            card = await post(world, stops_at=world.clock.now() + 310)
            for principal in everybody:
                await press(world, card, principal)
            await world.pass_time(9, step=3)
            fuse = Fuse(at, after=after, done=world.done)
            world.reborn(fuse)
            with suppress(Killed, StoreBusy):
                for _ in range(120):
                    await world.work()
                    world.clock.advance(3.0)
                    if fuse.is_blown:
                        break
            world.reborn()
            # Leases of the dead run out.
            while world.clock.now() < card.stops_at + 70:
                await world.work()
                world.clock.advance(5.0)
            await world.until_settled()
            assert set(states(world).values()) == {State.SUSPENDED}
            assert sorted(world.provider.accepted_stops) == ["r-U000", "r-U001", "r-U002"]
            for principal in everybody:
                heard = told(world, principal)
                # The warning has become what says that it was suspended.
                assert sum("has been suspended" in text for text in heard) == 1, heard
                assert world.slack.kinds().count("timer_ending") == len(everybody)
            assert len(told(world, TRAINER)) == 1
            if not fuse.is_blown:
                break
