"""Work on PostgreSQL makes as few round trips as possible: its commit may be sent with its last statement."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.workspaces import State
from bot.services.reachability import Reachability
from bot.store import audit, cards, database_thread, gates, notices, operations, outages, slack_rate_limits
from bot.store.database_thread import WriteQueue
from bot.store.postgres import LANES, NEAR_LANES, NEAR_SECONDS, PostgresEngine
from bot.store.postgres_transaction import DatabaseClock, PostgresTransaction
from bot.store.store import Store
from bot.store.transaction import Priority
from bot.support.clock import SystemIds
from bot.support.errors import StoreBusy, StoreError
from tests.contract.store.postgres_faults import cut_at_commit
from tests.rigs import postgres
from tests.rigs.clock import FakeClock
from tests.rigs.store import ALICE, accept_operation, linked, observe

LEASE = 40.0
_CALLS = "SELECT * FROM slack_calls"


@pytest.fixture
async def url() -> str:
    return await postgres.migrated()


@pytest.fixture
async def store(url, clock):
    # Not the engine that counts changed rows, because it waits after each piece of work.
    given = {"readers": 1, "database_clock": postgres.GivenClock(clock)}
    engine = PostgresEngine(url, clock, SystemIds(), patience=postgres.PATIENT, **given)
    await engine.open()
    yield Store(engine)
    await engine.close()


@contextmanager
def counted_waits(monkeypatch) -> Iterator[list[str]]:
    """Record each time that a pipeline waits."""
    waits: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("sync", "__exit__"):
            real = getattr(psycopg.Pipeline, name)

            def noted(self, *given, real=real, name=name):
                waits.append(name)
                return real(self, *given)

            patch.setattr(psycopg.Pipeline, name, noted)
        yield waits


@pytest.mark.parametrize(
    ("claim", "most"),
    [
        pytest.param(lambda tx: operations.claim_operations(tx, 5, 60.0), 1, id="operations"),
        pytest.param(lambda tx: notices.claim_notices_once(tx, 5, 60.0), 2, id="notices"),
        pytest.param(lambda tx: cards.claim_cards(tx, 5, 60.0), 2, id="cards"),
        pytest.param(lambda tx: gates.claim_reads(tx, "saturn", 5, 10.0, 1.0), 2, id="reads"),
        pytest.param(lambda tx: outages.note_answer(tx, "saturn", 1.0), 1, id="answer"),
        pytest.param(
            lambda tx: slack_rate_limits.take_slack_call(tx, "T1", "chat.update", most=5), 1, id="call"
        ),
    ],
)
async def test_work_waits_as_often_as_is_counted(store, monkeypatch, claim, most):
    await accept_operation(store, (await linked(store)).workspaces[0], interaction="i1")
    with counted_waits(monkeypatch) as waits:
        found = await store.engine.write(claim, Priority.CLAIMS)
    assert found is not None
    assert len(waits) <= most


@pytest.mark.parametrize("priority", [Priority.URGENT, Priority.STEADY])
async def test_nobody_holds_the_head_of_the_audit_before_the_commit(url, store, monkeypatch, priority):
    heads, real = [], WriteQueue.may_commit

    def lock_head(queue, items):
        with psycopg.connect(url) as other:
            heads.extend(other.execute("SELECT detail FROM audit WHERE seq = 0 FOR UPDATE NOWAIT").fetchall())
        return real(queue, items)

    monkeypatch.setattr(WriteQueue, "may_commit", lock_head)
    entry = AuditEntry("usher", "account.linked", "x", "ok", {})
    await asyncio.gather(
        *(store.engine.write(lambda tx: audit.append_audit(tx, [entry]), priority) for _ in range(3))
    )
    assert heads
    assert (await store.read(audit.read_audit_head))[0] == int(heads[0][0]) + 3
    assert await store.perform(audit.verify_audit) is None


@pytest.mark.parametrize(("when", "count"), [("before", 1), ("after", 2)])
async def test_work_that_was_cut_while_it_finished_runs_again(url, store, when, count):
    """The caller gets the last run's result, although the first run may have been committed too."""
    cut_at_commit(store.engine._session, when)

    def take(tx):
        return slack_rate_limits.take_slack_call(tx, "T1", "chat.update", most=5)

    assert await store.engine.write(take) == 0.0
    assert len(await store.engine.read(lambda tx: tx.all(_CALLS))) == count


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_silence_ends_though_its_answer_was_cut(store, when):
    """Only the process that ends the silence releases the waiting work, so that isn't done twice."""
    await store.write(outages.note_silence, "saturn", 1.0, None)
    reachability = Reachability("saturn")
    reachability.record_answer(2.0)
    for session in store.engine._writing:
        cut_at_commit(session, when)
    assert await reachability.write(store)
    assert not await store.write(outages.end_silence, "saturn", 2.0)


@pytest.fixture
async def work(store, clock):
    """A due operation, a due notice, and a card that changed after it was posted."""
    first, second = (await linked(store, names=("one", "two"))).workspaces
    card = [NewNotice("", NoticeKind.CARD, "first", ALICE)]
    await accept_operation(store, first, notices=card)
    (notice,) = await store.perform(notices.claim_notices, 10, LEASE)
    await store.write(notices.mark_notice_sent, notice, "D1", "1.0")
    await accept_operation(store, second, notices=card)
    await store.claim(operations.claim_operations, 1, 0.5)
    await observe(store, clock, first, Observed(State.STARTING))
    clock.advance(cards.MIN_UPDATE_INTERVAL_SECONDS)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(lambda tx: operations.claim_operations(tx, 5, LEASE), id="operations"),
        pytest.param(lambda tx: notices.claim_notices_once(tx, 5, LEASE), id="notices"),
        pytest.param(lambda tx: cards.claim_cards(tx, 5, LEASE), id="cards"),
    ],
)
async def test_what_a_claim_took_that_was_cut_is_due_when_its_lease_ends(store, clock, work, when, claim):
    """As after a crash, nobody holds the rows meanwhile; all can be claimed when the lease ends."""
    claims = store.engine._writing[1]
    cut_at_commit(claims, when)
    found = await store.engine.write(claim, Priority.CLAIMS)
    assert claims.transaction._send.__name__ == "_send", "it was cut"
    assert bool(found) == (when == "before")
    clock.advance(LEASE - 1.0)
    assert not await store.engine.write(claim, Priority.CLAIMS)
    clock.advance(1.0)
    again = await store.engine.write(claim, Priority.CLAIMS)
    assert again
    assert len(again) == len(found) or when == "after"


async def test_a_notice_that_a_cut_claim_took_is_looked_for_before_it_is_sent(store, clock, work):
    """A claim that was cut off looks like that of a process that died while sending the notice."""
    cut_at_commit(store.engine._writing[1], "after")
    assert await store.perform(notices.claim_notices, 5, LEASE) == []
    clock.advance(LEASE)
    (notice,) = await store.perform(notices.claim_notices, 5, LEASE)
    assert notice.unknown_since == clock.now() - LEASE


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("is_changed", [False, True])
async def test_a_card_whose_update_was_noted_and_cut_is_owed_no_other(store, clock, work, when, is_changed):
    (card,) = await store.claim(cards.claim_cards, 5, LEASE)
    if is_changed:
        await store.engine.write(lambda tx: cards.queue_updates(tx, card.id, changed=True))
    cut_at_commit(store.engine._session, when)
    await store.write(cards.finish_update, card.id, card, "digest", {"text": "Starting", "blocks": []})
    after = await store.read(cards.find_card, card.id)
    assert (after.is_dirty, after.updated_at) == (is_changed, clock.now())
    assert after.body["text"] == "Starting"
    # Changes made since the claim are sent at once.
    clock.advance(cards.MIN_UPDATE_INTERVAL_SECONDS)
    assert [one.id for one in await store.claim(cards.claim_cards, 5, LEASE)] == [card.id] * is_changed


async def test_an_error_in_what_finishes_is_its_callers_and_nothing_is_done(store):
    def twice(tx):
        tx.run("INSERT INTO inbox (key, seen_at) VALUES ('one', 0)")
        tx.run("INSERT INTO inbox (key, seen_at) VALUES ('one', 0)")
        tx.finish()

    with pytest.raises(StoreError, match="own rules"):
        await store.engine.write(twice)
    assert await store.engine.read(lambda tx: tx.all("SELECT * FROM inbox")) == []


async def test_what_nobody_waits_for_any_more_does_not_finish(store):
    """A caller who gave up was told that nothing was done."""
    loop, callers = asyncio.get_running_loop(), []

    def give_up(tx):
        loop.call_soon_threadsafe(callers[0].cancel)
        while not callers[0].cancelled():
            pass
        assert not tx.may_commit()
        with pytest.raises(StoreBusy):
            slack_rate_limits.take_slack_call(tx, "T1", "chat.update", most=5)
        raise StoreBusy("given up")

    callers.append(asyncio.ensure_future(store.engine.write(give_up)))
    with pytest.raises(asyncio.CancelledError):
        await callers[0]
    assert await store.engine.read(lambda tx: tx.all(_CALLS)) == []


async def test_work_that_shares_its_transaction_is_committed_with_the_others(store):
    def take(tx):
        return slack_rate_limits.take_slack_call(tx, "T1", "chat.update", most=5)

    assert await asyncio.gather(*(store.engine.write(take) for _ in range(5))) == [0.0] * 5
    assert await store.engine.write(take) > 0.0
    assert len(await store.engine.read(lambda tx: tx.all(_CALLS))) == 5


@pytest.mark.parametrize(("share", "count"), [(0.5, NEAR_LANES), (2.0, LANES)])
async def test_more_connections_decide_for_a_server_that_is_far(store, monkeypatch, share, count):
    engine = store.engine
    monkeypatch.setattr(engine._database_clock, "answer_seconds", share * NEAR_SECONDS)
    queues = {id(engine._queue_of(Priority.URGENT, [f"person {number}"])) for number in range(200)}
    assert len(queues) == count


async def test_a_new_connection_may_lead_to_a_server_that_is_further_away(url):
    clock = DatabaseClock(FakeClock())
    engine = PostgresEngine(url, FakeClock(), SystemIds(), database_clock=clock)
    await engine.open()
    clock.answer_seconds = -1.0
    await asyncio.to_thread(engine._session.open)
    assert clock.answer_seconds == 0.0
    await engine.close()


@pytest.mark.parametrize("processes", [1, 2, 4])
async def test_who_asks_at_the_same_time_shares_a_commit_however_slow_the_answers(
    url, clock, monkeypatch, processes
):
    """On a busy machine every answer is late, and smaller groups would only add to the load."""
    waited, commits = Counter[int](), Counter[int]()
    real, commit = PostgresTransaction._catch_up, PostgresTransaction.commit

    def wait(self, **how):
        waited[threading.get_ident()] += 1
        real(self, **how)

    def commit_noted(self):
        commits[threading.get_ident()] += 1
        commit(self)

    engines = [PostgresEngine(url, clock, SystemIds(), patience=postgres.PATIENT) for _ in range(processes)]
    for engine in engines:
        await engine.open()
    began = time.monotonic()
    monkeypatch.setattr(PostgresTransaction, "_catch_up", wait)
    monkeypatch.setattr(PostgresTransaction, "commit", commit_noted)
    monkeypatch.setattr(database_thread, "monotonic", lambda: began + 0.003 * waited[threading.get_ident()])
    lanes = set()
    try:
        asked = []
        for number in range(20 * processes):
            engine, person = engines[number % processes], f"person {number}"
            lanes.add(id(engine._queue_of(Priority.URGENT, [person])))
            asked.append(engine.write(lambda tx: tx.one("audit_head"), Priority.URGENT, [person]))
        await asyncio.gather(*asked)
    finally:
        for engine in engines:
            await engine.close()
    assert commits.total() == len(lanes)


async def test_a_group_takes_no_more_locks_than_fitted_last_time(url, clock, monkeypatch):
    """Other work for these people doesn't have to wait for work that won't be done now."""
    locked, decided = list[int](), list[str]()
    real = PostgresTransaction.begin

    def begin(self, *, subjects=(), **how):
        locked.append(len(subjects))
        real(self, subjects=subjects, **how)

    engine = PostgresEngine(url, clock, SystemIds(), patience=postgres.PATIENT)
    await engine.open()
    monkeypatch.setattr(PostgresTransaction, "begin", begin)
    # Each transaction has time for two pieces of work.
    monkeypatch.setattr(database_thread, "monotonic", lambda: len(decided) // 2 * 1.0)
    people = [f"person {number}" for number in range(60)]
    lane = engine._queue_of(Priority.URGENT, people[:1])
    people = [one for one in people if engine._queue_of(Priority.URGENT, [one]) is lane]
    try:
        await asyncio.gather(
            *(engine.write(lambda tx, one=one: decided.append(one), Priority.URGENT, [one]) for one in people)
        )
    finally:
        await engine.close()
    assert decided == people
    first, *later = locked
    assert first == len(people)
    assert max(later) <= 4
