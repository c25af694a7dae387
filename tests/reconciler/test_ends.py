"""A workspace has a single planned end, whatever causes it: who is stopped when, and who is told what."""

from __future__ import annotations

import re

import pytest

from bot.domain.courses import ClassCard
from bot.domain.forms import Spec
from bot.domain.stops import PlannedStop
from bot.domain.time_parsing import read_hours
from bot.domain.workspaces import State
from bot.services import course_changes as changes
from bot.services import courses as courses_use_cases
from bot.services import hours as hours_use_cases
from bot.services.timers import set_timer
from bot.store import courses as class_rows
from bot.store import workspaces as workspace_rows
from tests.reconciler.classroom import CHANNEL, TRAINER, ask, people, press, seat, told
from tests.reconciler.courses import LESSONS, course, state, until
from tests.reconciler.hours import local
from tests.rigs.store import within


@pytest.fixture
async def term(world):
    world.provider.start_takes = 20.0
    # Time passes in steps of minutes here, so checks that look one minute ahead would find warnings too late.
    world.looks.takes_all = True
    world.clock.advance(local("07:00") - world.clock.now())
    await world.know(TRAINER)
    return world


async def another(term, title, who, **keys):
    """Post another course, which a person joins with the workspace that they already have."""
    draft = ClassCard(TRAINER, CHANNEL, "cloud", title, pattern="name-*", **LESSONS | keys)
    card = await ask(term).run(courses_use_cases.post, draft)
    assert (await press(term, card, who)).result == "enrolled"
    return card


async def mine(term, who):
    (row,) = await term.store.perform(workspace_rows.read_workspaces, who)
    return row


def warned(term, who):
    return [one for one in told(term, who) if re.search(r" (?:stops|is suspended) (?:in|then)\b", one)]


async def test_who_joins_shortly_before_a_lesson_is_stopped_after_it(term):
    """A new workspace normally runs for an hour, which would end in the middle of the lesson."""
    (alice,) = people(1)
    await until(term, "08:35")
    card = await course(term, spec=Spec("usher-class", {"template": "course"}), pattern="")
    await term.link(alice, token="token-U000")
    await press(term, card, alice)
    await until(term, "10:15")
    row = await mine(term, alice)
    assert (row.state, row.stop_at, warned(term, alice)) == (State.RUNNING, local("10:30"), [])
    await until(term, "10:29")
    assert warned(term, alice)[0].startswith("Statistics ends ")
    await until(term, "10:33")
    assert (await mine(term, alice)).state is State.SUSPENDED
    assert told(term, alice)[-1] == "Statistics is over, and statistics on Fake Cloud was suspended."


@pytest.mark.parametrize(
    ("begins", "ends", "over"),
    [(10 * 60, 11 * 60, "11:00"), (10 * 60 + 30, 11 * 60, "11:00"), (9 * 60, 10 * 60 + 30, "10:30")],
    ids=["overlapping", "touching", "at one hour"],
)
async def test_what_two_courses_need_is_stopped_once_after_the_last(term, begins, ends, over):
    (alice,) = people(1)
    await course(term, alice)
    await another(term, "Biology", alice, starts=begins, stops=ends)
    await until(term, "09:10")
    assert (await mine(term, alice)).stop_at == local(over)
    hour, minute = map(int, over.split(":"))
    await until(term, f"{hour - (minute == 0):02}:{(minute or 60) - 1}")
    assert (state(term), len(warned(term, alice))) == (State.RUNNING, 1)
    await until(term, f"{hour}:{minute + 3:02}")
    assert (state(term), term.provider.accepted_stops) == (State.STOPPED, ["r-U000"])


async def test_end_of_two_lessons_stays_until_its_warning_if_the_second_is_cancelled(term):
    """Members' rows contain nothing about timetables, so the end is chosen again when the warning is due."""
    (alice,) = people(1)
    await course(term, alice)
    other = await another(term, "Biology", alice, starts=11 * 60, stops=12 * 60, lead_seconds=1800.0)
    await within(
        term.store,
        lambda tx: tx.run("UPDATE class_cards SET lead_seconds = 1800 WHERE id = :id", id=other.id),
    )
    await until(term, "10:15")
    (end,) = [(await mine(term, alice)).stop_at]
    by = ask(term)
    await by.run(changes.leave_out, other.id, ["2027-11-22"])
    await until(term, "10:16", step=5)
    assert (end, (await mine(term, alice)).stop_at) == (local("12:00"), local("12:00"))
    await until(term, "10:45")
    assert (state(term), warned(term, alice)) == (State.RUNNING, [])
    await until(term, "11:45")
    await until(term, "11:54", step=5)
    assert (state(term), len(warned(term, alice))) == (State.RUNNING, 1)
    await until(term, "12:03")
    assert state(term) is State.STOPPED


async def test_what_a_person_sets_during_a_lesson_counts_and_is_said(term):
    alice, bob = people(2)
    await course(term, alice, bob)
    await until(term, "09:20")
    for who, at in ((alice, "09:50"), (bob, "11:30")):
        await ask(term, who).run(set_timer, (await mine(term, who)).id, PlannedStop(local(at), "stop"))
    await until(term, "09:49")
    assert warned(term, alice)[0].endswith(
        "as you asked. You set that time yourself, so the end of Statistics won't change it. Save your work."
    )
    await until(term, "10:45")
    assert (state(term, 0), state(term, 1), warned(term, bob)) == (
        State.STOPPED,
        State.RUNNING,
        [],
    )
    await until(term, "11:33")
    assert state(term, 1) is State.STOPPED


async def test_what_a_person_set_before_they_joined_doesnt_stop_them_in_a_lesson(term):
    (alice,) = people(1)
    workspace = await seat(term, alice, State.RUNNING)
    await ask(term, alice).run(set_timer, workspace.id, PlannedStop(local("09:30"), "stop"))
    await term.pass_time(20, step=5)
    await course(term)
    (card,) = await term.store.read(class_rows.list_courses)
    await press(term, card, alice)
    assert (await mine(term, alice)).stop_at == local("10:30")
    await ask(term, alice).run(changes.leave, card.id)
    assert (await mine(term, alice)).stop_at == local("09:30")


async def test_an_end_of_ones_own_that_counts_again_is_warned_of(term):
    """The planned stop needed no warning when it was set, but meanwhile another one was in force."""
    (alice,) = people(1)
    workspace = await seat(term, alice, State.RUNNING)
    await until(term, "08:30")
    await ask(term, alice).run(set_timer, workspace.id, PlannedStop(local("09:30"), "stop"))
    await term.pass_time(20, step=5)
    await course(term)
    (card,) = await term.store.read(class_rows.list_courses)
    await press(term, card, alice)
    await until(term, "09:27")
    assert (state(term), warned(term, alice)) == (State.RUNNING, [])
    await ask(term, alice).run(changes.leave, card.id)
    await until(term, "09:31")
    assert (state(term), len(warned(term, alice))) == (State.RUNNING, 1)
    await until(term, "09:36")
    assert state(term) is State.STOPPED


@pytest.mark.parametrize("at", ["08:58", "09:40"])
async def test_lesson_that_somebody_leaves_stops_what_it_has_started(term, at):
    """It does so even if they leave during the start, and whatever happens to the course."""
    (alice,) = people(1)
    card = await course(term, alice)
    await until(term, at)
    await ask(term, alice).run(changes.leave, card.id)
    assert (await mine(term, alice)).stop_at == local("10:30")
    await until(term, "10:33")
    assert told(term, alice)[-1].startswith("Statistics is over, and name-r-U000 on Fake Cloud was stopped.")


async def test_lesson_on_ends_as_planned_without_its_course(term):
    (alice,) = people(1)
    card = await course(term, alice)
    await until(term, "09:40")
    await ask(term).run(changes.end, card.id)
    await until(term, "10:33")
    assert told(term, alice)[-1].startswith("Statistics is over, and name-r-U000 on Fake Cloud was stopped.")


async def test_hours_turned_off_in_a_lesson_end_with_it(term):
    """The lesson found the workspace running, so it wouldn't stop it. The hours are 8:00–10:00 in Berlin."""
    (alice,) = people(1)
    card = await course(term, starts=9 * 60, stops=10 * 60 + 30)
    workspace = await seat(term, alice)
    await ask(term, alice).run(hours_use_cases.add, workspace.id, read_hours("2027-11-22 7:00-9:00"))
    await press(term, card, alice)
    await until(term, "09:20", step=20)
    await ask(term, alice).run(hours_use_cases.end, workspace.id)
    assert (await mine(term, alice)).stop_at == local("10:30")
