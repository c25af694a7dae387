"""PostgreSQL under bad conditions: locked, disconnected, lost during a commit. Nothing is ever half done."""

import asyncio
import threading
from contextlib import contextmanager

import pytest

from bot.reconciler import Numbers
from bot.slack.notifier import Timing
from bot.store import operations, postgres_session, schema, workspaces
from bot.store.postgres_session import OUTCOME_SECONDS, PostgresSession
from bot.store.postgres_transaction import LOCK_ALONE
from bot.store.store import Store
from bot.store.tables import INBOX
from bot.store.transaction import Priority, request_began, share_request_patience
from bot.support.clock import SystemIds
from bot.support.errors import StoreBusy, StoreError, StoreUnavailable
from tests.contract.store.postgres_faults import cut, cut_at_commit
from tests.rigs import postgres
from tests.rigs.store import ALICE, accept_operation, first_sight, hurry, linked

#: For a store that shouldn't give up: on a busy machine, a new connection may take some time.


@pytest.fixture
async def url():
    return await postgres.migrated()


@pytest.fixture
async def open_(url, clock):
    """A function that opens stores on the database, one for each simulated process."""
    opened = []

    async def open_one(patience=postgres.PATIENT):
        engine = postgres.engine(url, clock, SystemIds(), patience=patience)
        await engine.open()
        opened.append(Store(engine))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_):
    return await open_()


@pytest.fixture
async def workspace(store):
    return (await linked(store)).workspaces[0]


@contextmanager
def locked(url):
    """Hold a lock in another session's transaction, which stays open."""
    with postgres.connected(url) as other, other.transaction():
        other.execute(LOCK_ALONE)
        yield other


async def pid_of(store):
    """Return the server's process id for the connection that writes."""
    return await store.engine.write(lambda tx: tx.one("SELECT pg_backend_pid() AS pid")["pid"])


async def test_an_operation_that_is_not_committed_in_time_never_happens(open_, url, store, workspace):
    hasty = await open_(dict.fromkeys(Priority, 0.05))
    with locked(url):
        with pytest.raises(StoreBusy, match="nothing was done"):
            await accept_operation(hasty, workspace, interaction="i1")
        # People can still look.
        assert await store.read(workspaces.find_workspace, workspace.id) == workspace
    assert await first_sight(store, "i1")
    assert await store.read(operations.open_operations, ALICE) == []


async def test_one_job_that_fails_leaves_the_others(store):
    def broken(tx):
        INBOX.add_new(tx, key="broken", seen_at=tx.now(), result="")
        raise ZeroDivisionError

    def wrong(tx):
        INBOX.add_new(tx, key="wrong", seen_at=tx.now(), result="")
        INBOX.add_new(tx, key=None, seen_at=tx.now(), result="")

    results = await asyncio.gather(
        first_sight(store, "a"),
        store.engine.write(broken, Priority.URGENT),
        store.engine.write(wrong, Priority.URGENT),
        first_sight(store, "b"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [bool, ZeroDivisionError, StoreError, bool]
    assert await first_sight(store, "broken")
    assert await first_sight(store, "wrong")
    assert not await first_sight(store, "a")


async def test_an_error_tells_no_value_of_a_row(store):
    def twice(tx):
        for _ in range(2):
            tx.run("INSERT INTO inbox (key, seen_at) VALUES ('canary', 0)")

    with pytest.raises(StoreError, match="own rules") as failed:
        await store.engine.write(twice)
    assert "canary" not in str(failed.value)


@pytest.mark.parametrize("when", ["idle", "in the middle"])
async def test_a_connection_that_is_lost_is_made_again_and_nothing_is_done_twice(store, url, workspace, when):
    cut_at_most_once = iter([await pid_of(store)])

    def accept(tx):
        INBOX.add_new(tx, key="i1", seen_at=tx.now(), result="")
        for pid in cut_at_most_once:
            cut(url, pid)
        return INBOX.add_new(tx, key="i2", seen_at=tx.now(), result="")

    if when == "idle":
        cut(url, next(cut_at_most_once))
    assert await store.engine.write(accept) == 1
    assert not await first_sight(store, "i1")
    assert await store.read(workspaces.find_workspace, workspace.id) == workspace


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_commit_without_an_answer_is_looked_up(url, clock, when):
    """The caller gets the result of that commit, or of a repeated one if the first didn't happen."""
    engine = postgres.engine(url, clock, SystemIds())
    await engine.open()
    store = Store(engine)
    cut_at_commit(engine._session, when)
    assert await first_sight(store, "i1")
    assert not await first_sight(store, "i1")
    await store.close()


def test_outcome_is_looked_for_as_long_as_a_lease_lasts():
    """Rows claimed in such a commit stay claimed, however late its outcome is known."""
    assert max(Numbers().lease, Timing().lease) <= OUTCOME_SECONDS


async def test_commit_lost_again_and_again_ends_with_patience(url, clock):
    """The work is run again while its caller waits; in the end the caller learns that nothing was done."""
    engine = postgres.engine(url, clock, SystemIds(), patience=dict.fromkeys(Priority, 1.0))
    await engine.open()
    store, ran = Store(engine), []

    def write(tx):
        cut_at_commit(engine._session, "before")
        ran.append(INBOX.add_new(tx, key="i1", seen_at=tx.now(), result=""))

    async with asyncio.timeout(30):
        with pytest.raises(StoreBusy, match="nothing was done"):
            await engine.write(write)
    assert len(ran) > 1
    del engine._session.transaction._send
    assert await first_sight(store, "i1")
    await store.close()


async def test_process_that_hangs_after_its_first_statements_holds_nobody_up(store, url, clock):
    postgres.needs_version(17, "older servers can't limit how long a transaction takes")
    engine = postgres.engine(url, clock, SystemIds())
    engine._session.limit_seconds = 1
    await engine.open()
    engine._session.begin(writes=True)
    assert await first_sight(store, "i1")
    await engine.close()


async def is_served(store):
    """Return whether another process serves from the database."""
    return not await store.engine.write(lambda _: store.engine._session.is_alone())


async def test_several_processes_serve_and_any_of_them_is_noticed(open_, store):
    await store.begin_serving()
    second, third = await open_(), await open_()
    assert await second.begin_serving() == []
    # Operators' commands meanwhile don't count as serving.
    assert await third.migrate() == []
    await store.close()
    assert await is_served(third)
    await second.close()
    assert not await is_served(third)


async def test_who_comes_back_while_the_database_is_closed_to_all_writes_nothing(open_, url):
    first, second = await open_(dict(postgres.PATIENT)), await open_()
    await first.begin_serving()
    pid = await pid_of(first)
    entered, leave = threading.Event(), threading.Event()

    def hold(tx):
        entered.set()
        assert leave.wait(10)

    waiting = asyncio.ensure_future(first.engine.write(hold))
    await asyncio.to_thread(entered.wait)
    hurry(first, 0.05)
    cut(url, pid)
    assert await second.engine.write(lambda _: second.engine._session.take_lock(alone=True))
    leave.set()
    with pytest.raises(StoreBusy):
        await waiting
    with pytest.raises(StoreBusy):
        await first_sight(first, "i1")
    assert await first_sight(second, "i1")


async def test_a_process_that_lost_its_connection_takes_its_place_again(open_, url, store):
    await store.begin_serving()
    cut(url, await pid_of(store))
    assert await first_sight(store, "i1")
    assert await is_served(await open_())


async def test_a_connection_that_was_not_made_to_the_end_is_not_used(open_, url, store, monkeypatch):
    await store.begin_serving()
    settings, made = postgres_session._SETTINGS, []

    class Broken(PostgresSession):
        """A session whose settings fail on the first connection."""

        def _connected(self):
            made.append(self)
            failing = f"{settings}; SELECT 1 / 0" if len(made) == 1 else settings
            monkeypatch.setattr(postgres_session, "_SETTINGS", failing)
            return super()._connected()

    store.engine._session.__class__ = Broken
    cut(url, await pid_of(store))
    assert await first_sight(store, "i1")
    assert len(made) == 2
    assert await is_served(await open_())


async def test_a_database_that_became_read_only_is_said(store, url, workspace):
    def forbid(tx):
        tx.run("SET default_transaction_read_only = on")
        tx.run("SET TRANSACTION READ ONLY")
        INBOX.add_new(tx, key="i1", seen_at=tx.now(), result="")

    with pytest.raises(StoreUnavailable, match="read-only"):
        await store.engine.write(forbid)
    assert await first_sight(store, "i1")


async def test_a_database_without_tables_says_so(clock):
    engine = postgres.engine(postgres.new_database("usher_bare"), clock, SystemIds())
    await engine.open()
    store = Store(engine)
    with pytest.raises(StoreUnavailable, match="usher migrate"):
        await store.perform(workspaces.read_workspaces, ALICE)
    with pytest.raises(StoreUnavailable, match="usher migrate"):
        await first_sight(store, "i1")
    await store.close()


async def test_many_callers_at_once_are_all_served_and_closing_finishes_what_is_queued(store):
    waiting = [asyncio.ensure_future(first_sight(store, f"i{number}")) for number in range(300)]
    looking = [asyncio.ensure_future(store.read(schema.list_migrations)) for _ in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert all(await asyncio.gather(*waiting))
    assert all(await asyncio.gather(*looking))
    with pytest.raises(StoreUnavailable, match="closed"):
        await first_sight(store, "late")


async def test_all_that_a_request_waits_for_has_one_patience_together(open_, url, monkeypatch):
    """A request that has used up its patience gives up at once, however patient the store is."""
    monkeypatch.setattr("bot.store.database_thread.REQUEST_SECONDS", 1200.0)
    store = await open_(dict.fromkeys(Priority, 600.0))
    with locked(url), share_request_patience():
        request_began.set(request_began.get() - 600.0)
        with pytest.raises(StoreBusy):
            await first_sight(store, "i1")
    assert await first_sight(store, "i1"), "work of its own doesn't share it"
