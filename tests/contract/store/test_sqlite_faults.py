"""SQLite under bad conditions: busy, full, read-only, locked, gone, killed. Nothing is ever half done."""

import asyncio
import json
import resource
import signal
import sqlite3
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.steps import Update
from bot.store import counts, gates, operations, workspaces
from bot.store import notices as notice_rows
from bot.store.database_thread import PATIENCE_SECONDS, QueueWorker, WriteQueue
from bot.store.sqlite import SqliteEngine, SqliteSession
from bot.store.store import Store
from bot.store.tables import INBOX
from bot.store.transaction import Priority, StoreTime
from bot.support.clock import SystemIds
from bot.support.errors import StoreBusy, StoreUnavailable
from tests.rigs.clock import FakeClock
from tests.rigs.postgres import PATIENT, open_store
from tests.rigs.store import ALICE, accept_operation, first_sight, hurry, run_pragma

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "usher.db"


@pytest.fixture
async def store(path, clock):
    engine = SqliteEngine(str(path), clock, SystemIds(), patience=dict(PATIENT))
    await engine.open()
    store = Store(engine)
    await store.migrate()
    yield store
    await store.close()


@contextmanager
def locked(path):
    """Hold a lock on the database, as another process would."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def test_an_operation_that_is_not_committed_in_time_never_happens(store, path, workspace):
    with locked(path):
        hurry(store, 0.2)
        with pytest.raises(StoreBusy, match="nothing was done"):
            await accept_operation(store, workspace, interaction="i1")
        # People can still look.
        hurry(store, 60.0)
        assert await store.read(workspaces.find_workspace, workspace.id) == workspace
    # The next write comes after the abandoned one, in the same queue.
    assert await first_sight(store, "i1")
    assert await store.read(operations.open_operations, ALICE) == []


async def test_a_short_lock_is_waited_for(path, clock):
    store = await open_store(f"sqlite:///{path}", clock, SystemIds())
    await store.migrate()
    with locked(path):
        waiting = asyncio.ensure_future(first_sight(store, "i1"))
        # Once this read is answered, the thread must have met the lock.
        assert await store.perform(workspaces.read_workspaces, ALICE) == []
    assert await waiting
    await store.close()


async def test_work_that_gives_up_while_it_runs_is_rolled_back(store):
    import threading

    entered, leave = threading.Event(), threading.Event()

    def slow(tx):
        INBOX.add_new(tx, key="slow", seen_at=tx.now(), result="")
        entered.set()
        assert leave.wait(10)

    waiting = asyncio.ensure_future(store.engine.write(slow, Priority.URGENT))
    await asyncio.get_running_loop().run_in_executor(None, entered.wait)
    hurry(store, 0.0)
    with pytest.raises(StoreBusy):
        await waiting
    hurry(store, 60.0)
    leave.set()
    assert await first_sight(store, "slow")


def full(store):
    """Keep the database from growing by even a page."""
    return run_pragma(store, "max_page_count = 1")


def has_room(store):
    return run_pragma(store, "max_page_count = 1000000")


async def test_a_full_disk_is_said_and_leaves_nothing_half_done(store, workspace):
    await full(store)
    notices = [NewNotice("", NoticeKind.CARD, str(n), ALICE, {"pad": "x" * 3000}) for n in range(20)]
    with pytest.raises(StoreUnavailable, match="disk is full"):
        await accept_operation(store, workspace, interaction="i1", notices=notices)
    assert await store.read(operations.open_operations, ALICE) == []
    assert await store.perform(notice_rows.claim_notices, 100, 60.0) == []
    await has_room(store)
    accepted = await accept_operation(store, workspace, interaction="i1", notices=notices)
    assert not accepted.repeated
    assert len(await store.perform(notice_rows.claim_notices, 100, 60.0)) == 20


async def fill(store):
    """Write more than fits."""
    for number in range(200):
        await store.write(
            notice_rows.add_notices,
            [NewNotice(str(number), NoticeKind.MESSAGE, "", ALICE, {"pad": "x" * 3000})],
        )


async def test_a_disk_that_takes_no_more_bytes_is_said(store, path, workspace):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(found.stat().st_size for found in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        with pytest.raises(StoreUnavailable, match="disk"):
            await fill(store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await accept_operation(store, workspace, interaction="i1")
    count = (await store.perform(counts.count_rows))["pending_notices"]
    subjects = [int(notice.subject) for notice in await store.perform(notice_rows.claim_notices, 1000, 60.0)]
    assert sorted(subjects) == list(range(count))


async def test_a_database_that_became_read_only_is_said(store, workspace):
    await run_pragma(store, "query_only = ON")
    with pytest.raises(StoreUnavailable, match="read-only"):
        await accept_operation(store, workspace, interaction="i1")
    assert await store.read(workspaces.find_workspace, workspace.id) == workspace
    await run_pragma(store, "query_only = OFF")
    assert not (await accept_operation(store, workspace, interaction="i1")).repeated


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
async def test_nothing_is_written_into_a_file_that_nobody_will_find(store, path, workspace, ending, replaced):
    one = path.with_name(f"{path.name}{ending}")
    one.rename(path.with_suffix(".moved"))
    if replaced:
        one.touch()
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=f"^{one.name} was moved or deleted"):
            await accept_operation(store, workspace, interaction="i1")


async def test_what_a_deleted_log_held_is_there_at_the_next_start(store, path, workspace):
    assert await first_sight(store, "before")
    path.with_name("usher.db-wal").unlink()
    with pytest.raises(StoreUnavailable, match="moved or deleted"):
        await first_sight(store, "after")
    # The file as it would be found if the machine were switched off now.
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    next_start = await open_store(f"sqlite:///{copy}", FakeClock(), SystemIds())
    assert await next_start.read(workspaces.find_workspace, workspace.id) == workspace
    assert not await first_sight(next_start, "before")
    assert await first_sight(next_start, "after")
    await next_start.close()


async def test_one_job_that_fails_leaves_the_others(store, workspace):
    def broken(tx):
        INBOX.add_new(tx, key="broken", seen_at=tx.now(), result="")
        raise ZeroDivisionError

    results = await asyncio.gather(
        first_sight(store, "a"),
        store.engine.write(broken, Priority.URGENT),
        first_sight(store, "b"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [bool, ZeroDivisionError, bool]
    assert await first_sight(store, "broken")
    assert not await first_sight(store, "a")


async def test_a_lock_that_is_held_from_the_start_is_said(path, clock, monkeypatch):
    store = await open_store(f"sqlite:///{path}", clock, SystemIds())
    await store.close()
    monkeypatch.setattr("bot.store.sqlite.OPEN_SECONDS", 0.05)
    with locked(path), pytest.raises(StoreUnavailable, match="locked by another process"):
        await open_store(f"sqlite:///{path}", clock, SystemIds())


def test_people_wait_for_two_seconds_at_most():
    assert PATIENCE_SECONDS[Priority.URGENT] == 2.0
    assert all(seconds < 60 for seconds in PATIENCE_SECONDS.values())


#: A process that writes, claims, reports what it did, and is then killed without warning.
KILLED = """
import asyncio, json, os, signal, sys
from bot.store import gates, notices, operations
from handlers.loading import load
from bot.support.clock import SystemIds
from tests.rigs.postgres import open_store
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from tests.rigs.clock import FakeClock
from tests.rigs.store import ALICE, accept_operation, linked

async def main(url, now):
    store = await open_store(url, FakeClock(float(now)), SystemIds())
    await store.migrate()
    workspace = (await linked(store)).workspaces[0]
    card = NewNotice("", NoticeKind.CARD, "1", ALICE)
    operation = (await accept_operation(store, workspace, interaction="i1", notices=[card])).operation
    assert await store.claim(operations.claim_operations, 10, 60.0)
    assert await store.perform(notices.claim_notices, 10, 60.0)
    assert await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
    print(json.dumps({"operation": operation.id, "workspace": workspace.id}), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

load()
asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_was_answered_before_a_kill_is_there_after_it(path):
    clock = FakeClock()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        KILLED,
        f"sqlite:///{path}",
        str(clock.now()),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    said = json.loads((await process.communicate())[0])
    assert process.returncode == -signal.SIGKILL
    store = await open_store(f"sqlite:///{path}", clock, SystemIds())
    assert await store.migrate() == []
    assert [operation.id for operation in await store.read(operations.open_operations, ALICE)] == [
        said["operation"]
    ]
    assert not await first_sight(store, "i1")
    assert await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5) == []
    clock.advance(10.4)
    assert await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5) == []
    clock.advance(0.1)
    assert len(await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)) == 1
    clock.advance(60 - 10.5)
    (step,) = await store.claim(operations.claim_operations, 10, 60.0)
    assert await store.write(operations.save_step, Update(step.subject.id, 1.0, claim=step.claim))
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert notice.unknown_since == clock.now() - 60
    await store.close()


class Unopenable(SqliteSession):
    """Raise an unexpected error when opening."""

    def open(self) -> None:
        raise ValueError("not foreseen")


async def test_unforeseen_error_of_opening_reaches_the_caller(path, clock):
    queue = WriteQueue(PATIENCE_SECONDS)
    worker = QueueWorker(queue, Unopenable(str(path), StoreTime(clock), SystemIds()), lambda _: None)
    with pytest.raises(ValueError, match="not foreseen"):
        await worker.start("store")
    with pytest.raises(StoreUnavailable, match="can't be opened"):
        await queue.submit(lambda _: None, Priority.STEADY, is_read=True)
