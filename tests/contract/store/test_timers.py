"""Planned stops: one per workspace, claimed when due, removed once the workspace is down; idle workspaces."""

from dataclasses import replace

import pytest

from bot.domain.forms import Spec
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.stops import PlannedStop
from bot.domain.timers import ABSENT_SECONDS, LEAST_TIMER_WARNING_SECONDS, TIMER_WARNING_SECONDS
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import PROVISIONAL, State
from bot.store import cards, creations, notices, operations, timers, workspaces
from tests.rigs.store import (
    ALICE,
    accept_operation,
    deliver,
    hide_workspace,
    linked,
    observe,
    set_timer,
    unlink,
    within,
)

HOUR = 3600.0


@pytest.fixture
async def workspace(store, clock):
    row = (await linked(store)).workspaces[0]
    await observe(store, clock, row, Observed(State.RUNNING))
    return row


async def put(store, clock, workspace, seconds=HOUR):
    timer = PlannedStop(clock.now() + seconds, "stop")
    await set_timer(store, workspace, timer)
    return timer.at


async def timer(store, workspace):
    row = await store.read(workspaces.find_workspace, workspace.id)
    return row.stop_at


def notice(workspace, at):
    return NewNotice(workspace.id, NoticeKind.STOP_WARNING, f"{at:.0f}", ALICE)


async def test_it_is_due_for_the_warning_and_for_the_stop_each_claimed_once(store, clock, workspace):
    at = await put(store, clock, workspace)
    assert await within(store, timers.claim_timers, 10, 60.0) == []
    clock.advance(HOUR - TIMER_WARNING_SECONDS)
    (found,) = await within(store, timers.claim_timers, 10, 60.0)
    assert (found.id, found.stop_at, found.stop_mode, found.stop_warned) == (workspace.id, at, "stop", False)
    assert await within(store, timers.claim_timers, 10, 60.0) == []
    clock.advance(60)
    assert len(await within(store, timers.claim_timers, 10, 60.0)) == 1
    await within(store, timers.save_timer_warning, workspace.id, at, at + 5, notice(workspace, at))
    await within(store, timers.save_timer_warning, workspace.id, at, at + 9, notice(workspace, at + 9))
    assert len(await deliver(store, NoticeKind.STOP_WARNING)) == 1
    clock.advance(TIMER_WARNING_SECONDS)
    (found,) = await within(store, timers.claim_timers, 10, 60.0)
    assert (found.stop_at, found.stop_warned) == (at + 5, True)
    await within(store, timers.end_timer, workspace.id, at + 5)
    assert await timer(store, workspace) is None
    clock.advance(90)
    assert await within(store, timers.claim_timers, 10, 60.0) == []


@pytest.mark.both_engines
@pytest.mark.parametrize("call", [Call.NONE, Call.ACCEPTED])
async def test_what_holds_for_a_start_goes_if_that_did_nothing(store, clock, workspace, call):
    start = (await accept_operation(store, workspace, OperationVerb.START)).operation
    own = PlannedStop(clock.now() + HOUR, "stop")
    bound = replace(own, via="assistant", start=start.id, since=clock.now())
    await within(store, timers.plan_stop, workspace.id, bound)
    assert not await within(store, timers.apply_timer, workspace.id)
    ended = Update(start.id, 0.0, start_call=call, outcome=Outcome.FULFILLED)
    await store.write(operations.save_step, ended)
    row = await store.read(workspaces.find_workspace, workspace.id)
    kept = (own.at, bound) if call is Call.ACCEPTED else (None, None)
    assert (row.stop_at, row.planned_stops.counts) == kept
    # A timer set by the owner isn't bound to anything.
    await within(store, timers.plan_stop, workspace.id, own)
    assert not await within(store, timers.apply_timer, workspace.id)
    row = await store.read(workspaces.find_workspace, workspace.id)
    assert row.planned_stops.counts == replace(own, since=clock.now())


@pytest.mark.both_engines
async def test_it_is_not_due_before_its_warning_was_delivered_for_five_minutes(store, clock, workspace):
    at = await put(store, clock, workspace)
    clock.advance(HOUR - LEAST_TIMER_WARNING_SECONDS)
    await within(store, timers.claim_timers, 10, 60.0)
    await within(store, timers.save_timer_warning, workspace.id, at, at, notice(workspace, at))
    clock.advance(20.0)
    await deliver(store, NoticeKind.STOP_WARNING)
    clock.advance(LEAST_TIMER_WARNING_SECONDS - 10.0)
    assert await within(store, timers.claim_timers, 10, 60.0) == []
    clock.advance(10.0)
    (found,) = await within(store, timers.claim_timers, 10, 60.0)
    assert (found.stop_at, found.stop_warned) == (at, True)


@pytest.mark.parametrize(
    ("became", "is_warned"),
    [("waiting", False), ("delivered", True), ("untrue", False), ("given up", True), ("old", True)],
)
async def test_who_was_warned_is_what_became_of_the_message(store, clock, workspace, became, is_warned):
    at = await put(store, clock, workspace)
    clock.advance(HOUR - TIMER_WARNING_SECONDS)
    await within(store, timers.claim_timers, 10, 60.0)
    await within(store, timers.save_timer_warning, workspace.id, at, at, notice(workspace, at))
    (warning,) = [
        one
        for one in await store.perform(notices.claim_notices, 9, 60.0)
        if one.kind is NoticeKind.STOP_WARNING
    ]
    if became in {"delivered", "untrue"}:
        await store.write(
            notices.mark_notice_sent, warning, *(("D1", "1.0") if became == "delivered" else ("", ""))
        )
    elif became == "given up":
        await store.write(notices.give_up_notice, warning.id, "user_disabled")
    elif became == "waiting":
        await store.write(notices.retry_notice, warning, TIMER_WARNING_SECONDS, error="ratelimited")
    clock.advance(TIMER_WARNING_SECONDS)
    (found,) = await within(store, timers.claim_timers, 10, 60.0, 60.0 if became == "old" else HOUR)
    assert found.stop_warned is is_warned
    # The stop is moved while the message is on its way, or else a second message is written.
    if not is_warned:
        await within(
            store, timers.save_timer_warning, workspace.id, at, at + 300, notice(workspace, at + 300)
        )
        await within(
            store, timers.save_timer_warning, workspace.id, at + 300, at + 300, notice(workspace, at + 600)
        )
        assert len(await deliver(store, NoticeKind.STOP_WARNING)) == 1


async def test_a_warning_that_was_given_up_for_another_timer_is_not_taken_for_that_ones(
    store, clock, workspace
):
    """The owner sets the same time again while the message waits, so they haven't read anything yet."""
    at = await put(store, clock, workspace, HOUR)
    clock.advance(HOUR / 2)
    await within(store, timers.save_timer_warning, workspace.id, at, at, notice(workspace, at))
    assert await put(store, clock, workspace, HOUR / 2) == at
    await within(store, timers.save_timer_warning, workspace.id, at, at, notice(workspace, at))
    clock.advance(HOUR / 2)
    (found,) = await within(store, timers.claim_timers, 10, 60.0, HOUR)
    assert not found.stop_warned
    assert len(await deliver(store, NoticeKind.STOP_WARNING)) == 1


@pytest.mark.parametrize("became", ["under way", "unknown"])
async def test_a_warning_that_may_be_in_slack_loses_its_buttons_with_the_timer(
    store, clock, workspace, became
):
    at = await put(store, clock, workspace)
    clock.advance(HOUR - TIMER_WARNING_SECONDS)
    warning = replace(notice(workspace, at), body={"workspace": workspace.id})
    await within(store, timers.save_timer_warning, workspace.id, at, at, warning)
    (claimed,) = await store.perform(notices.claim_notices, 9, 60.0)
    if became == "unknown":
        await store.write(notices.retry_notice, claimed, 2.0, error="no_answer", unknown_since=clock.now())
    await put(store, clock, workspace)
    await store.write(notices.mark_notice_sent, claimed, "D1", "1.0", said={"text": "Until then."})
    clock.advance(60.0)
    assert [card.message_ts for card in await store.claim(cards.claim_cards, 9, 60.0)] == ["1.0"]


async def test_a_near_one_needs_no_warning(store, clock, workspace):
    await put(store, clock, workspace, TIMER_WARNING_SECONDS)
    clock.advance(TIMER_WARNING_SECONDS)
    (found,) = await within(store, timers.claim_timers, 10, 60.0)
    assert found.stop_warned


@pytest.mark.parametrize(("seconds", "is_warned"), [(ABSENT_SECONDS - 5, True), (ABSENT_SECONDS + 5, False)])
async def test_a_warning_is_void_if_nobody_looked_for_long_when_it_was_due(
    store, clock, workspace, seconds, is_warned
):
    """PostgreSQL uses its own clock, so the due time is moved here instead of the clock."""
    now = await store.now()
    await put(store, clock, workspace, now - clock.now() - seconds)
    (found,) = await within(store, timers.claim_timers, 10, 60.0)
    assert found.stop_warned is is_warned


@pytest.mark.both_engines
async def test_one_that_could_not_be_read_counts_as_not_warned_of(store, clock, workspace):
    at = await put(store, clock, workspace, TIMER_WARNING_SECONDS)
    await within(store, timers.schedule_timer_check, workspace.id, at, await store.now())
    assert (await store.read(workspaces.find_workspace, workspace.id)).stop_warned
    await within(store, timers.schedule_timer_check, workspace.id, at + 1, await store.now(), unwarned=True)
    assert (await store.read(workspaces.find_workspace, workspace.id)).stop_warned
    await within(store, timers.schedule_timer_check, workspace.id, at, await store.now(), unwarned=True)
    assert not (await store.read(workspaces.find_workspace, workspace.id)).stop_warned


async def test_timer_of_what_came_up_again_unseen_is_to_be_warned_of_again(store, clock, workspace):
    async def seen(started_at, state=State.RUNNING):
        await observe(store, clock, workspace, Observed(state, started_at=started_at))
        row = await store.read(workspaces.find_workspace, workspace.id)
        return row.stop_warned, row.generation

    at = await put(store, clock, workspace, TIMER_WARNING_SECONDS)
    _, generation = await seen(5_000.0)
    # A first known start time, an unchanged one, and a missing one don't count as a restart.
    for started_at in (5_000.0, None, 5_000.0):
        assert await seen(started_at) == (True, generation)
    accepted = await accept_operation(store, workspace, OperationVerb.RESTART)
    assert await seen(6_000.0) == (True, generation + 1)
    await store.write(operations.save_step, Update(accepted.operation.id, 0.0, outcome=Outcome.FULFILLED))
    assert await seen(6_000.0) == (True, generation + 1)
    assert await seen(7_000.0) == (False, generation + 2)
    assert await timer(store, workspace) == at


async def test_what_was_changed_meanwhile_is_left_alone(store, clock, workspace):
    at = await put(store, clock, workspace)
    later = await put(store, clock, workspace, 2 * HOUR)
    await within(store, timers.save_timer_warning, workspace.id, at, at, notice(workspace, at))
    await within(store, timers.end_timer, workspace.id, at, [notice(workspace, at)])
    await within(store, timers.schedule_timer_check, workspace.id, at, clock.now())
    assert await within(store, timers.claim_timers, 10, 60.0) == []
    assert await store.perform(notices.claim_notices, 10, 60.0) == []
    assert await timer(store, workspace) == later


@pytest.mark.parametrize(
    ("seen", "is_down"),
    [
        pytest.param(Observed(State.STOPPED), True, id="stopped"),
        pytest.param(Observed(State.SUSPENDED), True, id="suspended"),
        pytest.param(Observed(State.FAILED, actions=frozenset({"start"})), True, id="nothing-left"),
        pytest.param(Observed(State.FAILED), False, id="failed"),
        pytest.param(Observed(State.UNKNOWN), False, id="unknown"),
    ],
)
async def test_timer_ends_only_with_what_is_down(store, clock, workspace, seen, is_down):
    """A workspace that may still run may cost money, so its planned stop stays."""
    at = await put(store, clock, workspace)
    await observe(store, clock, workspace, seen)
    assert await timer(store, workspace) == (None if is_down else at)


@pytest.mark.parametrize("state", [State.FAILED, State.UNKNOWN], ids=str)
async def test_timer_of_what_may_run_outlives_its_next_start(store, clock, workspace, state):
    """The workspace was never known to be down, so it hasn't come up by itself."""
    at = await put(store, clock, workspace)
    generation = (await store.read(workspaces.find_workspace, workspace.id)).generation
    for seen in (state, State.RUNNING):
        await observe(store, clock, workspace, Observed(seen))
    assert await timer(store, workspace) == at
    assert (await store.read(workspaces.find_workspace, workspace.id)).generation == generation


async def test_timer_set_while_the_state_is_unknown_is_kept(store, clock, workspace):
    for state in (State.STOPPED, State.UNKNOWN):
        await observe(store, clock, workspace, Observed(state))
    at = await put(store, clock, workspace)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    assert await timer(store, workspace) == at


async def test_unknown_state_after_a_known_one_is_noted(store, clock, workspace):
    """The last known state is kept, together with the actions allowed now, until the next known state."""
    await observe(store, clock, workspace, Observed(State.STOPPED))
    await observe(store, clock, workspace, Observed(State.UNKNOWN, actions=frozenset({"stop"})))
    noted = await store.read(workspaces.find_workspace, workspace.id)
    assert (noted.state, noted.current_state, noted.is_down) == (State.STOPPED, State.UNKNOWN, False)
    assert (noted.actions, noted.read_at) == (frozenset({"stop"}), noted.unknown_at)
    await observe(store, clock, workspace, Observed(State.STOPPED))
    known = await store.read(workspaces.find_workspace, workspace.id)
    assert (known.current_state, known.is_down, known.read_at) == (State.STOPPED, True, known.observed_at)


async def test_a_start_or_restart_under_way_keeps_it_and_its_failure_ends_it(store, clock, workspace):
    await observe(store, clock, workspace, Observed(State.STOPPED))
    at = PlannedStop(clock.now() + HOUR, "stop")
    accepted = await accept_operation(store, workspace)
    await set_timer(store, workspace, at)
    assert await timer(store, workspace) == at.at
    assert not await within(store, timers.apply_timer, workspace.id)
    await store.write(
        operations.save_step, Update(accepted.operation.id, 0.0, outcome=Outcome.FAILED, cause="gave_up")
    )
    assert await timer(store, workspace) is None


async def seen(store, clock, workspace, state):
    """Return the time of the timer after a read, and whether its owner needs no warning."""
    await observe(store, clock, workspace, Observed(state))
    row = await store.read(workspaces.find_workspace, workspace.id)
    return row.stop_at, row.stop_warned


@pytest.mark.both_engines
@pytest.mark.parametrize("seconds", [TIMER_WARNING_SECONDS, HOUR], ids=["near", "far"])
async def test_timer_counts_again_once_its_workspace_is_found_up(store, clock, workspace, seconds):
    at = await put(store, clock, workspace, seconds)
    for state in (State.STOPPED, State.STOPPED, State.SUSPENDED):
        assert await seen(store, clock, workspace, state) == (None, False)
    assert await seen(store, clock, workspace, State.RUNNING) == (at, False)


@pytest.mark.both_engines
@pytest.mark.parametrize(("late", "counts"), [(500.0, True), (700.0, False)])
async def test_timer_counts_again_for_some_minutes_after_its_time(store, clock, workspace, late, counts):
    at = await put(store, clock, workspace)
    await seen(store, clock, workspace, State.STOPPED)
    clock.advance(HOUR + late - 40.0)
    assert await seen(store, clock, workspace, State.RUNNING) == (at if counts else None, False)


@pytest.mark.parametrize(
    ("verb", "outcome", "counts"),
    [
        (OperationVerb.STOP, Outcome.FULFILLED, False),
        (OperationVerb.STOP, Outcome.CANCELLED, True),
        (OperationVerb.START, Outcome.FAILED, True),
    ],
    ids=["stopped", "cancelled", "not started"],
)
async def test_resting_timer_goes_with_a_stop_alone(store, clock, workspace, verb, outcome, counts):
    """Only a stop that is carried out ends the planned stop of a workspace that is down."""
    at = await put(store, clock, workspace)
    await seen(store, clock, workspace, State.STOPPED)
    clock.advance(1.0)
    asked = (await accept_operation(store, workspace, verb)).operation
    await store.write(operations.save_step, Update(asked.id, 0.0, outcome=outcome))
    assert (await seen(store, clock, workspace, State.RUNNING))[0] == (at if counts else None)


@pytest.mark.both_engines
async def test_resting_timer_is_looked_at_before_its_warning_and_at_its_time(store, clock, workspace):
    at = await put(store, clock, workspace)
    await seen(store, clock, workspace, State.STOPPED)
    looked = []
    while claimed := await within(store, timers.claim_timers, 10, 60.0):
        assert [one.id for one in claimed] == [workspace.id]
        looked.append(round(await store.now() - at))
        await within(store, timers.schedule_resting_check, claimed[0])
        clock.advance(TIMER_WARNING_SECONDS if len(looked) > 1 else at - clock.now() - TIMER_WARNING_SECONDS)
    assert looked[1:] == [-TIMER_WARNING_SECONDS, 0]


@pytest.mark.parametrize(
    ("seconds", "because", "counts"), [(HOUR, "own", True), (HOUR, "needed", False), (60.0, "own", False)]
)
async def test_start_by_hand_leaves_what_is_still_to_come(store, clock, workspace, seconds, because, counts):
    end = PlannedStop(clock.now() + seconds, "stop", because=because, warns=True)
    await within(store, timers.plan_stop, workspace.id, end)
    await seen(store, clock, workspace, State.STOPPED)
    clock.advance(120.0)
    await within(store, timers.begin_run, await store.read(workspaces.find_workspace, workspace.id))
    assert (await seen(store, clock, workspace, State.RUNNING))[0] == (end.at if counts else None)


@pytest.mark.parametrize("state", [State.STOPPED, State.RUNNING], ids=str)
async def test_stop_of_what_is_down_counts_if_it_is_up_by_then(store, clock, workspace, state):
    await seen(store, clock, workspace, State.STOPPED)
    end = PlannedStop(clock.now() + HOUR, "stop", warns=True, because="hours", source="r1")
    await within(store, timers.plan_resting_stop, workspace.id, end)
    assert await seen(store, clock, workspace, state) == (end.at if state is State.RUNNING else None, False)


@pytest.mark.both_engines
async def test_ends_of_a_merged_row_are_its_successors(store, clock, workspace):
    other = (await linked(store, names=("other",), state=State.RUNNING)).workspaces[-1]
    at = await put(store, clock, workspace)
    await within(store, timers.move_ends, workspace.id, other.id)
    assert await timer(store, other) == at


async def test_off_the_list_it_is_gone(store, clock, workspace):
    await put(store, clock, workspace)
    await hide_workspace(store, workspace.id)
    assert await timer(store, workspace) is None
    clock.advance(HOUR)
    assert await within(store, timers.claim_timers, 10, 60.0) == []


@pytest.mark.parametrize("told", [True, False])
async def test_who_unlinks_is_told_what_will_not_be_stopped(store, clock, workspace, told):
    """The owner learns of it in the message about unlinking, which names the running workspaces."""
    await put(store, clock, workspace)
    await seen(store, clock, workspace, State.RUNNING)
    await unlink(store, ALICE, "saturn", notify=told, says=True)
    kinds = {one.kind: one.body for one in await store.perform(notices.claim_notices, 10, 60.0)}
    assert NoticeKind.PLANNED_STOP_FAILED not in kinds
    assert [body["running"] for body in kinds.values()] == ([[workspace.title]] if told else [])


# -- which running workspaces are checked for whether they are still needed ----------------------------------


EVERY = 1800.0


async def runs_on(store):
    return [one.id for one in await within(store, workspaces.claim_running, 10, EVERY)]


async def test_what_runs_is_looked_at_now_and_then(store, clock):
    """Workspaces with a planned stop are included, as it may be days away."""
    rows = (await linked(store, names=("runs", "ends", "stopped"), state=State.RUNNING)).workspaces
    await observe(
        store, clock, rows[1], Observed(State.RUNNING, expires_at=clock.now() + 900, expiry_mode="stops")
    )
    await observe(store, clock, rows[2], Observed(State.STOPPED))
    await set_timer(store, rows[0], PlannedStop(clock.now() + 900, "stop"))
    assert await runs_on(store) == sorted([rows[0].id, rows[1].id])
    assert await runs_on(store) == []
    clock.advance(EVERY)
    assert len(await runs_on(store)) == 2


@pytest.mark.parametrize(
    ("states", "since"),
    [
        pytest.param([State.RUNNING], 0, id="found_running"),
        pytest.param([State.RUNNING, State.UNKNOWN, State.RUNNING], 0, id="unknown_in_between"),
        pytest.param([State.STOPPED, State.STARTING, State.RUNNING, State.RUNNING], 2, id="came_up"),
        pytest.param([State.RUNNING, State.STOPPING], None, id="goes_down"),
        pytest.param([State.RUNNING, State.STOPPED, State.RUNNING], 2, id="came_up_again"),
    ],
)
async def test_first_read_that_found_it_running_is_kept(store, clock, states, since):
    (row,) = (await linked(store, names=("runs",), state=State.STOPPED)).workspaces
    seen = []
    for state in states:
        clock.advance(HOUR)
        await observe(store, clock, row, Observed(state))
        seen.append(clock.now())
    kept = (await store.read(workspaces.find_workspace, row.id)).running_since
    assert kept == (None if since is None else seen[since])


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("card", "survives_stop"), [("", True), ("class_1", False)], ids=["own", "of a class"]
)
async def test_a_restart_that_makes_another_takes_only_its_persons_own(
    store, clock, workspace, card, survives_stop
):
    """A stop that the person planned is kept. But they let a class stop only the workspace of that time."""
    at = clock.now() + HOUR
    await set_timer(
        store, workspace, PlannedStop(at, "stop", because="class" if card else "own", source=card)
    )
    await accept_operation(store, workspace, OperationVerb.RESTART)
    (claimed,) = await store.claim(operations.claim_operations, 10, 60.0)
    fresh = replace(workspace, id="fresh", remote_id=f"{PROVISIONAL}fresh", gate_key="fresh", spec=Spec("x"))
    assert await store.write(creations.renew, claimed.subject.id, claimed.claim, fresh)
    assert (await timer(store, fresh)) == (at if survives_stop else None)
