"""The store's time, and the gates, when the clock jumps."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.steps import Update
from bot.domain.work_items import Call
from bot.store import notices, operations
from bot.store.transaction import StoreTime
from tests.contract.store.gates import claim_one, claimed
from tests.rigs.clock import FakeClock
from tests.rigs.store import ALICE, accept_operation, first_sight, linked


def test_it_is_the_wall_clocks_own_number_while_that_goes_well():
    clock = FakeClock()
    time = StoreTime(clock)
    for seconds in (0.1, 0.2, 10.5, 86_400.3):
        clock.advance(seconds)
        assert time.now() == clock.now()


def test_a_jump_ahead_is_held_back_until_it_is_taken_over():
    clock = FakeClock()
    time = StoreTime(clock)
    before = time.now()
    clock.jump(3600)
    clock.advance(1)
    assert time.now() == pytest.approx(before + 1, abs=0.01)
    assert time.jump() == pytest.approx(3600)
    time.follow(time.jump())
    assert time.now() == pytest.approx(before + 3601, abs=0.01)
    assert time.jump() == 0.0


def test_a_clock_that_is_set_back_is_met_at_half_speed():
    clock = FakeClock()
    time = StoreTime(clock)
    before = time.now()
    clock.jump(-100)
    assert time.now() == pytest.approx(before, abs=0.01)
    clock.advance(50)
    assert time.now() == pytest.approx(before + 25, abs=0.01)
    clock.advance(1000)
    time.now()
    clock.advance(1)
    assert time.now() == pytest.approx(clock.now(), abs=0.11)


@given(st.lists(st.tuples(st.floats(-5000, 5000), st.floats(0, 5000)), max_size=30))
@settings(deadline=None)
def test_it_never_goes_back_and_never_runs_ahead_of_the_monotonic_clock(moves):
    clock = FakeClock()
    time = StoreTime(clock)
    last = time.now()
    for jump, seconds in moves:
        clock.jump(jump)
        clock.advance(seconds)
        now = time.now()
        assert last <= now <= last + seconds + 0.001
        last = now


@pytest.mark.parametrize("jump", [0.0, 0.3, 9.0, 3600.0, -3600.0])
async def test_the_gate_keeps_its_gap_whatever_the_wall_clock_does(store, clock, jump):
    await claimed(store)
    clock.jump(jump)
    clock.advance(10.3)
    assert await claim_one(store) is None
    # A clock that was set back makes the wait longer, never shorter.
    clock.advance(30)
    assert await claim_one(store)


async def test_after_a_jump_ahead_time_goes_on_from_there(store, clock):
    clock.jump(3600)
    await first_sight(store, "any write")
    assert await store.now() == pytest.approx(clock.now(), abs=0.01)


async def test_an_unmigrated_database_does_not_mind_a_jump(tmp_path, clock):
    from bot.store import open_store
    from bot.support.clock import SystemIds

    store = await open_store(f"sqlite:///{tmp_path / 'other.db'}", clock, SystemIds())
    clock.jump(3600)
    assert await store.migrate()
    assert await store.now() == pytest.approx(clock.now(), abs=0.01)
    await store.close()


async def test_a_jump_gives_a_call_no_more_time_to_show(store, clock):
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace, interaction="i1")).operation
    (step,) = await store.claim(operations.claim_operations, 10, 40.0)
    calling = Update(operation.id, 40.0, start_call=Call.CALLING, called=True, claim=step.claim)
    assert await store.write(operations.save_step, calling)
    sent_at = clock.now()
    clock.jump(3600)
    clock.advance(1)
    await first_sight(store, "any write")
    operation = await store.read(operations.find_operation, operation.id)
    assert operation.called_at == pytest.approx(await store.now(), abs=0.01)
    # The search for its effect uses the provider's clock, which doesn't stop while our machine sleeps.
    assert operation.sent_at == sent_at
    # The lease keeps its full length, so nobody takes the operation over while the call is in progress.
    assert await store.claim(operations.claim_operations, 10, 40.0) == []
    clock.advance(39.1)
    assert len(await store.claim(operations.claim_operations, 10, 40.0)) == 1


async def test_a_jump_ends_no_lease_of_a_notice(store, clock):
    await store.write(notices.add_notices, [NewNotice("s", NoticeKind.MESSAGE, "1", ALICE)])
    attempted_at = clock.now()
    assert len(await store.perform(notices.claim_notices, 10, 60.0)) == 1
    clock.jump(3600)
    await first_sight(store, "any write")
    clock.advance(59)
    assert await store.perform(notices.claim_notices, 10, 60.0) == []
    clock.advance(1.1)
    (notice,) = await store.perform(notices.claim_notices, 10, 60.0)
    # The search starts from when it was sent: a machine that slept stopped only its own clock.
    assert notice.unknown_since == pytest.approx(attempted_at)
