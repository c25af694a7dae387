"""A class from its card to its summary: counts, the end by consent, workspaces kept, and kills."""

import re
from contextlib import suppress
from itertools import count, cycle

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.services import courses as use_cases
from bot.store import audit, notices, workspaces
from bot.support.errors import SlackFailed, SlackPermanent, SlackUnknownOutcome, StoreBusy
from tests.reconciler.classroom import CHANNEL, TRAINER, ask, people, person, post, press, seat, told
from tests.reconciler.fuse import Fuse, Killed
from tests.reconciler.world import new_world


@pytest.fixture
async def school(world):
    world.provider.start_takes = 4.0
    return world


def buttons(message):
    return [one["text"]["text"] for one in kit.iterate_buttons(message["blocks"])]


def states(school):
    return {key: school.provider._moved(key).state for key in school.provider.machines}


async def test_the_card_is_drawn_every_three_seconds_at_most(school):
    school.provider.start_takes = 40.0
    card = await post(school)
    everybody = people(20)
    for principal in everybody:
        await seat(school, principal)
    began = len(school.slack.updates)
    at = school.clock.monotonic()
    for principal in everybody:
        await press(school, card, principal)
        await school.pass_time(0.5, step=0.5)
    passed = school.clock.monotonic() - at
    assert 1 <= len(school.slack.updates) - began <= passed / 3.0 + 1


async def test_what_its_owner_stopped_before_is_left_alone(school):
    (alice,) = people(1)
    await seat(school, alice)
    card = await post(school, stops_at=school.clock.now() + 700)
    await press(school, card, alice)
    await school.pass_time(20)
    (row,) = await school.store.perform(workspaces.read_workspaces, alice)
    await school.begin(row, OperationVerb.STOP)
    await school.pass_time(60)
    await school.pass_time(700, step=5)
    assert [one.method for one in school.provider.calls].count("stop") == 1
    assert "I left 1 alone" in told(school, TRAINER)[-1]


async def test_who_presses_again_shortly_before_the_end_is_counted_as_stopped(school):
    (alice,) = people(1)
    await seat(school, alice)
    card = await post(school, stops_at=school.clock.now() + 700)
    await press(school, card, alice)
    await school.pass_time(20)
    (row,) = await school.store.perform(workspaces.read_workspaces, alice)
    await school.begin(row, OperationVerb.STOP)
    await school.pass_time(460, step=5)
    await press(school, card, alice)
    await school.pass_time(700, step=2)
    assert states(school)["r-U000"] is State.SUSPENDED
    (summary,) = told(school, TRAINER)
    assert "1 stopped, 0 kept running." in summary
    assert "class Statistics is over" in told(school, alice)[-1] + told(school, alice)[-2]


async def test_who_presses_late_has_five_minutes_all_the_same(school):
    (alice,) = people(1)
    await seat(school, alice)
    card = await post(school, stops_at=school.clock.now() + 650)
    await school.pass_time(600, step=20)
    await press(school, card, alice)
    await school.pass_time(200, step=2)
    assert states(school)["r-U000"] is State.RUNNING
    await school.pass_time(200, step=2)
    assert states(school)["r-U000"] is State.SUSPENDED
    actions = await school.store.engine.read(
        lambda tx: tx.all("SELECT kind, initiator FROM undoable_actions")
    )
    assert ("workspace.suspend", "class") in [(one["kind"], one["initiator"]) for one in actions]


async def test_an_end_that_nobody_was_there_for_is_told_first_and_comes_all_the_same(school):
    (alice,) = people(1)
    await seat(school, alice)
    card = await post(school, stops_at=school.clock.now() + 650)
    await press(school, card, alice)
    await school.pass_time(20)
    school.clock.advance(2400.0)
    await school.pass_time(60, step=2)
    assert "is ending" in told(school, alice)[-1]
    warning = [one for one in school.slack.messages if one["channel"] == "DU000"][-1]
    assert float(re.search(r"<!date\^(\d+)", str(warning["blocks"]))[1]) > school.clock.now()
    assert states(school)["r-U000"] is State.RUNNING
    assert told(school, TRAINER) == []
    await school.pass_time(300, step=2)
    assert states(school)["r-U000"] is State.SUSPENDED
    (summary,) = told(school, TRAINER)
    assert "1 couldn't be stopped yet. I'm keeping their owners posted." in summary


async def test_a_trainer_who_lost_the_right_stops_nothing(school):
    (alice,) = people(1)
    await seat(school, alice)
    card = await post(school)
    await press(school, card, alice)
    await school.pass_time(20)
    await ask(school).run(use_cases.stop_all, card.id)
    school.clock.advance(1.0)
    await school.know(TRAINER, is_deleted=True)
    await school.pass_time(400, step=4)
    assert states(school)["r-U000"] is State.RUNNING
    refused = [row for row in await school.store.read(audit.read_audit) if row["result"] == "refused"]
    assert refused[-1]["action"] == "class.stop"


async def test_the_end_takes_two_transactions_a_person(school):
    """Each person takes one transaction for the warning and one for the stop; all others are shared."""
    spent = {count: await _spent(school, count) for count in (5, 20)}
    assert spent[20] - spent[5] == 2 * 15, spent


async def _spent(school, count):
    """Return how many transactions of scheduled work did something at the end of a class."""
    everybody = [person(100 * count + number) for number in range(count)]
    for principal in everybody:
        await seat(school, principal, State.RUNNING)
    card = await post(school, stops_at=school.clock.now() + 700)
    for principal in everybody:
        await press(school, card, principal)
    await school.pass_time(300, step=5, longest=5)
    scheduled_work, engine, made, worked = school.reconciler.scheduled_work, school.store.engine, [0], 0
    step = scheduled_work.step

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

    scheduled_work.step = counted
    await school.pass_time(700, step=5, longest=5)
    scheduled_work.step = step
    stopped = {key: one for key, one in states(school).items() if any(p.user_id in key for p in everybody)}
    assert set(stopped.values()) == {State.SUSPENDED}
    return worked


# -- while the card is being sent --------------------------------------------------------------------------


async def test_a_card_of_unknown_outcome_is_not_repeated_and_its_poster_is_asked(school):
    school.slack.fail("chat.postMessage", SlackUnknownOutcome("chat.postMessage", "no_answer"), after=True)
    card = await post(school)
    await school.pass_time(60)
    assert len([one for one in school.slack.messages if one["channel"] == CHANNEL]) == 1
    assert school.slack.count("conversations.history") == 0
    (asked,) = [one for one in school.slack.messages if one["channel"] == "DUTRAINER"]
    assert buttons(asked) == ["Post again"]
    assert "Did" in asked["text"] or "whether the card" in asked["text"]
    assert await ask(school).run(use_cases.post_again, card.id)
    await school.pass_time(5)
    assert len([one for one in school.slack.messages if one["channel"] == CHANNEL]) == 2
    assert not await ask(school).run(use_cases.post_again, card.id)


async def test_card_with_unknown_refusal_is_given_up_after_an_hour(school):
    school.slack.fail_in(CHANNEL, SlackFailed("chat.postMessage", "solar_flare"))
    await post(school)
    await school.pass_time(3_300, step=60)
    assert told(school, TRAINER) == []
    await school.pass_time(900, step=60)
    (asked,) = told(school, TRAINER)
    assert "Slack answered solar_flare." in asked
    assert [(one.kind.value, one.error) for one in await school.store.read(notices.list_dead_notices)] == [
        ("class_card", "solar_flare")
    ]


@pytest.mark.parametrize("code", ["is_archived", "channel_not_found", "posting_to_channel_denied"])
async def test_teacher_hears_once_that_the_card_is_not_updated(school, code):
    card = await post(school)
    await school.pass_time(10)
    school.slack.fail("chat.update", SlackPermanent("chat.update", code), times=99)
    for principal in people(3):
        await seat(school, principal, State.STOPPED)
        await press(school, card, principal)
        await school.pass_time(30)
    (heard,) = [one["text"] for one in school.slack.messages if f"`{code}`" in one["text"]]
    assert f"I can't update your card in <#{CHANNEL}>" in heard
    assert "ready" in school.slack.kinds()


@pytest.mark.parametrize("apart", [41, pytest.param(9, marks=pytest.mark.thorough)])
async def test_kills_anywhere_at_the_end_of_a_class_stop_everybody_once(apart):
    for at, after in zip(count(1, apart), cycle([False, True]), strict=False):
        async with new_world() as school:
            everybody = people(3)
            for principal in everybody:
                await seat(school, principal, State.RUNNING)
            card = await post(school, stops_at=school.clock.now() + 310)
            for principal in everybody:
                await press(school, card, principal)
            await school.pass_time(9, step=3)
            fuse = Fuse(at, after=after, done=school.done)
            school.reborn(fuse)
            with suppress(Killed, StoreBusy):
                for _ in range(120):
                    await school.work()
                    school.clock.advance(3.0)
                    if fuse.is_blown:
                        break
            school.reborn()
            # The dead process's leases expire.
            while school.clock.now() < card.stops_at + 70:
                await school.work()
                school.clock.advance(5.0)
            await school.until_settled()
            assert set(states(school).values()) == {State.SUSPENDED}
            assert sorted(school.provider.accepted_stops) == ["r-U000", "r-U001", "r-U002"]
            for principal in everybody:
                heard = told(school, principal)
                # The warning has turned into the message that it was suspended.
                assert sum("has been suspended" in text for text in heard) == 1, heard
                assert school.slack.kinds().count("stop_warning") == len(everybody)
            assert len(told(school, TRAINER)) == 1
            if not fuse.is_blown:
                break
