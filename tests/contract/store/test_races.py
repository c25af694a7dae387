"""Several stores on one database, in threads and in processes: everything is granted only once."""

import asyncio
import multiprocessing

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.tasks import TaskKind
from bot.services import accounts
from bot.store import accounts as account_rows
from bot.store import credentials, gates, notices, operations, tasks
from bot.store.tasks import NewTask
from bot.support.clock import SystemIds
from handlers.loading import load
from tests.rigs.clock import FakeClock
from tests.rigs.postgres import open_store
from tests.rigs.store import ALICE, BOB, accept_operation, link_account, linked, refuse
from tests.rigs.use_cases import ask

pytestmark = pytest.mark.both_engines

ROUNDS = 4

#: The processes are forked from one that has already imported the modules.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__])


def claimer(url, now, side):
    """Claim until nothing is left, with the clock standing still, and report what was claimed."""
    load()

    async def claim():
        store = await open_store(url, FakeClock(now), SystemIds())
        side.send("ready")
        side.recv()
        got = {"reads": [], "operations": [], "notices": [], "tasks": []}
        for _ in range(30):
            got["reads"] += [c.gate_key for c in await store.claim(gates.claim_reads, "saturn", 3, 10.0, 0.5)]
            got["operations"] += [
                s.subject.id for s in await store.claim(operations.claim_operations, 3, 60.0)
            ]
            got["notices"] += [n.id for n in await store.perform(notices.claim_notices, 3, 60.0)]
            got["tasks"] += [t.id for t in await store.claim(tasks.claim_tasks, 3, 60.0)]
        await store.close()
        side.send(got)

    asyncio.run(claim())


async def fill(store, count=60):
    """Make `count` reads, operations, notices and tasks due."""
    workspaces = (await linked(store, names=[f"w{number:03}" for number in range(count)])).workspaces
    for number, workspace in enumerate(workspaces):
        await accept_operation(store, workspace, interaction=f"i{number}")
    await store.write(
        notices.add_notices,
        [NewNotice(str(number), NoticeKind.MESSAGE, "1", ALICE) for number in range(count)],
    )
    await store.write(tasks.add_tasks, [NewTask(TaskKind.REPLAY, str(number)) for number in range(count)])


async def test_three_processes_are_granted_each_thing_once(database, clock):
    store = await database.open()
    await fill(store)
    sides = []
    for _ in range(3):
        side, other = processes.Pipe()
        processes.Process(target=claimer, args=(database.url, clock.now(), other), daemon=True).start()
        sides.append(side)
    assert [side.recv() for side in sides if side.poll(60)] == ["ready"] * 3
    for side in sides:
        side.send("go")
    got = [side.recv() for side in sides if side.poll(60)]
    for name in ("reads", "operations", "notices", "tasks"):
        claimed = [key for one in got for key in one[name]]
        assert len(claimed) == len(set(claimed)) == 60, name


async def test_starts_at_two_stores_are_one_open_operation(database):
    stores = [await database.open(), await database.open()]
    workspaces = (await linked(stores[0], names=["a", "b", "c", "d"])).workspaces
    for workspace in workspaces:
        accepted = await asyncio.gather(*(accept_operation(store, workspace) for store in stores * 5))
        assert len({one.operation.id for one in accepted}) == 1
    assert len(await stores[1].read(operations.open_operations, ALICE)) == 4


async def test_a_username_is_linked_once_at_two_stores(database):
    stores = [await database.open(), await database.open()]
    how = {"actor": "operator", "proof": "import", "link_source": "import"}
    asking = [ask(store, "", who) for store, who in zip(stores, (ALICE, BOB), strict=True)]
    made = await asyncio.gather(
        *(one.run(accounts.link_account, "saturn", "alice", "s", **how) for one in asking)
    )
    assert made.count(None) == 1
    assert len(await stores[0].read(account_rows.find_accounts_by_username, "saturn", "alice")) == 1


async def test_a_refusal_and_a_refresh_at_two_stores_leave_one_of_them(database):
    stores = [await database.open(), await database.open()]
    for number in range(ROUNDS):
        account = await link_account(stores[0], secret=f"s{number}")
        refused, saved = await asyncio.gather(
            refuse(stores[0], account),
            stores[1].write(credentials.save_secret, account.id, account.secret, "fresh"),
        )
        assert refused is not saved
        left = await stores[0].read(account_rows.find_account_by_id, account.id)
        assert (left.state, left.secret) == (("refused", "") if refused else ("active", "fresh"))
