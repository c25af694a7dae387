"""Runs, snapshots and requests go with the account that they hang on, are held by it and go on with it."""

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Approval, Snapshot, TaskKind
from bot.domain.runs import FoundRun, ObservedRun, RunState, Update
from bot.store.tasks import NewTask
from tests.rigs.store import (
    ALICE,
    BOB,
    ask_approval,
    decide_approval,
    launched,
    link_account,
    refuse,
    run_by_remote,
    unlink,
    watch_run,
)

AGAIN = NewNotice("account", NoticeKind.LINK_AGAIN, "1", ALICE)


async def ran(store, principal=ALICE, connection="posit", **fields):
    return await launched(store, principal, connection, channel_id="C1", **fields)


async def unlinked(store, *, tell=True):
    return await unlink(store, ALICE, "posit", tell=tell, says=True)


async def failed(store):
    return [one for one in await store.claim_notices(10, 60.0) if one.kind is NoticeKind.JOB_FAILED]


async def test_an_unlink_ends_runs_and_tells_their_person(store, clock, account):
    run = await ran(store, remote_id="r1")
    theirs, elsewhere = await ran(store, BOB), await ran(store, connection="saturn")
    await unlinked(store)
    ended = await store.run(run.id)
    assert (ended.outcome, ended.cause, ended.ended_at) == ("cancelled", "unlinked", clock.now())
    (notice,) = await failed(store)
    assert (notice.subject, notice.principal) == (run.id, ALICE)
    assert notice.body == {"job": run.id, "connection": "posit", "cause": "unlinked", "channel_id": "C1"}
    assert (await store.card(run.id)).changed_at == clock.now()
    assert (await store.run(theirs.id)).is_open
    assert [one.id for one in await store.runs(ALICE)] == [elsewhere.id]
    assert await run_by_remote(store, ALICE, "posit", "r1") is None
    assert await store.watched_runs() == []
    assert await watch_run(store, run.id) is None


async def test_a_step_under_way_at_an_unlink_writes_nothing_more(store, account):
    run = await ran(store)
    (step,) = await store.claim_runs(10, 60.0)
    await unlinked(store)
    assert not await store.save_run_step(Update(run.id, 1.0, remote_id="r1", claim=step.claim))
    assert (await store.run(run.id)).remote_id is None


async def test_nobody_is_told_of_runs_that_they_never_asked_for_or_when_they_left(store, account):
    await store.merge_runs(account.id, [FoundRun("r1", "found", ObservedRun(RunState.RUNNING))])
    await unlinked(store)
    assert await failed(store) == []
    await link_account(store, ALICE, "posit", secret="again")
    run = await ran(store)
    await unlinked(store, tell=False)
    assert not (await store.run(run.id)).is_open
    assert await failed(store) == []


async def test_a_run_that_was_let_go_is_found_again_after_a_new_link(store, account):
    run = await ran(store, remote_id="r1")
    await unlinked(store)
    again = await link_account(store, ALICE, "posit", secret="again")
    assert await store.merge_runs(again.id, [FoundRun("r1", "found", ObservedRun(RunState.RUNNING))]) == 1
    found = await run_by_remote(store, ALICE, "posit", "r1")
    assert found.id != run.id
    assert found.is_open


async def test_a_refused_account_holds_runs_and_a_new_link_lets_them_go_on(store, clock, account):
    run = await ran(store)
    await store.save_run_step(Update(run.id, 600.0))
    assert await refuse(store, account)
    held = await store.run(run.id)
    assert (held.hold, held.is_open) == ("Link again.", True)
    assert await store.claim_runs_of(account, 10, 60.0) is None
    await link_account(store, ALICE, "posit", secret="again")
    resumed = await store.run(run.id)
    assert (resumed.hold, resumed.next_step_at) == (None, clock.now())
    (step,) = await store.claim_runs(10, 60.0)
    assert step.account.secret == "again"


async def test_a_link_during_a_step_wakes_the_run_after_it(store, account):
    run = await ran(store)
    (step,) = await store.claim_runs(10, 60.0)
    await link_account(store, ALICE, "posit", secret="again")
    await store.save_run_step(Update(run.id, 600.0, hold="No account.", claim=step.claim))
    assert len(await store.claim_runs(10, 60.0)) == 1


async def test_snapshots_and_what_was_filled_in_go_with_the_account(store, account):
    bob = await link_account(store, BOB, "posit")
    for owner in (account.id, bob.id, ""):
        await store.save_snapshot(Snapshot("posit", owner, "templates", [owner], 1.0))
    await store.remember(ALICE, "posit", "workspace", {"ide": "RStudio"})
    await store.remember(BOB, "posit", "workspace", {"ide": "VS Code"})
    await unlinked(store)
    kept = [await store.snapshot("posit", owner, "templates") for owner in (account.id, bob.id, "")]
    assert [one and one.payload for one in kept] == [None, [bob.id], [""]]
    assert await store.remembered(ALICE, "posit", "workspace") == {}
    assert await store.remembered(BOB, "posit", "workspace") == {"ide": "VS Code"}
    await store.save_snapshot(Snapshot("posit", account.id, "templates", ["late"], 2.0))
    assert await store.snapshot("posit", account.id, "templates") is None


async def test_another_account_of_the_pair_sees_nothing_of_the_first_ones_snapshots(store, account):
    await store.save_snapshot(Snapshot("posit", account.id, "templates", ["mine"], 1.0))
    await link_account(store, ALICE, "posit", username="other")
    assert await store.snapshot("posit", account.id, "templates") is None


async def test_lists_of_runs_are_called_off_with_the_account(store, account):
    await store.add_tasks([NewTask(TaskKind.LIST_JOBS, account.id)])
    await unlinked(store)
    assert await store.claim_tasks(10, 60.0) == []


@pytest.mark.parametrize("connection", ["posit", None])
@pytest.mark.parametrize("state", ["asked", "approved"])
async def test_what_administrators_were_asked_for_is_withdrawn_also_without_an_account(
    store, connection, state
):
    asked = Approval("a1", ALICE, "posit", "alice", "asked", 1.0)
    others = Approval("a2", BOB, "posit", "bob", "asked", 1.0)
    await ask_approval(store, asked)
    await ask_approval(store, others)
    if state == "approved":
        await decide_approval(store, "a1", "approved", "UADMIN")
    assert await unlink(store, ALICE, connection) == []
    assert await store.approval("a1") is None
    assert await store.approval("a2") == others
