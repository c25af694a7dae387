"""On PostgreSQL, several processes claim and record at the same time; no rule needs a single writer."""

import asyncio
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.courses import ClassCard
from bot.domain.hours import HoursRule
from bot.domain.notices import END, NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.reads import ReadResult
from bot.domain.steps import Update
from bot.domain.stops import PlannedStop
from bot.domain.tasks import TaskKind
from bot.domain.time_parsing import EVERY_DAY
from bot.domain.waitlist import WaitlistEntry
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.services import courses as use_cases
from bot.store import (
    accounts,
    audit,
    cards,
    discovered,
    gates,
    notices,
    operations,
    slack_rate_limits,
    tasks,
    timers,
    waitlist,
)
from bot.store import courses as courses_store
from bot.store import hours as hours_store
from bot.store import workspaces as workspace_rows
from bot.store.slack_rate_limits import CallQuota
from bot.store.statements import read_queries
from bot.store.store import Store
from bot.store.tables import OPERATIONS
from bot.store.tasks import NewTask
from bot.store.transaction import Priority
from bot.support.clock import SystemIds
from tests.contract.store.classes import TRAINER
from tests.rigs import postgres
from tests.rigs.statements import CLAIMS as CLAIM_STATEMENTS
from tests.rigs.store import (
    ALICE,
    BOB,
    INTERVAL,
    MARGIN,
    accept_operation,
    linked,
    listed_workspace,
    observe,
    set_timer,
    want_read,
)
from tests.rigs.use_cases import ask

#: Rows of each kind that are made due.
MANY = 8
ENTRY = AuditEntry(ALICE.key, "test", "t", "sent")


@pytest.fixture
async def url():
    return await postgres.migrated()


@pytest.fixture
async def stores(url, clock):
    """Two stores on one database, as two processes would have."""
    opened = []
    for _ in range(2):
        engine = postgres.engine(url, clock, SystemIds(), patience=postgres.PATIENT)
        await engine.open()
        opened.append(Store(engine))
    yield opened
    for store in opened:
        await store.close()


class Pause:
    """Pause a transaction after a query until it may continue, without stopping others."""

    def __init__(self, query):
        self._query = query
        #: A query with placeholders to fill in is executed as text, not by its name.
        pieces = re.split(r"\{[^}]*\}", (read_queries() | CLAIM_STATEMENTS)[query])
        self._text = re.compile(".*?".join(map(re.escape, pieces)), re.DOTALL)
        self._reached, self._goes_on = threading.Event(), threading.Event()
        #: Greater than 1 if the transaction was rolled back and repeated because it blocked another.
        self.times = 0

    def begin(self, store, priority, work):
        """Start work in a store that pauses after the query."""
        return asyncio.ensure_future(store.engine.write(lambda tx: work(_Paused(tx, self.at)), priority))

    def records(self, store, *results):
        """Start recording the results of reads."""
        return self.begin(store, Priority.RECORDS, partial(gates.record_some, results=results))

    def at(self, query):
        if query == self._query or self._text.fullmatch(query):
            self.times += 1
            self._reached.set()
            assert self._goes_on.wait(15)

    async def reached(self):
        assert await asyncio.get_running_loop().run_in_executor(None, self._reached.wait, 30)

    def end(self):
        self._goes_on.set()


class _Paused:
    def __init__(self, tx, after):
        self._tx, self._after = tx, after

    def __getattr__(self, name):
        return getattr(self._tx, name)

    def one(self, query, **params):
        return self._told(query, self._tx.one(query, **params))

    def run(self, query, **params):
        return self._told(query, self._tx.run(query, **params))

    def count(self, query, **params):
        return self._told(query, self._tx.count(query, **params))

    def all(self, query, **params):
        return self._told(query, self._tx.all(query, **params))

    def _told(self, query, found):
        self._after(query)
        return found


#: Finds a session in this database that is waiting for a lock.
WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def waits_for_a_lock(url, waiting):
    """Wait until the database makes a session wait for a lock.

    Fail if the work expected to wait ends first.
    """
    with postgres.connected(url) as connection:
        while not connection.execute(WAITS).fetchone():
            assert not waiting.done()
            await asyncio.sleep(0)


async def waits_for_no_lock(url, working):
    """Wait until the work is done, and return its result. Fail if a session waits for a lock meanwhile."""
    working = asyncio.ensure_future(working)
    with postgres.connected(url) as connection:
        while not working.done():
            assert not connection.execute(WAITS).fetchone()
            await asyncio.sleep(0)
    return await working


def result(claim, state, **fields):
    return ReadResult(
        claim.gate_key, claim.workspace_ids, Observed(state), 60.0, granted_at=claim.granted_at, **fields
    )


async def fill(store, clock):
    """Make the same number of rows of each kind due."""
    await store.save_people([Person(TRAINER, "Trainer", seen_at=await store.now())])
    trainer = ask(store, principal=TRAINER)
    for number in range(MANY):
        principal = Principal(None, "T1", f"U{number}")
        (workspace,) = (await linked(store, principal, state=State.RUNNING)).workspaces
        await set_timer(store, workspace, PlannedStop(clock.now() + 60.0, "stop"))
        accepted = await accept_operation(store, workspace)
        subject = accepted.operation.id
        await store.write(notices.add_notices, [NewNotice(subject, NoticeKind.CARD, "1", principal)])
        draft = ClassCard(
            ALICE, "C1", "saturn", "Statistics", pattern="notebook", stops_at=clock.now() + 30.0
        )
        await replace(trainer, interaction=f"post-{number}").run(use_cases.post, draft)
        await store.write(tasks.add_tasks, [NewTask(TaskKind.REPLAY, str(number))])
        await store.engine.write(partial(hours_store.save_rule, new=hours_of(workspace, clock.now())))
    for notice in await store.perform(notices.claim_notices, 100, 60.0):
        await store.write(notices.mark_notice_sent, notice, "C1", notice.id)
        if notice.kind is NoticeKind.CARD:
            await store.engine.write(partial(cards.queue_updates, subject=notice.subject, changed=False))
    await store.write(
        notices.add_notices, [NewNotice(str(n), NoticeKind.MESSAGE, "1", ALICE) for n in range(MANY)]
    )
    clock.advance(60.0)


def hours_of(workspace, now):
    """Return working hours that start a workspace in half a minute."""
    begins = datetime.fromtimestamp(now + 30.0, UTC)
    return HoursRule(
        id=f"rule_{workspace.id}",
        principal=workspace.principal,
        connection=workspace.connection,
        workspace_id=workspace.id,
        days=EVERY_DAY,
        starts=begins.hour * 60 + begins.minute,
        stops=None,
        zone="UTC",
        processed_until=now - 60.0,
    )


CLAIMS = {
    "claim_gates": lambda tx, most: gates.claim_reads(tx, "saturn", most, INTERVAL, MARGIN),
    "claim_operations": lambda tx, most: operations.claim_operations(tx, most, 60.0),
    "claim_notices_1": lambda tx, most: notices.claim_notices_once(tx, most, 60.0, {1: 1.0}),
    "claim_progressed_cards": lambda tx, most: cards.claim_cards(tx, most, 60.0),
    "claim_tasks": lambda tx, most: tasks.claim_tasks(tx, most, 60.0),
    "claim_timers": lambda tx, most: timers.claim_timers(tx, most, 60.0),
    "claim_class_cards": lambda tx, most: courses_store.CLASS_CARD_QUEUE.take(tx, 60.0, most),
    "claim_rules": lambda tx, most: hours_store.claim_hours(tx, most, 60.0),
}


async def test_a_claim_takes_what_others_leave_and_waits_for_none_of_them(stores, clock):
    first, second = stores
    await fill(first, clock)
    for query, claim in CLAIMS.items():
        pause = Pause(query)
        some = pause.begin(first, Priority.CLAIMS, partial(lambda claim, tx: claim(tx, 3), claim))
        await pause.reached()
        rest = await second.engine.write(partial(lambda claim, tx: claim(tx, 100), claim), Priority.CLAIMS)
        assert not some.done()
        pause.end()
        assert (len(await some), len(rest), pause.times) == (3, MANY - 3, 1), query
        assert len({key_of(one) for one in [*await some, *rest]}) == MANY, query


def key_of(claimed):
    return getattr(claimed, "gate_key", None) or str(getattr(claimed, "operation", claimed))


async def test_polls_are_claimed_while_others_are_recorded(stores, clock):
    first, second = stores
    await linked(first, ALICE, ("a", "b"), state=State.RUNNING)
    clock.advance(60.0)
    (one,) = await first.claim(gates.claim_reads, "saturn", 1, INTERVAL, MARGIN)
    pause = Pause("observed")
    recorded = pause.records(first, result(one, State.STOPPED))
    await pause.reached()
    (other,) = await second.claim(gates.claim_reads, "saturn", 100, INTERVAL, MARGIN)
    assert other.gate_key != one.gate_key
    await second.perform(gates.record_reads, [result(other, State.STOPPED)])
    assert not recorded.done()
    pause.end()
    await recorded
    assert pause.times == 1
    assert {one.state for one in await second.perform(workspace_rows.read_workspaces, ALICE)} == {
        State.STOPPED
    }


async def test_a_decision_waits_for_those_who_write_side_by_side_and_they_for_it(stores, url, clock):
    first, second = stores
    (workspace,) = (await linked(first, state=State.RUNNING)).workspaces
    clock.advance(60.0)
    (one,) = await first.claim(gates.claim_reads, "saturn", 1, INTERVAL, MARGIN)
    for priority, query, work, other in (
        (
            Priority.RECORDS,
            "observed",
            partial(gates.record_some, results=[result(one, State.STOPPED)]),
            accept_operation(second, workspace, interaction="i1"),
        ),
        (
            Priority.URGENT,
            "audit_head",
            lambda tx: tx.one("audit_head"),
            second.claim(operations.claim_operations, 1, 60.0),
        ),
    ):
        pause = Pause(query)
        running = pause.begin(first, priority, work)
        await pause.reached()
        waiting = asyncio.ensure_future(other)
        await waits_for_a_lock(url, waiting)
        pause.end()
        await running
        assert await waiting


async def test_an_introduction_waits_for_no_step_of_what_the_person_has_just_started(stores, url):
    """The answer to the person's first start waits for the introduction."""
    first, second = stores
    pause = Pause("audit_head")
    step = first.engine.write(
        lambda tx: _Paused(tx, pause.at).one("audit_head"), Priority.STEADY, [ALICE.key]
    )
    running = asyncio.ensure_future(step)
    await pause.reached()
    assert await waits_for_no_lock(url, second.write(accounts.note_introduction, ALICE)) == {}
    assert not running.done()
    pause.end()
    await running


async def test_a_list_is_merged_beside_decisions_about_anybody_but_its_owner(stores, url):
    """After a restart, the lists of all accounts may be due while a class starts its workspaces."""
    first, second = stores
    mine, theirs = (await linked(first)).account, (await linked(first, BOB)).account
    found = [listed_workspace("box", "gate of box", "box", State.STOPPED)]
    pause = Pause("audit_head")
    decision = first.engine.write(
        lambda tx: _Paused(tx, pause.at).one("audit_head"), Priority.URGENT, [ALICE.key]
    )
    running = asyncio.ensure_future(decision)
    await pause.reached()
    theirs_merged = second.perform(discovered.merge_discovered, theirs.id, found)
    assert await waits_for_no_lock(url, theirs_merged) == 1
    waiting = asyncio.ensure_future(second.perform(discovered.merge_discovered, mine.id, found))
    await waits_for_a_lock(url, waiting)
    pause.end()
    await running
    assert await waiting == 1


@pytest.mark.parametrize("somebody_waits", [False, True])
async def test_a_stop_ends_beside_decisions_about_others_unless_somebody_waits_for_capacity(
    stores, url, clock, somebody_waits
):
    """A stop offers its capacity to those who are waiting, which concerns everybody."""
    first, second = stores
    await linked(first)
    stopping, waiting = (await linked(first, BOB, ("box", "lab"), state=State.RUNNING)).workspaces
    operation = (await accept_operation(first, stopping, OperationVerb.STOP)).operation
    await first.write(operations.save_step, Update(operation.id, 60.0, stop_call=Call.ACCEPTED))
    if somebody_waits:
        until = clock.now() + 3600.0
        entry = WaitlistEntry("wait", BOB, "saturn", waiting.id, "gpu", 0, clock.now(), until)
        await first.carry_out(lambda tx: waitlist.join(tx, entry))
    pause = Pause("audit_head")
    decision = first.engine.write(
        lambda tx: _Paused(tx, pause.at).one("audit_head"), Priority.URGENT, [ALICE.key]
    )
    running = asyncio.ensure_future(decision)
    await pause.reached()
    row = await second.read(OPERATIONS.row, id=operation.id)
    ending = asyncio.ensure_future(
        second.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED), row)
    )
    if somebody_waits:
        await waits_for_a_lock(url, ending)
    else:
        assert await waits_for_no_lock(url, ending) is not None
    pause.end()
    await running
    assert await ending is not None


async def test_a_change_recorded_while_its_operation_is_claimed_is_stepped_on(stores, clock):
    first, second = stores
    (workspace,) = (await linked(first, state=State.STARTING)).workspaces
    await accept_operation(first, workspace)
    clock.advance(60.0)
    (read,) = await first.claim(gates.claim_reads, "saturn", 1, INTERVAL, MARGIN)
    pause = Pause("read_rows")
    recorded = pause.records(first, result(read, State.RUNNING))
    await pause.reached()
    # The step doesn't see this change yet, and is about to wait until something changes.
    (claimed,) = await second.claim(operations.claim_operations, 1, 60.0)
    assert claimed.workspace.state is State.STARTING
    pause.end()
    await recorded
    await second.write(
        operations.save_step, Update(claimed.subject.id, 600.0, claim=claimed.claim, waits_for="change")
    )
    (again,) = await second.claim(operations.claim_operations, 1, 60.0)
    assert again.workspace.state is State.RUNNING


async def test_a_ready_message_is_sent_with_the_address_that_is_being_recorded(stores, clock):
    """If it were claimed before the address is committed, it would be rendered without it."""
    first, second = stores
    (workspace,) = (await linked(first, state=State.STARTING)).workspaces
    operation = (await accept_operation(first, workspace)).operation
    await observe(first, clock, workspace, Observed(State.RUNNING, lacks="address"))
    body = {"workspace": workspace.id, "connection": workspace.connection}
    ready = NewNotice(operation.id, NoticeKind.READY, END, ALICE, body)
    await first.write(
        operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED, notices=[ready])
    )
    clock.advance(60.0)
    await want_read(first, workspace.id)
    (read,) = await first.claim(gates.claim_reads, "saturn", 1, INTERVAL, MARGIN)
    pause = Pause("keep_ready")
    with_address = Observed(State.RUNNING, url="https://app.example.test/ide/1")
    recorded = pause.records(first, result(read, State.RUNNING)._replace(observed=with_address))
    await pause.reached()
    assert await second.perform(notices.claim_notices, 10, 30.0) == []
    pause.end()
    await recorded
    assert [one.kind for one in await second.perform(notices.claim_notices, 10, 30.0)] == [NoticeKind.READY]


async def test_what_was_read_earlier_does_not_replace_what_was_read_later(stores, clock):
    first, second = stores
    (workspace,) = (await linked(first, state=State.RUNNING)).workspaces
    clock.advance(60.0)
    (late,) = await first.claim(gates.claim_reads, "saturn", 1, INTERVAL, MARGIN)
    clock.advance(60.0)
    (newer,) = await second.claim(gates.claim_reads, "saturn", 1, INTERVAL, MARGIN)
    pause = Pause("read_rows")
    recorded = pause.records(first, result(late, State.STOPPED))
    await pause.reached()
    await second.perform(gates.record_reads, [result(newer, State.FAILED)])
    pause.end()
    assert not await recorded
    assert (await first.read(workspace_rows.find_workspace, workspace.id)).state is State.FAILED


async def test_what_two_want_in_each_others_way_is_done_once_each(stores, url):
    first = stores[0]
    await linked(first, ALICE, ("a", "b"))
    one, other = await first.perform(workspace_rows.read_workspaces, ALICE)
    pauses = [Pause("next_episode"), Pause("next_episode")]

    def work(ids, tx):
        for workspace_id in ids:
            tx.run("next_episode", id=workspace_id)

    ways = [partial(work, (one.id, other.id)), partial(work, (other.id, one.id))]
    running = [
        pause.begin(store, Priority.RECORDS, way)
        for pause, store, way in zip(pauses, stores, ways, strict=True)
    ]
    for pause in pauses:
        await pause.reached()
    for pause in pauses:
        pause.end()
    await asyncio.gather(*running)
    assert {
        workspace.generation - before.generation
        for workspace, before in zip(
            await first.perform(workspace_rows.read_workspaces, ALICE), (one, other), strict=True
        )
    } == {2}


async def test_everything_at_once_at_two_stores_breaks_no_rule(stores, clock):
    first, second = stores
    names = [f"w{number}" for number in range(MANY)]
    workspaces = (await linked(first, ALICE, names, state=State.RUNNING)).workspaces
    granted = {}

    async def life(store, number):
        for _ in range(4):
            for claim in await store.claim(gates.claim_reads, "saturn", 3, INTERVAL, MARGIN):
                granted.setdefault(claim.gate_key, []).append(claim.granted_at)
                state = State.STOPPED if len(granted[claim.gate_key]) % 2 else State.RUNNING
                await store.perform(gates.record_reads, [result(claim, state)])
            for step in await store.claim(operations.claim_operations, 2, 60.0):
                update = Update(step.subject.id, 0.0, claim=step.claim, audit=[ENTRY], wants_read=True)
                assert await store.write(operations.save_step, update)
            await store.write(audit.append_audit, [ENTRY])
            await store.write(slack_rate_limits.take_slack_call, "T1", "chat.update", most=20)
            await want_read(store, workspaces[number].id)

    for turn in range(4):
        accepted = await asyncio.gather(
            *(
                accept_operation(store, one, interaction=f"{turn}/{one.id}")
                for one in workspaces
                for store in stores
            ),
            *(life(store, number) for number, store in enumerate(stores * 2)),
        )
        repeated = [one.repeated for one in accepted if one is not None]
        assert repeated.count(False) == MANY
        clock.advance(INTERVAL / 2)
    assert len(await first.read(operations.open_operations, ALICE)) == MANY
    times = [sorted(times) for times in granted.values()]
    assert min(later - earlier for some in times for earlier, later in pairwise(some)) >= INTERVAL
    assert await second.perform(audit.verify_audit) is None
    assert await first.read(slack_rate_limits.count_remaining_calls, CallQuota("T1", "chat.update", 50)) == 25
