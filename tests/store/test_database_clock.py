"""Tests of the database's clock between two readings, however long an answer takes."""

from types import SimpleNamespace

import pytest

from bot.store.postgres_transaction import DatabaseClock
from bot.store.schema import write_heartbeat
from bot.store.transaction import StoreTime
from tests.rigs.clock import FakeClock

#: Seconds between the database's clock and the machine's, which must make no difference.
APART = -3600.0


def read(clock, machine, seconds, *, apart=APART, at=0.5):
    """Read the database's clock.

    The answer takes ``seconds``, and was made after the fraction ``at`` of them.
    """
    before = machine.monotonic()
    machine.advance(seconds * at)
    epoch = machine.now() + apart
    machine.advance(seconds * (1 - at))
    clock.note(before, epoch, machine.monotonic())


@pytest.fixture
def machine():
    return FakeClock()


@pytest.fixture
def clock(machine):
    clock = DatabaseClock(machine)
    read(clock, machine, 0.001)
    return clock


def test_it_is_the_databases_and_goes_on_with_the_machine(clock, machine):
    assert clock.now() == pytest.approx(machine.now() + APART, abs=0.001)
    machine.advance(60)
    assert clock.now() == pytest.approx(machine.now() + APART, abs=0.001)
    # If the machine's clock is set, the database's doesn't change.
    machine.jump(500)
    assert clock.now() == pytest.approx(machine.now() - 500 + APART, abs=0.001)


@pytest.mark.parametrize("apart", [-3600.0, -0.4, 0.0, 0.4, 3600.0])
@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_after_a_slow_first_answer_it_is_never_ahead_of_the_databases(machine, apart, at):
    clock = DatabaseClock(machine)
    time = StoreTime(clock)
    read(clock, machine, 3.0, apart=apart, at=at)
    time.begin()
    behind = machine.now() + apart - clock.now()
    assert 0.0 <= behind + 1e-6 <= 3.1
    read(clock, machine, 0.001, apart=apart)
    time.catch_up()
    assert time.now() == pytest.approx(machine.now() + apart, abs=0.101)
    assert time.now() <= machine.now() + apart + 1e-6


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_an_answer_that_takes_long_is_no_clock_that_was_moved(clock, machine, at):
    time = StoreTime(clock)
    read(clock, machine, 8.0, at=at)
    assert clock.now() == pytest.approx(machine.now() + APART, abs=0.001)
    assert time.jump() == 0.0


@pytest.mark.parametrize("moved", [-90.0, 90.0])
def test_a_clock_that_was_moved_is_followed(clock, machine, moved):
    time = StoreTime(clock)
    before = time.now()
    read(clock, machine, 0.001, apart=APART + moved)
    assert clock.now() == pytest.approx(machine.now() + APART + moved, abs=0.01)
    assert time.jump() == pytest.approx(max(moved, 0.0), abs=0.01)
    assert before <= time.now() <= before + 0.01


async def test_nobody_writes_a_heartbeat_where_the_database_tells_the_time():
    written = []

    async def write(work):
        written.append(work)

    for is_shared, count in ((True, 0), (False, 1)):
        await write_heartbeat(SimpleNamespace(is_shared=is_shared, write=write))
        assert len(written) == count


def test_the_quickest_answer_tells_how_far_away_the_database_is(clock, machine):
    """A busy machine delays most answers, including the first ones."""
    for seconds in (0.025, 0.0004, 0.03):
        read(clock, machine, seconds)
    assert clock.answer_seconds == pytest.approx(0.0004)
