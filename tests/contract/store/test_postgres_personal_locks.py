"""Processes that decide about the same person take turns, even without the unique indexes."""

import asyncio
import multiprocessing
import time
from dataclasses import replace

from bot.domain.courses import ClassCard
from bot.domain.forms import FreeName, Spec
from bot.domain.operations import OperationVerb
from bot.domain.people import Principal
from bot.domain.steps import Update
from bot.domain.waitlist import WaitlistEntry
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.services import courses
from bot.services.operation_requests import begin_operation, create_workspace
from bot.store import audit, discovered, operations, postgres_transaction, waitlist
from bot.store.postgres_transaction import PostgresTransaction, _number
from bot.store.tables import CLASS_CARDS, OPERATIONS
from bot.support.clock import SystemIds
from handlers.loading import load
from tests.rigs import postgres
from tests.rigs.clock import FakeClock
from tests.rigs.postgres import open_store
from tests.rigs.store import ALICE, accept_operation, linked, listed_workspace, within
from tests.rigs.use_cases import ask

#: The processes are forked from one that has already imported the modules.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__])

PROCESSES, ROUNDS, SEATS = 3, 4, 2
#: Seconds that a process waits for each answer, as if the database were far away, so that other processes
#: come in between.
PAUSE_SECONDS = 0.004
PEOPLE = [Principal(None, "T1", f"UP{number}") for number in range(PROCESSES)]
_WITHOUT_LOCKS = b"SELECT 1 WHERE $1::text[] IS NULL"
_INDICES = """
SELECT 'DROP INDEX ' || indexrelid::regclass AS drops FROM pg_index
WHERE indisunique AND NOT indisprimary AND indrelid IN (
    SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace
) AND indexrelid NOT IN (SELECT conindid FROM pg_constraint)
"""


def answer_late():
    """Delay every answer of the database."""
    catch_up = PostgresTransaction._catch_up

    def late(self, **how):
        catch_up(self, **how)
        time.sleep(PAUSE_SECONDS)

    PostgresTransaction._catch_up = late


def write_together(barrier):
    """Disable the personal locks, and hold back writes until every process has read."""
    postgres_transaction._LOCK_SUBJECTS = _WITHOUT_LOCKS
    begin, execute = PostgresTransaction.begin, PostgresTransaction._execute

    def begin_again(self, **how):
        self.has_met = False
        begin(self, **how)

    def late(self, query, params):
        if not self.has_met and _number(query, params)[0].startswith("INSERT"):
            self.has_met = True
            self._catch_up()
            barrier.wait(60)
        return execute(self, query, params)

    PostgresTransaction.begin, PostgresTransaction._execute = begin_again, late


def asks(store, interaction, principal=ALICE):
    """Return a caller in one of several processes, with ids that no other process uses."""
    return ask(store, interaction, principal, ids=SystemIds())


async def decide_all(store, clock, ids, number, turn):
    """Make every kind of decision that the other processes make at the same time."""
    both = [OperationVerb.START, OperationVerb.STOP]
    started, changed, again, ended, fresh, waiting, account_id = ids
    person = PEOPLE[number]
    entry = WaitlistEntry(
        f"wait {turn} {number}", person, "saturn", waiting[number], "gpu", 0, clock.now(), clock.now() + 60.0
    )
    ending = Update(ended, 0.0, outcome=Outcome.FULFILLED)
    row = await store.read(OPERATIONS.row, id=ended)
    made = await store.read(OPERATIONS.row, id=fresh[number])
    name = Update(made["id"], 60.0, name=FreeName("box"))
    listed = [listed_workspace(f"listed-{turn}", f"gate {turn}", f"listed{turn}", State.STOPPED)]
    results = await asyncio.gather(
        asks(store, f"start {turn} {number}").run(begin_operation, started, both[0]),
        asks(store, f"change {turn} {number}").run(begin_operation, changed, both[number % 2]),
        asks(store, f"again {turn}").run(begin_operation, again, both[0]),
        asks(store, f"press {turn} {number}", person).run(
            courses.enroll, f"class {turn}", is_list_fresh=True
        ),
        store.write(operations.save_step, ending, row),
        store.write(operations.save_step, name, made),
        store.carry_out(lambda tx: waitlist.join(tx, entry)),
        store.perform(discovered.merge_discovered, account_id, listed, is_whole=False),
        return_exceptions=True,
    )
    return [repr(one) for one in results if isinstance(one, Exception)], results[4] is not None


async def decide_start(store, clock, ids, number, turn):
    """Accept one start that each process is asked for."""
    await asks(store, f"start {turn} {number}").run(begin_operation, ids[0], OperationVerb.START)
    return [], False


def decider(url, now, rounds, number, barrier, side):
    """Run one of several processes that decide at the same time, in rounds, and report what went wrong."""
    load()
    if barrier is None:
        decide_round = decide_all
        answer_late()
    else:
        decide_round = decide_start
        write_together(barrier)

    async def decide():
        clock = FakeClock(now)
        store = await open_store(url, clock, SystemIds())
        told = []
        for turn, ids in enumerate(rounds):
            side.send("ready")
            side.recv()
            told.append(await decide_round(store, clock, ids, number, turn))
        await store.close()
        side.send(told)

    asyncio.run(decide())


async def prepare(store, clock):
    """Create everything that the processes decide about, and return the ids for each round."""
    names = [f"{what}{turn}" for turn in range(ROUNDS) for what in ("started", "changed", "again", "ended")]
    owner = await linked(store, names=names)
    mine = owner.workspaces
    waits = [f"wait{turn}" for turn in range(ROUNDS)]
    theirs = [(await linked(store, person, ["seat", *waits])).workspaces for person in PEOPLE]
    rounds = []
    for turn in range(ROUNDS):
        card = ClassCard(ALICE, "C1", "saturn", "Statistics", pattern="seat", maximum=SEATS)
        card = replace(card, id=f"class {turn}", created_at=clock.now())
        await within(store, CLASS_CARDS.add, card, next_check_at=clock.now() + 600.0)
        started, changed, again, ended = mine[4 * turn : 4 * turn + 4]
        fresh = [
            await asks(store, f"fresh {turn} {number}").run(
                create_workspace, "saturn", Spec("", stem=f"box{turn}")
            )
            for number in range(PROCESSES)
        ]
        rounds.append(
            (
                started.id,
                changed.id,
                again.id,
                (await accept_operation(store, ended)).operation.id,
                [one.operation.id for one in fresh],
                [workspaces[turn + 1].id for workspaces in theirs],
                owner.account.id,
            )
        )
    return rounds


#: Queries for faults that must not be found, by description.
FAULTS = {
    "a workspace with several open operations": """
        SELECT workspace_id FROM operations WHERE outcome IS NULL
        GROUP BY workspace_id HAVING COUNT(*) > 1""",
    "a start that was accepted twice": """
        SELECT workspace_id FROM operations o JOIN workspaces w ON w.id = o.workspace_id
        WHERE w.name LIKE 'started%' OR w.name LIKE 'again%' GROUP BY workspace_id HAVING COUNT(*) > 1""",
    "more presses than places": f"""
        SELECT card_id FROM participants GROUP BY card_id HAVING COUNT(*) > {SEATS}""",
    "one place of two in the line": "SELECT seq FROM waitlist_entries GROUP BY seq HAVING COUNT(*) > 1",
    "one name of two workspaces": """
        SELECT name FROM workspaces WHERE name LIKE 'box%' GROUP BY principal, name HAVING COUNT(*) > 1""",
    "one listed workspace in two rows": """
        SELECT remote_id FROM workspaces GROUP BY principal, connection, remote_id HAVING COUNT(*) > 1""",
    "an end that was told twice": """
        SELECT subject FROM notices GROUP BY subject, kind, occasion HAVING COUNT(*) > 1""",
}


async def find_faults(clock, *, has_locks):
    """Let several processes decide at once. Return the faults found, and the errors that people got."""
    url = postgres.new_database("usher_races")
    store = await open_store(url, clock, SystemIds())
    await store.migrate()
    rounds = await prepare(store, clock)
    with postgres.connected(url) as connection:
        for (drops,) in connection.execute(_INDICES).fetchall():
            connection.execute(drops.encode())
    barrier = None if has_locks else processes.Barrier(PROCESSES)
    sides = []
    for number in range(PROCESSES):
        side, other = processes.Pipe()
        given = (url, clock.now(), rounds, number, barrier, other)
        processes.Process(target=decider, args=given, daemon=True).start()
        sides.append(side)
    for _ in rounds:
        assert [side.recv() for side in sides if side.poll(60)] == ["ready"] * PROCESSES
        for side in sides:
            side.send("go")
    told = [side.recv() for side in sides if side.poll(60)]
    ends = [sum(is_ended for _, is_ended in turn) for turn in zip(*told, strict=True)]
    with postgres.connected(url) as connection:
        faults = {name for name, query in FAULTS.items() if connection.execute(query.encode()).fetchall()}
    assert await store.perform(audit.verify_audit) is None
    await store.close()
    return faults, ends, [error for one in told for errors, _ in one for error in errors]


async def test_three_processes_decide_about_one_person_one_after_the_other(clock):
    assert await find_faults(clock, has_locks=True) == (set(), [1] * ROUNDS, [])


async def test_without_personal_locks_the_faults_are_found(clock):
    faults, _, errors = await find_faults(clock, has_locks=False)
    assert faults >= {"a workspace with several open operations", "a start that was accepted twice"}
    assert errors == []
