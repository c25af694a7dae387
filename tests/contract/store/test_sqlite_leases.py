"""Leases of a dead process: whoever takes the serving lock frees them at once, if the lock is reliable."""

import re

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.row_times import LEASE
from bot.domain.steps import Update
from bot.domain.tasks import TaskKind
from bot.domain.timeouts import INTERRUPTED_SETTLES, MAKE_SETTLES, find_settling_time, has_settled
from bot.domain.work_items import Call
from bot.slack.notifier.timing import Timing
from bot.store import leases, operations, runs, tasks
from bot.store import notices as notice_rows
from bot.store.owners import own
from bot.store.schema import SEND_CONFIRM_SECONDS
from bot.store.sqlite import SqliteEngine
from bot.store.store import Store
from bot.store.tables import TABLES
from bot.store.tasks import NewTask
from bot.support.clock import SystemIds
from tests.contract.store.gates import by_reference, claim_one
from tests.rigs.statements import gather_statements
from tests.rigs.store import (
    ALICE,
    accept_operation,
    add_workspace,
    launched,
    link_account,
    linked,
    within,
)

#: Columns that a claim sets to the end of its lease, found by the parameter's name.
UPDATE = re.compile(r"(?:/\* claim \*/ )?UPDATE (\w+) SET\s")
MOVED = re.compile(r"(\w+) = :until\b")

#: Maps each column whose time marks a row as claimed to the statement that frees such claims.
LEASES = {
    "operations.leased_until": "free_operations",
    "operations.next_step_at": "free_operations",
    "runs.leased_until": "free_runs",
    "runs.next_step_at": "free_runs",
    "notices.due_at": "free_notices",
    "cards.leased_until": "free_cards",
    "tasks.due_at": "free_tasks",
    "installations.renewing_until": "free_installations",
    "owners.until": "free_owners",
    "workspaces.stop_check_at": "free_timers",
    "rules.next_check_at": "free_rules",
    "participants.due_at": "free_lessons",
    "upgrade_losses.due_at": "free_upgrade_losses",
}
#: Columns that limit how often work is done. A claim sets each to a later time. These times don't lock rows,
#: so freeing claims doesn't reset them.
PACES = frozenset(
    {
        "class_cards.next_check_at",
        "gates.next_check_at",
        "gates.due_at",
        "waitlist_entries.next_at",
        "accounts.remind_at",
        "usage_mondays.due_at",
        "workspaces.provider_end_check_at",
        "workspaces.idle_check_at",
    }
)


@pytest.fixture
async def restart(database, clock, tmp_path):
    """A function that serves from the same file again, as after the previous process was killed."""
    stores = []

    async def serve(kind="ext4"):
        for dead in stores[-1:]:
            # The kernel releases a dead process's lock.
            await dead.close()
        listed = tmp_path / "mountinfo"
        listed.write_text(f"27 1 254:0 / / rw,relatime - {kind} /dev/vda rw\n")
        path = database.url.removeprefix("sqlite:///")
        engine = SqliteEngine(path, clock, SystemIds(), mountinfo=listed)
        await engine.open()
        stores.append(Store(engine))
        await stores[-1].begin_serving()
        return stores[-1]

    yield serve
    await stores[-1].close()


async def claim_all(store):
    """Claim everything that can be claimed, and return how much of each kind there was."""
    claims = {
        "operations": await store.claim(operations.claim_operations, 10, 40.0),
        "runs": await store.claim(runs.claim_runs, 10, 40.0),
        "notices": await store.perform(notice_rows.claim_notices, 10, 60.0),
        "tasks": await store.claim(tasks.claim_tasks, 10, 40.0),
    }
    return {kind: len(claimed) for kind, claimed in claims.items()}


async def fill(store):
    """Make work of every kind due."""
    workspace = (await linked(store)).workspaces[0]
    await accept_operation(store, workspace, interaction="i1")
    await launched(store, connection="saturn")
    await store.write(notice_rows.add_notices, [NewNotice("s", NoticeKind.MESSAGE, "1", ALICE)])
    await store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, "a1")])


async def test_leases_of_a_dead_process_are_free_at_once(restart, clock):
    store = await restart()
    await fill(store)
    claimed = await claim_all(store)
    assert min(claimed.values()) >= 1
    clock.advance(5)
    assert not any((await claim_all(store)).values())
    store = await restart()
    # A message that may be on its way to Slack first gets time to show up; another restart doesn't extend
    # that time.
    assert await claim_all(store) == claimed | {"notices": 0}
    clock.advance(SEND_CONFIRM_SECONDS - 1)
    store = await restart()
    assert await store.perform(notice_rows.claim_notices, 10, 60.0) == []
    clock.advance(1)
    assert len(notices := await store.perform(notice_rows.claim_notices, 10, 60.0)) == claimed["notices"]
    assert all(notice.unknown_since is not None for notice in notices)


def test_dead_senders_messages_may_come_as_late_as_any():
    assert Timing().send_timeout + Timing().settles == SEND_CONFIRM_SECONDS


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p", "virtiofs", "unheard-of"])
async def test_leases_on_a_network_file_system_count(restart, clock, kind):
    store = await restart(kind)
    await fill(store)
    assert any((await claim_all(store)).values())
    clock.advance(5)
    store = await restart(kind)
    assert not any((await claim_all(store)).values())
    clock.advance(60)
    assert all((await claim_all(store)).values())


async def test_gates_stay_closed_after_a_restart(restart, clock):
    store = await restart()
    await link_account(store)
    await add_workspace(store, by_reference(ALICE))
    assert await claim_one(store)
    clock.advance(3)
    store = await restart()
    assert await claim_one(store) is None
    clock.advance(8)
    assert await claim_one(store)


async def test_late_step_of_a_dead_process_writes_nothing(restart):
    store = await restart()
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace, interaction="i1")).operation
    (dead,) = await store.claim(operations.claim_operations, 10, 40.0)
    store = await restart()
    assert await store.write(operations.save_step, Update(operation.id, 0.0, claim=dead.claim)) is None
    assert len(await store.claim(operations.claim_operations, 10, 40.0)) == 1


@pytest.mark.parametrize("call", ["start_call", "stop_call"])
async def test_interrupted_call_settles_from_when_it_was_made(restart, clock, call):
    store = await restart()
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace, interaction="i1")).operation
    (step,) = await store.claim(operations.claim_operations, 10, 40.0)
    calling = {call: Call.CALLING, "busy_since": clock.now()}
    await store.write(
        operations.save_step, Update(operation.id, 40.0, claim=step.claim, called=True, **calling)
    )
    called_at = clock.now()
    clock.advance(10)
    store = await restart()
    (step,) = await store.claim(operations.claim_operations, 10, 40.0)
    assert getattr(step.subject, call) is Call.INTERRUPTED
    assert step.subject.busy_since is None, "nobody knows whether it was refused again"
    assert find_settling_time(step.subject) == called_at + INTERRUPTED_SETTLES


async def test_interrupted_launch_is_looked_for_as_long_as_any(restart, clock):
    """A call that may cost money gets its whole time to show an effect, counted from the call."""
    store = await restart()
    run = await launched(store)
    (step,) = await store.claim(runs.claim_runs, 10, 40.0)
    calling = Update(run.id, 40.0, claim=step.claim, start_call=Call.CALLING, called=True)
    await store.write(runs.save_run_step, calling)
    called_at = clock.now()
    clock.advance(10)
    store = await restart()
    (step,) = await store.claim(runs.claim_runs, 10, 40.0)
    assert step.subject.start_call is Call.INTERRUPTED
    settled = [has_settled(step.subject, called_at + MAKE_SETTLES + by) for by in (-1.0, 0.0)]
    assert settled == [False, True]


async def test_interrupted_call_of_a_replaced_start_is_prior(restart, clock):
    store = await restart()
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace, interaction="i1")).operation
    (step,) = await store.claim(operations.claim_operations, 10, 40.0)
    calling = Update(operation.id, 40.0, claim=step.claim, start_call=Call.CALLING, called=True)
    await store.write(operations.save_step, calling)
    stop = (await accept_operation(store, workspace, OperationVerb.STOP, interaction="i2")).operation
    assert (await store.read(operations.find_operation, stop.id)).prior_call is Call.CALLING
    store = await restart()
    assert (await store.read(operations.find_operation, stop.id)).prior_call is Call.INTERRUPTED
    assert (await store.read(operations.find_operation, operation.id)).start_call is Call.INTERRUPTED


async def test_migration_alone_frees_no_lease(restart, database):
    """A process that only opens the database doesn't serve from it."""
    store = await restart()
    await fill(store)
    await claim_all(store)
    beside = await database.open()
    assert not any((await claim_all(beside)).values())


@pytest.mark.parametrize("engine_name", ["postgresql"])
async def test_another_process_on_a_server_keeps_its_leases(database):
    store = await database.open(serves=True)
    await fill(store)
    await within(store, own, "first", ["starts:hub"])
    await claim_all(store)
    beside = await database.open(serves=True)
    assert not any((await claim_all(beside)).values())
    assert await within(beside, own, "second", ["starts:hub"]) == []


def test_every_column_that_a_claim_moves_is_declared():
    """A new lease must declare how it is freed, or that it only sets a pace."""
    updates = [found for text in gather_statements().values() if (found := UPDATE.match(text))]
    moved = {f"{found[1]}.{column}" for found in updates for column in MOVED.findall(found.string)}
    marked = {
        f"{name}.{column}"
        for name, table in TABLES.items()
        for column, time in table.times.items()
        if time == LEASE
    }
    assert (moved | marked) - PACES == LEASES.keys()
    assert moved >= PACES
    assert set(leases.FREEING) == set(LEASES.values())
