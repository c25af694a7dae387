"""A workspace has one end, whatever is to stop it: who is stopped when, and who is told what."""

from __future__ import annotations

import pytest

from bot.domain.classes import ClassCard
from bot.domain.forms import Spec
from bot.domain.moments import read_hours
from bot.domain.stops import End
from bot.domain.workspaces import State
from bot.services import acts, classes, hours, lessons, workspaces
from bot.store import timers
from bot.store.tables import WORKSPACES
from tests.reconciler.classroom import CHANNEL, TRAINER, ask, people, press, seat, told
from tests.reconciler.courses import LESSONS, course, state, until
from tests.reconciler.hours import local
from tests.rigs.store import within


@pytest.fixture
async def world(world):
    world.provider.start_takes = 20.0
    # In steps of minutes a look that asks a minute ahead would find each warning too late for its stop.
    world.looks.takes_all = True
    world.clock.advance(local("07:00") - world.clock.now())
    await world.know(TRAINER)
    return world


async def another(world, title, who, **keys):
    """Post another course, which somebody joins with the workspace that they have."""
    draft = ClassCard(TRAINER, CHANNEL, "cloud", title, pattern="name-*", **LESSONS | keys)
    card = await ask(world).to(classes.post, draft)
    assert (await press(world, card, who)).result == "enrolled"
    return card


async def mine(world, who):
    (row,) = await world.store.workspaces(who)
    return row


def warned(world, who):
    return [one for one in told(world, who) if "will be stopped" in one or "will be suspended" in one]


async def test_who_joins_shortly_before_a_lesson_is_stopped_after_it(world):
    """What was made for them runs for an hour, which would end in the middle of it."""
    (alice,) = people(1)
    await until(world, "08:35")
    card = await course(world, spec=Spec("usher-class", {"template": "course"}), pattern="")
    await world.link(alice, token="token-U000")
    await press(world, card, alice)
    await until(world, "10:15")
    row = await mine(world, alice)
    assert (row.state, row.stop_at, warned(world, alice)) == (State.RUNNING, local("10:30"), [])
    await until(world, "10:29")
    assert warned(world, alice)[0].startswith("Statistics ends ")
    await until(world, "10:33")
    assert (await mine(world, alice)).state is State.SUSPENDED
    assert told(world, alice)[-1] == "Statistics is over, and statistics on Fake Cloud was suspended."


@pytest.mark.parametrize(
    ("begins", "ends", "over"),
    [(10 * 60, 11 * 60, "11:00"), (10 * 60 + 30, 11 * 60, "11:00"), (9 * 60, 10 * 60 + 30, "10:30")],
    ids=["overlapping", "touching", "at one hour"],
)
async def test_what_two_courses_need_is_stopped_once_after_the_last(world, begins, ends, over):
    (alice,) = people(1)
    await course(world, alice)
    await another(world, "Biology", alice, starts=begins, stops=ends)
    await until(world, "09:10")
    assert (await mine(world, alice)).stop_at == local(over)
    hour, minute = map(int, over.split(":"))
    await until(world, f"{hour - (minute == 0):02}:{(minute or 60) - 1}")
    assert (state(world), len(warned(world, alice))) == (State.RUNNING, 1)
    await until(world, f"{hour}:{minute + 3:02}")
    assert (state(world), world.provider.accepted_stops) == (State.STOPPED, ["r-U000"])


async def test_a_lesson_that_is_skipped_leaves_what_the_other_says_and_that_is_warned_of(world):
    """An earlier end than was announced is warned of anew, and undone it is the later one again."""
    (alice,) = people(1)
    await course(world, alice)
    other = await another(world, "Biology", alice, starts=11 * 60, stops=12 * 60, lead=1800.0)
    await within(
        world.store, lambda tx: tx.run("UPDATE class_cards SET lead = 1800 WHERE id = :id", id=other.id)
    )
    await until(world, "10:15")
    (end,) = [(await mine(world, alice)).stop_at]
    by = ask(world)
    await by.to(lessons.change, other.id, "skip", {"days": "on 22 Nov"}, {"off": frozenset({"2027-11-22"})})
    await until(world, "10:16", step=5)
    assert (end, (await mine(world, alice)).stop_at) == (local("12:00"), local("10:30"))
    await until(world, "10:29")
    assert len(warned(world, alice)) == 1
    await until(world, "10:33")
    assert state(world) is State.STOPPED


async def test_what_a_person_sets_during_a_lesson_counts_and_is_said(world):
    alice, bob = people(2)
    await course(world, alice, bob)
    await until(world, "09:20")
    for who, at in ((alice, "09:50"), (bob, "11:30")):
        await ask(world, who).to(workspaces.set, (await mine(world, who)).id, End(local(at), "stop"))
    await until(world, "09:49")
    assert warned(world, alice)[0].endswith(
        "as you asked. You set that time yourself, so the end of Statistics won't change it. "
        "Save your work before then."
    )
    await until(world, "10:45")
    assert (state(world, 0), state(world, 1), warned(world, bob)) == (State.STOPPED, State.RUNNING, [])
    await until(world, "11:33")
    assert state(world, 1) is State.STOPPED


async def test_what_a_person_set_before_they_joined_doesnt_stop_them_in_a_lesson(world):
    (alice,) = people(1)
    workspace = await seat(world, alice, State.RUNNING)
    await ask(world, alice).to(workspaces.set, workspace.id, End(local("09:30"), "stop"))
    await world.pass_time(20, step=5)
    await course(world)
    (card,) = await world.store.courses()
    await press(world, card, alice)
    assert (await mine(world, alice)).stop_at == local("10:30")
    await ask(world, alice).to(lessons.leave, card.id)
    assert (await mine(world, alice)).stop_at == local("09:30")


async def test_an_end_of_ones_own_that_counts_again_is_warned_of(world):
    """When they set it they needed no warning, but meanwhile another one counted."""
    (alice,) = people(1)
    workspace = await seat(world, alice, State.RUNNING)
    await until(world, "08:30")
    await ask(world, alice).to(workspaces.set, workspace.id, End(local("09:30"), "stop"))
    await world.pass_time(20, step=5)
    await course(world)
    (card,) = await world.store.courses()
    await press(world, card, alice)
    await until(world, "09:27")
    assert (state(world), warned(world, alice)) == (State.RUNNING, [])
    await ask(world, alice).to(lessons.leave, card.id)
    await until(world, "09:31")
    assert (state(world), len(warned(world, alice))) == (State.RUNNING, 1)
    await until(world, "09:36")
    assert state(world) is State.STOPPED


async def test_an_end_that_was_taken_back_is_there_again(world):
    """With what else was to stop it."""
    (alice,) = people(1)
    await course(world, alice)
    await until(world, "09:20")
    before = await mine(world, alice)
    await ask(world, alice).to(workspaces.set, before.id, End(local("09:50"), "stop"))
    await ask(world, alice).to(acts.undo)
    assert (await mine(world, alice)).ends == before.ends
    await ask(world, alice).to(workspaces.keep, before.id)
    await until(world, "10:45")
    assert state(world) is State.RUNNING


@pytest.mark.parametrize(
    ("columns", "because", "warns"),
    [({}, "own", False), ({"stop_rule": "r1"}, "hours", True), ({"stop_card": "c1"}, "class", True)],
    ids=["own", "hours", "class"],
)
async def test_timer_of_0_2_1_is_kept(world, columns, because, warns):
    """It had only the timer's columns."""
    (alice,) = people(1)
    await course(world, alice)
    row = await mine(world, alice)
    at = {"stop_at": local("11:30"), "stop_mode": "stop", "stop_look_at": local("10:50")}
    await within(world.store, WORKSPACES.change, {"id": row.id}, **timers.NONE | at | columns)
    kept = await within(world.store, timers.decide, row.id)
    assert (kept.stop_at, kept.stop_mode, kept.ends.rows) == (local("11:30"), "stop", (kept.ends.counts,))
    assert (kept.ends.counts.because, kept.ends.counts.warns) == (because, warns)
    assert kept.ends.counts.source == (*columns.values(), "")[0]


async def test_what_0_2_1_has_started_for_a_lesson_is_stopped_after_it(world):
    """Unless its person has done something with it since: 0.2.1 has planned no end."""
    alice, bob = people(2)
    await course(world, alice, bob)
    await until(world, "09:05")
    for who in (alice, bob):
        row = await mine(world, who)
        await within(world.store, WORKSPACES.change, {"id": row.id}, **timers.NONE)
    await ask(world, bob).to(workspaces.set, row.id, End(local("12:00"), "stop"))
    await ask(world, bob).to(workspaces.keep, row.id)
    await until(world, "10:35")
    assert (state(world, 0), state(world, 1)) == (State.STOPPED, State.RUNNING)


@pytest.mark.parametrize("at", ["08:58", "09:40"])
async def test_lesson_that_somebody_leaves_stops_what_it_has_started(world, at):
    """Also if they leave while it is being started, and whatever becomes of the course."""
    (alice,) = people(1)
    card = await course(world, alice)
    await until(world, at)
    await ask(world, alice).to(lessons.leave, card.id)
    assert (await mine(world, alice)).stop_at == local("10:30")
    await until(world, "10:33")
    assert told(world, alice)[-1].startswith("Statistics is over, and name-r-U000 on Fake Cloud was stopped.")


@pytest.mark.parametrize("how", ["skip", "end"])
async def test_lesson_on_ends_as_planned_without_its_course(world, how):
    (alice,) = people(1)
    card = await course(world, alice)
    await until(world, "09:40")
    if how == "skip":
        await ask(world, alice).to(lessons.skip, card.id, "2027-11-22")
    else:
        await ask(world).to(lessons.change, card.id, "end", {}, {})
    await until(world, "10:33")
    assert told(world, alice)[-1].startswith("Statistics is over, and name-r-U000 on Fake Cloud was stopped.")


async def test_hours_turned_off_in_a_lesson_end_with_it(world):
    """The lesson has found the workspace up, so it stops nothing itself. The hours are 8:00–10:00 there."""
    (alice,) = people(1)
    card = await course(world, starts=9 * 60, stops=10 * 60 + 30)
    workspace = await seat(world, alice)
    await ask(world, alice).to(hours.add, workspace.id, read_hours("2027-11-22 7:00-9:00"))
    await press(world, card, alice)
    await until(world, "09:20", step=20)
    await ask(world, alice).to(hours.end, workspace.id)
    assert (await mine(world, alice)).stop_at == local("10:30")
