"""A request is valid until its deadline. After that, no call for it may be sent."""

from dataclasses import replace

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.stops import PlannedStop
from bot.domain.work_items import Call
from bot.store import operations, runs, timers
from bot.support.errors import TooLate
from tests.rigs.store import accept_operation, keep_waiting, launched, set_timer, within

HOUR = 3600.0


async def commits(store, operation_id, *, stops=False):
    """Step an operation up to its call, return whether the call may be sent, and put the operation back."""
    claimed = {one.subject.id: one for one in await store.claim(operations.claim_operations, 10, 60.0)}[
        operation_id
    ]
    known = {"stop_call": Call.CALLING} if stops else {"start_call": Call.CALLING}
    calling = Update(operation_id, 60.0, called=True, claim=claimed.claim, **known)
    try:
        return await store.write(operations.save_step, calling, claimed.row) is not None
    except TooLate:
        assert (await store.read(operations.find_operation, operation_id)).has_called is False
        await store.write(operations.save_step, Update(operation_id, 0.0, claim=claimed.claim))
        return False


@pytest.mark.parametrize("is_told", [False, True])
async def test_a_start_is_not_committed_to_after_its_deadline_unless_it_is_kept(
    store, clock, workspace, is_told
):
    operation = (await accept_operation(store, workspace, deadline_seconds=HOUR)).operation
    clock.advance(HOUR)
    if is_told:
        await store.write(operations.save_step, Update(operation.id, 0.0, deadline_passed=True))
    assert not await commits(store, operation.id)
    await keep_waiting(store, operation.id, HOUR)
    assert await commits(store, operation.id)


async def test_who_asks_again_after_the_deadline_gets_another_one(store, clock, workspace):
    operation = (await accept_operation(store, workspace, deadline_seconds=HOUR)).operation
    clock.advance(3 * HOUR)
    await store.write(operations.save_step, Update(operation.id, 0.0, deadline_passed=True))
    again = (await accept_operation(store, workspace, deadline_seconds=HOUR)).operation
    assert (again.id, again.deadline_number) == (operation.id, 2)
    assert again.deadline_at == clock.now() + HOUR
    assert await commits(store, operation.id)


@pytest.mark.parametrize(
    ("verb", "stops", "leaves"),
    [
        (OperationVerb.STOP, True, True),
        (OperationVerb.SUSPEND, True, True),
        (OperationVerb.FORCE, True, True),
        (OperationVerb.RESTART, True, False),
        (OperationVerb.RESTART, False, False),
        (OperationVerb.REMOVE, True, False),
    ],
)
async def test_only_stops_are_committed_to_however_late(store, clock, workspace, verb, stops, leaves):
    operation = (await accept_operation(store, workspace, verb, deadline_seconds=HOUR)).operation
    clock.advance(72 * HOUR)
    assert await commits(store, operation.id, stops=stops) is leaves


async def test_a_start_is_good_until_the_stop_that_was_asked_for_with_it(store, clock, workspace):
    operation = (await accept_operation(store, workspace, deadline_seconds=HOUR)).operation
    clock.advance(60)
    await set_timer(store, workspace, PlannedStop(clock.now() + 600, "stop"))
    limited = await store.read(operations.find_operation, operation.id)
    assert (limited.deadline_at, limited.run_seconds) == (clock.now() + 600, 660)
    clock.advance(600)
    assert not await commits(store, operation.id)


@pytest.mark.both_engines
@pytest.mark.parametrize("is_in_progress", [False, True], ids=["scheduled", "in-progress"])
async def test_limited_start_is_stepped_at_its_new_deadline(store, clock, workspace, is_in_progress):
    """Otherwise, its owner wouldn't be told until the former deadline that the start wasn't sent."""
    operation = (await accept_operation(store, workspace, deadline_seconds=HOUR)).operation
    (step,) = await store.claim(operations.claim_operations, 10, 60.0)
    update = Update(operation.id, HOUR, claim=step.claim)
    if not is_in_progress:
        await store.write(operations.save_step, update)
    await set_timer(store, workspace, PlannedStop(clock.now() + 600, "stop"))
    if is_in_progress:
        await store.write(operations.save_step, update)
    else:
        clock.advance(599)
        assert not await store.claim(operations.claim_operations, 10, 60.0)
        clock.advance(1)
    assert len(await store.claim(operations.claim_operations, 10, 60.0)) == 1


async def test_a_later_stop_leaves_the_deadline_and_what_was_sent_its_own(store, clock, workspace):
    operation = (await accept_operation(store, workspace, deadline_seconds=HOUR)).operation
    await set_timer(store, workspace, PlannedStop(clock.now() + 2 * HOUR, "stop"))
    later = await store.read(operations.find_operation, operation.id)
    assert (later.deadline_at, later.run_seconds) == (operation.deadline_at, 2 * HOUR)
    assert await commits(store, operation.id)
    await set_timer(store, workspace, PlannedStop(clock.now() + 600, "stop"))
    assert await store.read(operations.find_operation, operation.id) == replace(
        await store.read(operations.find_operation, operation.id),
        deadline_at=operation.deadline_at,
        run_seconds=2 * HOUR,
    )


async def test_the_end_of_hours_is_not_how_long_somebody_wanted_it(store, clock, workspace):
    """If the end of hours counted, *Start* after it would stop the workspace a minute later, unwarned."""
    operation = (await accept_operation(store, workspace, deadline_seconds=HOUR)).operation
    await set_timer(store, workspace, PlannedStop(clock.now() + 100, "stop", warns=True))
    assert await store.read(operations.find_operation, operation.id) == operation


@pytest.mark.both_engines
async def test_the_timer_of_what_lapsed_ends_and_that_of_what_is_still_started_stays(store, clock, workspace):
    await accept_operation(store, workspace, deadline_seconds=HOUR)
    await set_timer(store, workspace, PlannedStop(clock.now() + 600, "stop"))
    clock.advance(599)
    assert not await within(store, timers.apply_timer, workspace.id)
    clock.advance(1)
    assert await within(store, timers.apply_timer, workspace.id)


@pytest.mark.parametrize("is_launch", [True, False])
async def test_a_launch_is_not_committed_to_after_its_deadline_and_a_stop_is(
    store, clock, account, is_launch
):
    run = await launched(store, account.principal, deadline_seconds=HOUR)
    clock.advance(HOUR)
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    known = {"start_call": Call.CALLING} if is_launch else {"stop_call": Call.CALLING}
    calling = Update(run.id, 60.0, called=True, claim=step.claim, **known)
    if is_launch:
        with pytest.raises(TooLate):
            await store.write(runs.save_run_step, calling)
        assert not (await store.read(runs.find_run, run.id)).has_called
    else:
        assert await store.write(runs.save_run_step, calling)


@pytest.mark.both_engines
@pytest.mark.parametrize("is_early", [True, False], ids=["in-time", "too-late"])
async def test_planned_start_is_committed_to_as_long_as_its_plan_lasts(store, clock, workspace, is_early):
    """The deadline of the start itself passed long ago.

    If somebody then requests the same start, it is valid for as long as any other request.
    """
    good_until = clock.now() + 6 * HOUR
    planned = {"deadline_seconds": HOUR, "planned_for": clock.now(), "good_until": good_until}
    operation = (await accept_operation(store, workspace, **planned)).operation
    clock.advance(2 * HOUR)
    await store.write(operations.save_step, Update(operation.id, 0.0, deadline_passed=True))
    clock.advance(4 * HOUR - (1.0 if is_early else 0.0))
    assert not (await store.read(operations.find_operation, operation.id)).has_lapsed
    assert await commits(store, operation.id) is is_early
    if not is_early:
        await accept_operation(store, workspace, deadline_seconds=HOUR)
        assert await commits(store, operation.id)


@pytest.mark.both_engines
async def test_plan_that_changes_after_the_claim_is_heeded(store, clock, workspace):
    """The commit to the call checks the row as it is now, not as it was claimed."""
    planned = {"planned_for": clock.now(), "good_until": clock.now() + HOUR}
    operation = (await accept_operation(store, workspace, **planned)).operation
    (claimed,) = await store.claim(operations.claim_operations, 10, 60.0)
    shorter = clock.now() - 1.0
    limits = {"id": operation.id, "at": shorter, "now": clock.now()}
    await store.carry_out(lambda tx: tx.run("change_good_until", **limits))
    calling = Update(operation.id, 60.0, start_call=Call.CALLING, called=True, claim=claimed.claim)
    with pytest.raises(TooLate):
        await store.write(operations.save_step, calling, claimed.row)


async def test_planned_start_keeps_what_delayed_it(store, workspace):
    planned = {"planned_for": 1.0, "good_until": 2e9}
    operation = (await accept_operation(store, workspace, **planned)).operation
    await store.write(operations.save_step, Update(operation.id, 0.0, block_reason="away since"))
    await store.write(operations.save_step, Update(operation.id, 0.0, block_reason=""))
    assert ((await store.read(operations.find_operation, operation.id)).block_reason or "") == ""
    assert (await store.read(operations.find_operation, operation.id)).delayed_by == "away since"
