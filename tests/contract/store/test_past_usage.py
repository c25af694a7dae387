"""Usage from before the ledger existed is read from the audit and from the runs that are still stored."""

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.observations import Observed
from bot.domain.runs import ObservedRun, RunState
from bot.domain.steps import Update
from bot.domain.usage import Known
from bot.domain.workspaces import State
from bot.store import fan_out, runs, usage
from bot.store.audit import append_audit, read_audit_head
from tests.rigs.store import ALICE, follow, launched, observe

pytestmark = pytest.mark.both_engines

HOUR = 3600.0
EVER = 0.0, 4e9


async def write(store, clock, *entries):
    """Write audit entries, each some hours after the one before, and return their times."""
    times = []
    for hours, action, target, result, detail in entries:
        clock.advance(hours * HOUR)
        times.append(await store.now())
        entry = AuditEntry(ALICE.key, action, target, result, {"connection": "saturn", **detail})
        await store.write(append_audit, [entry])
    return times


def of_operation(hours, action, target, result):
    return hours, action, target, result, {"operation": "op", "reference": "R"}


async def fill(store):
    """Read the past in small batches, and return Alice's usage."""
    last, _ = await store.read(read_audit_head)
    await store.engine.write(lambda tx: fan_out.start_fan_out(tx, "past_lives", last=last))
    await follow(store)
    return await store.read(usage.read_lives_of_person, ALICE, *EVER)


async def test_a_life_goes_from_call_to_call(store, clock, monkeypatch):
    monkeypatch.setattr("bot.store.fan_out.FAN_OUT_BATCH_SIZE", 3)
    times = await write(
        store,
        clock,
        (1, "workspace.start", "saturn/lab", "accepted", {"workspace": "ws_old"}),
        of_operation(0, "call.start", "ws_old", "accepted"),
        of_operation(0.1, "operation.start", "ws_old", "fulfilled"),
        (7.9, "workspace.needed", "saturn/lab", "accepted", {"workspace": "ws_old"}),
        of_operation(0, "call.stop", "ws_old", "accepted"),
        of_operation(0.1, "operation.stop", "ws_old", "fulfilled"),
        of_operation(1, "call.start", "ws_old", "accepted"),
        of_operation(0.5, "operation.start", "ws_old", "failed"),
    )
    (life,) = await fill(store)
    assert (life.began.earliest, life.began.known) == (times[1], Known.ASKED)
    assert (life.ended.earliest, life.ended.known) == (times[4], Known.ASKED)
    assert (life.name, life.connection, life.kind) == ("lab", "saturn", "workspace")
    assert life.hours.best == pytest.approx(8.0)


async def test_an_end_that_the_audit_lacks_is_unknown(store, clock):
    times = await write(
        store,
        clock,
        of_operation(1, "call.create", "ws_old", "accepted"),
        of_operation(0.2, "operation.create", "ws_old", "fulfilled"),
        of_operation(20, "call.start", "ws_old", "accepted"),
        of_operation(0.2, "operation.start", "ws_old", "fulfilled"),
        of_operation(3, "call.stop", "ws_old", "accepted"),
        of_operation(1, "operation.stop", "ws_old", "failed"),
    )
    first, second = await fill(store)
    assert (first.ended.known, first.ended.earliest) == (Known.UNKNOWN, times[1])
    assert (second.ended.known, second.ended.earliest) == (Known.UNKNOWN, times[4])
    assert second.hours.unknown == 1


async def test_what_runs_when_the_ledger_begins_was_started_by_its_last_call(store, clock, workspace):
    times = await write(store, clock, of_operation(1, "call.start", workspace.id, "accepted"))
    clock.advance(60.0)
    gone = Observed(State.GONE)
    await observe(store, clock, workspace, gone)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    await store.engine.write(
        lambda tx: tx.run("UPDATE lives SET began_known = 'unknown', began_earliest = began_latest")
    )
    await write(store, clock, of_operation(0, "operation.start", workspace.id, "fulfilled"))
    (life,) = await fill(store)
    assert (life.began.earliest, life.began.known, life.ended is None) == (times[0], Known.ASKED, True)
    assert await fill(store) == [life]


async def test_runs_are_those_that_are_left_and_those_of_the_audit(store, clock, account):
    run = await launched(store)
    began = await store.now()
    over = ObservedRun(RunState.SUCCEEDED, started_at=began, ended_at=began + HOUR)
    clock.advance(2 * HOUR)
    await store.write(runs.save_run_step, Update(run.id, 1.0, observed=over))
    await store.engine.write(lambda tx: tx.run("DELETE FROM lives"))
    times = await write(
        store,
        clock,
        (1, "call.launch", "lost", "accepted", {"job": "job_old", "remote_id": "lost"}),
        (2, "job.end", "lost", "ended", {"job": "job_old", "state": "succeeded"}),
    )
    lives = {one.id: one for one in await fill(store)}
    assert lives[run.id].hours.best == pytest.approx(1.0)
    old = lives["job_old"]
    assert (old.began.earliest, old.ended.latest, old.ended.known) == (*times, Known.SEEN)
    assert old.hours.best == pytest.approx(2.0, abs=0.1)
