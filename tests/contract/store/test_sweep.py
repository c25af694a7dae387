"""The sweep deletes what is past its use, and nothing else."""

import asyncio
import sqlite3
from contextlib import closing

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Approval, Link
from bot.domain.runs import Update
from bot.domain.workspaces import Outcome, Workspace
from bot.support.clock import SystemIds
from tests.rigs.postgres import open_store
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    add_workspace,
    ask_approval,
    decide_approval,
    first_sight,
    gate_key,
    launched,
    link_account,
    linked,
    put_link,
    unlink,
)

DAY = 86_400.0


async def ran(store, name, principal=ALICE):
    return await launched(store, principal, name=name)


async def test_inbox_rows_go_after_a_day(store, clock):
    for number in range(450):
        await first_sight(store, f"old{number}")
    clock.advance(DAY - 10)
    await first_sight(store, "young")
    clock.advance(11)
    await store.sweep()
    assert await first_sight(store, "old0")
    assert await first_sight(store, "old449")
    assert not await first_sight(store, "young")


async def test_links_go_a_day_after_they_ran_out(store, clock):
    await put_link(store, Link("n", ALICE, "saturn", None, clock.now(), clock.now() + 600))
    clock.advance(DAY + 599)
    await store.sweep()
    assert await store.link("n") is not None
    clock.advance(2)
    await store.sweep()
    assert await store.link("n") is None


async def test_sent_notices_go_after_thirty_days_dead_ones_after_seven_and_others_stay(store, clock):
    await store.add_notices([NewNotice(f"s{number}", NoticeKind.MESSAGE, "1", ALICE) for number in range(3)])
    sent, dead, _ = await store.claim_notices(10, 60.0)
    await store.notice_sent(sent.id, "D1", "1.1")
    await store.notice_dead(dead.id, "gone")
    clock.advance(7 * DAY - 10)
    await store.sweep()
    assert len(await store.dead_notices()) == 1
    clock.advance(22 * DAY)
    await store.sweep()
    assert await store.dead_notices() == []
    await store.add_notices([NewNotice(sent.subject, NoticeKind.MESSAGE, "1", ALICE)])
    assert [notice.subject for notice in await store.claim_notices(10, 60.0)] == ["s2"]
    clock.advance(2 * DAY)
    await store.sweep()
    await store.add_notices([NewNotice(sent.subject, NoticeKind.MESSAGE, "1", ALICE)])
    assert {notice.subject for notice in await store.claim_notices(10, 60.0)} == {"s0", "s2"}


async def test_the_fifty_newest_operations_of_a_workspace_stay(store, clock):
    workspaces = (await linked(store, names=["busy", "quiet"])).workspaces
    made = []
    for number in range(53):
        clock.advance(1)
        made.append((await accept_operation(store, workspaces[0], interaction=f"b{number}")).operation)
        if number < 52:
            await store.save_step(Update(made[-1].id, 0.0, outcome=Outcome.FULFILLED))
    quiet = (await accept_operation(store, workspaces[1], interaction="q")).operation
    clock.advance(400 * DAY)
    await store.sweep()
    kept = [operation.id for operation in made if await store.operation(operation.id) is not None]
    assert kept == [operation.id for operation in made[-50:]]
    assert await store.card(made[0].id) is None
    assert await store.operation(quiet.id) is not None


async def test_the_operations_of_an_unlinked_workspace_go_after_thirty_days(store, clock):
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace)).operation
    await unlink(store, ALICE)
    clock.advance(29 * DAY)
    await store.sweep()
    assert await store.operation(operation.id) is not None
    clock.advance(2 * DAY)
    await store.sweep()
    assert await store.operation(operation.id) is None


async def test_gates_that_nobody_watches_go_a_day_after_they_opened(store, clock):
    await link_account(store)
    key = gate_key("saturn", "x")
    shared = Workspace("w", ALICE, "saturn", "x", key, "x", origin="added")
    await add_workspace(store, shared)
    # A gate is seen from outside by how long it stays closed: here for longer than the sweep's day.
    assert await store.claim_reads("saturn", 10, 3 * DAY, 0.5)
    await unlink(store, ALICE)
    await link_account(store, secret="again")
    clock.advance(2 * DAY)
    await store.sweep()
    await add_workspace(store, shared)
    assert await store.claim_reads("saturn", 10, 10.0, 0.5) == []
    await unlink(store, ALICE)
    clock.advance(5 * DAY)
    await store.sweep()
    await link_account(store, secret="once more")
    await add_workspace(store, shared)
    assert await store.claim_reads("saturn", 10, 10.0, 0.5)


async def test_ended_runs_go_after_thirty_days_and_open_ones_stay(store, clock):
    old, young, still = [await ran(store, name) for name in ("old", "young", "open")]
    await store.save_run_step(Update(old.id, 0.0, outcome="ended"))
    clock.advance(29 * DAY)
    await store.save_run_step(Update(young.id, 0.0, outcome="failed"))
    await store.sweep()
    assert await store.run(old.id) is not None
    clock.advance(2 * DAY)
    await store.sweep()
    assert {run.id for run in await store.runs(ALICE)} == {still.id, young.id}
    assert [await store.card(run.id) is None for run in (old, young, still)] == [True, False, False]


async def test_the_fifty_newest_runs_of_a_person_stay(store, clock):
    first = await ran(store, "open all the time")
    made = []
    for number in range(52):
        clock.advance(1)
        made.append(await ran(store, f"run {number}"))
        await store.save_run_step(Update(made[-1].id, 0.0, outcome="ended"))
    theirs = await ran(store, "theirs", BOB)
    await store.save_run_step(Update(theirs.id, 0.0, outcome="ended"))
    await store.sweep()
    assert [run.id for run in await store.runs(ALICE, limit=99)] == [
        *(run.id for run in made[:1:-1]),
        first.id,
    ]
    assert await store.card(made[0].id) is None
    assert await store.run(theirs.id) is not None


async def test_decided_requests_go_after_thirty_days_and_open_ones_stay(store, clock):
    for number, principal in enumerate((ALICE, BOB)):
        await ask_approval(store, Approval(f"a{number}", principal, "posit", "name", "asked", 1.0))
    await decide_approval(store, "a0", "denied", "UADMIN")
    clock.advance(29 * DAY)
    await store.sweep()
    assert await store.approval("a0") is not None
    clock.advance(2 * DAY)
    await store.sweep()
    assert [await store.approval(f"a{number}") is None for number in (0, 1)] == [True, False]


async def test_the_card_of_an_orphaned_operation_goes_with_it(store, clock):
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace)).operation
    await unlink(store, ALICE)
    assert await store.card(operation.id) is not None
    clock.advance(31 * DAY)
    await store.sweep()
    assert await store.card(operation.id) is None


async def test_the_sweep_gives_back_what_deleted_rows_took(tmp_path, clock):
    path = tmp_path / "usher.db"
    store = await open_store(f"sqlite:///{path}", clock, SystemIds())
    await store.migrate()
    await asyncio.gather(*(first_sight(store, f"{number}{'x' * 900}") for number in range(1000)))
    clock.advance(2 * DAY)
    await asyncio.gather(store.sweep(), first_sight(store, "meanwhile"))
    assert not await first_sight(store, "meanwhile")
    await store.close()
    with closing(sqlite3.connect(path)) as database:
        unused, pages = (
            database.execute(f"PRAGMA {one}").fetchone()[0] for one in ("freelist_count", "page_count")
        )
    assert unused < pages / 4
