"""The lead time of a lesson: starts begin early enough, failed ones are repeated, and teachers are told."""

from __future__ import annotations

import pytest

from bot.domain.workspaces import State
from bot.store import courses as store
from bot.store import operations
from bot.support.errors import Conflict, Forbidden, InvalidRequest, NoCapacity, ServerFailed
from tests.reconciler.classroom import TRAINER, people, press, seat, told
from tests.reconciler.courses import course, state
from tests.reconciler.courses import term as term  # noqa: PLC0414 - a fixture
from tests.reconciler.hours import local
from tests.rigs.providers import fake_settings

FULL = NoCapacity("no room for more memory")


async def until(term, at, day=22, step=5.0):
    for one in [TRAINER, *people(8)]:
        await term.know(one)
    await term.pass_time(local(at, day) - term.clock.now(), step=step)


async def starts(term):
    """Return when each start was sent, in seconds before nine o'clock, and for whom."""
    calls = [one for one in term.provider.calls if one.method == "start"]
    ahead = term.clock.now() - term.clock.monotonic()
    return [(round(local("09:00") - ahead - one.at), one.remote_id) for one in calls]


async def test_starts_begin_as_early_as_they_take_in_the_order_of_joining(term):
    term.provider.settings = fake_settings(starts_per_second=0.02)
    term.reborn()
    students = people(8)
    await course(term, *students)
    await until(term, "08:59")
    found = await starts(term)
    assert [who for _, who in found] == [f"r-{one.user_id}" for one in students]
    # Eight people at one start per 50 seconds, plus three minutes for the last start, rounded to minutes.
    assert 600 - 60 <= found[0][0] <= 600
    assert {state(term, number) for number in range(8)} == {State.RUNNING}


async def test_restart_before_a_lesson_doesnt_announce_it_early(term):
    """Their workspaces are ready long before the lesson, but it isn't starting yet."""
    term.provider.settings = fake_settings(starts_per_second=0.02)
    term.reborn()
    alice, *others = people(8)
    await course(term, alice, *others)
    await until(term, "08:53")
    assert state(term) is State.RUNNING
    await term.restart()
    await until(term, "08:59")
    assert told(term, alice) == []
    await until(term, "09:01")
    assert told(term, alice) == ["Statistics is starting, and your workspace is ready."]


async def test_a_start_that_waits_in_the_queue_for_longer_than_a_deadline_is_sent(term):
    term.provider.settings = fake_settings(starts_per_second=0.0007)
    term.reborn()
    last = people(2)[1]
    await course(term, *people(2))
    await until(term, "08:35", step=20)
    (waiting,) = await term.store.read(operations.open_operations, last)
    assert not waiting.has_called
    # The lesson hasn't begun yet, so no message says that the start is late.
    assert waiting.deadline_at > local("09:00")
    await until(term, "08:59", step=20)
    assert {state(term, number) for number in range(2)} == {State.RUNNING}
    assert "still" not in str(told(term, last))


async def test_a_start_that_fails_early_enough_is_tried_again_and_nobody_hears_of_it(term):
    alice, bob, _ = people(3)
    await course(term, alice, bob)
    term.provider.fail("start", FULL, times=1)
    await until(term, "09:00")
    await term.pass_time(20, step=2)
    assert told(term, alice) == ["Statistics is starting, and your workspace is ready."]
    assert told(term, bob) == ["Statistics is starting, and your workspace is ready."]
    assert told(term, TRAINER)[-1] == "2 of 2 are ready for Statistics."


async def test_a_start_that_fails_too_late_is_told_and_not_repeated_after_the_begin(term):
    alice, _, _ = people(3)
    await course(term, alice)
    term.provider.start_ends = State.FAILED
    await until(term, "09:10")
    assert 2 <= len([one for one in term.provider.calls if one.method == "start"]) <= 4
    assert len(told(term, alice)) == 1
    assert "couldn't start" in told(term, alice)[0]


@pytest.mark.parametrize(("until_full", "end"), [("09:55", "is ready"), ("10:05", "no room for more memory")])
async def test_a_full_provider_is_asked_again_far_into_the_lesson(term, until_full, end):
    """A start is attempted until only a third of the lesson is left.

    The student gets one message, which in the end says how it went. The teacher is told how many are waiting.
    """
    alice, bob, _ = people(3)
    await course(term, alice, bob)
    term.provider.fail("start", FULL, times=999)
    await until(term, "08:59", step=2.0)
    (said,) = [text for text in told(term, TRAINER) if "ready for" in text]
    assert said.startswith(
        "0 of 2 are ready for Statistics. 2 are waiting for room (no room for more memory), and I'm trying"
    )
    await until(term, until_full)
    term.provider.heal()
    await until(term, "10:10", step=10.0)
    (last,) = told(term, alice, has_gone=True)
    assert end in last
    assert state(term) is (State.RUNNING if end == "is ready" else State.STOPPED)
    assert min(at for at, _ in await starts(term)) >= -60 * 60


@pytest.mark.parametrize(
    "kind", [InvalidRequest, Forbidden, Conflict, ServerFailed], ids=["400", "403", "409", "500"]
)
async def test_words_of_no_room_are_tried_again_in_a_lesson(term, kind):
    """Usher recognises the lack of capacity by the message, whatever the status code."""
    alice, bob, _ = people(3)
    card = await course(term, alice, bob)
    status = {InvalidRequest: 400, Forbidden: 403, Conflict: 409, ServerFailed: 500}[kind]
    said = "0/3 nodes are available: 3 Insufficient cpu."
    term.provider.fail("start", kind(said, status=status), times=99)
    await until(term, "08:59")
    (said,) = [text for text in told(term, TRAINER) if "ready for" in text]
    assert "2 are waiting for room" in said
    assert "failed" not in said
    problems = await term.store.read(store.list_problems, card.id)
    assert {one.state for one in problems} <= {"no_room", "starting"}
    term.provider.heal()
    await until(term, "09:10", step=10.0)
    assert state(term) is State.RUNNING


async def test_a_teacher_is_told_five_minutes_before_who_is_ready_and_why_not(term):
    alice, bob, cleo = people(3)
    card = await course(term, alice, state=State.RUNNING)
    await seat(term, bob)
    await press(term, card, bob)
    await term.know(cleo)
    assert (await press(term, card, cleo)).result == "noted"
    term.provider.fail("start", FULL, times=99)
    await until(term, "08:56")
    assert "ready for" not in str(told(term, TRAINER))
    await until(term, "08:59")
    (said,) = [text for text in told(term, TRAINER) if "ready for" in text]
    assert said.startswith(
        "1 of 3 is ready for Statistics. 1 hasn't linked their account; "
        "1 is waiting for room (no room for more memory), and I'm trying again until "
    )
