"""What runs by itself among a hundred, ten thousand and a hundred thousand people.

Each periodic work may hold the store's thread for a short piece at a time: whatever people ask for waits for
the piece under way. On PostgreSQL a piece is as long as its connection is taken.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks import postgres
from benchmarks.crowd import CONNECTION, TEAM, Crowd, Deployment
from benchmarks.figures import GOALS, Figure
from benchmarks.homes import KEY, context
from benchmarks.machine import BenchmarkError
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from bot.commands.serving import collect_less
from bot.domain.accounts import Account, Link
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.tasks import Task, TaskKind
from bot.domain.transcript import Board
from bot.domain.undoable_actions import UndoableAction
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.features.courses.model import CourseRule
from bot.features.feature import load
from bot.features.home.model import Home, HomeUse
from bot.features.home.use_cases import HomeGatherer
from bot.features.waitlist.model import WaitlistEntry, WaitlistState
from bot.reconciler import Numbers, Reconciler
from bot.services.message_context import Gatherer
from bot.slack.people import PEOPLE_PER_PAGE
from bot.store import cards, counts, discovered, links, notices, open_store, operations, sweeping
from bot.store.database_thread import QueuedEngine
from bot.store.discovered import DiscoveredWorkspace
from bot.store.notices import add_notices
from bot.store.postgres import PostgresEngine, copy_store
from bot.store.sqlite import SqliteEngine
from bot.store.store import Store
from bot.store.tables import TABLES, WORKSPACES
from bot.store.transaction import Priority, Transaction, Work
from bot.support.clock import Clock, Ids, SystemClock, SystemIds
from bot.support.http import Http
from bot.support.vault import Vault, row_key
from bot.web.health import Metrics
from tests.rigs.homes import use_home
from tests.rigs.store import put_account

_BASE_URL: Final = "https://cloud.example.org"
#: What differs between the rows of two people: the number in each name and id.
_NUMBER: Final = "00000"
#: What is done once: the second time there is nothing left.
_CHANGING: Final = ("links", "sweep")
#: Coprime to the numbers of people: each is written once.
_STRIDE: Final = 7_919
#: The tables with rows of each person; those that others refer to come first.
_PERSONAL: Final = (
    *(
        "people",
        "accounts",
        "gates",
        "workspaces",
        "operations",
        "notices",
        "cards",
        "undoable_actions",
        "links",
        "waitlist_entries",
    ),
    *("rules", "homes"),
)
#: What differs: times, and what only some people have. Of fifty, one has a link that still holds something,
#: and one has messages that are old enough to go; of ten, one waited for room within a week. Nothing is due.
_MOVED: Final = (
    "UPDATE accounts SET discovered_at = :now - rowid * 7919 % 100000",
    "UPDATE workspaces SET used_at = :now - rowid * 104729 % 900000, idle_check_at = :now + 1e6",
    "UPDATE links SET code_hash = NULL, deferred_command = NULL WHERE rowid % 50 > 0",
    "UPDATE notices SET sent_at = :now - CASE WHEN rowid % 50 THEN 1e5 ELSE 4e6 END",
    "DELETE FROM waitlist_entries WHERE rowid % 10 > 0",
    "UPDATE waitlist_entries SET granted_at = :now - rowid * 7919 % 604800",
    "UPDATE waitlist_entries SET ended_at = granted_at",
    "UPDATE gates SET due_at = :now + 1e6",
)


class Timed(QueuedEngine):
    """Note how long each piece of work holds the store, and how many there are; the commit is the disk's."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.pieces: list[float] = []
        #: The clock of the thread alone, where that does all of it.
        self.measure: Callable[[], float] = time.thread_time

    async def read(self, work: Work[Any], priority: Priority = Priority.URGENT) -> Any:
        """Run work that reads, and time it."""
        return await super().read(self._timed(work), priority)

    async def write(self, work: Work[Any], priority: Priority = Priority.STEADY, rows: int = 1) -> Any:
        """Run work that writes, and time it."""
        return await super().write(self._timed(work), priority, rows)

    def _timed(self, work: Work[Any]) -> Work[Any]:
        def timed(tx: Transaction) -> Any:
            began = self.measure()
            try:
                return work(tx)
            finally:
                self.pieces.append(self.measure() - began)

        return timed


class _TimedSqlite(Timed, SqliteEngine):
    """A file whose work is timed."""


class _TimedPostgres(Timed, PostgresEngine):
    """A server whose work is timed, with what it waits for."""

    def __init__(self, url: str, clock: Clock, ids: Ids) -> None:
        super().__init__(url, clock, ids)
        self.measure = time.perf_counter


@dataclass(slots=True)
class Growth:
    """The longest piece and the whole time of a periodic work, in ms, and its pieces, by number of people."""

    longest: dict[int, float] = field(default_factory=dict)
    whole: dict[int, float] = field(default_factory=dict)
    pieces: dict[int, int] = field(default_factory=dict)

    def add(self, people: int, pieces: Sequence[float]) -> None:
        """Add what was timed among so many people; raise BenchmarkError if that was nothing."""
        if not pieces:
            raise BenchmarkError(f"nothing was done among {people:,} people")
        self.longest[people] = max(pieces) * 1e3
        self.whole[people] = sum(pieces) * 1e3
        self.pieces[people] = len(pieces)

    def figure(self, name: str) -> Figure:
        """Return the longest piece among the most people, against that among the fewest."""
        fewest, most = min(self.longest), max(self.longest)
        of = "; ".join(
            f"{people:,} people: {self.pieces[people]:,} pieces, {self.whole[people]:.1f} ms, "
            f"{self.longest[people]:.2f} at most"
            for people in self.longest
        )
        return Figure(name, self.longest[most], self.longest[fewest], note=of)


class _Unchanged:
    """Slack's answer that everybody is still there, in pages."""

    def __init__(self, store: Store, people: int) -> None:
        self._store = store
        self._people = people

    async def sync(self) -> list[Person]:
        """Save everybody as seen now, a page at a time; return them."""
        now, read = await self._store.now(), list[Person]()
        for first in range(0, self._people, PEOPLE_PER_PAGE):
            numbers = range(first, min(first + PEOPLE_PER_PAGE, self._people))
            users = [Crowd.user(number) for number in numbers]
            page = [Person(Principal(None, TEAM, user), user.lower(), seen_at=now) for user in users]
            await self._store.save_people(page)
            read += page
        return read


async def measure_growth(sizes: Sizes) -> list[Figure]:
    """Do each periodic work once among few, many and very many people, on SQLite and on PostgreSQL."""
    found: dict[str, Growth] = {}
    # As where Usher serves: else a collection counts for the piece in which it comes.
    collect_less()
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first.db"
        place = Deployment(f"sqlite:///{first}", KEY, _BASE_URL)
        await _settle_one(place)
        with postgres.database(Path(folder)) as server:
            for people in sizes.growing:
                file = Path(folder) / f"{people}.db"
                began = time.perf_counter()
                shutil.copy(first, file)
                fill(file, people)
                filled = time.perf_counter()
                url = server.add_database(f"growth_{people}")
                await copy_store(file, url)
                server.analyze(url)
                note(
                    f"{people:,} people: written in {filled - began:.1f} s, and copied in "
                    f"{time.perf_counter() - filled:.1f} s"
                )
                for suffix, engine in (
                    ("", _TimedSqlite(str(file), SystemClock(), SystemIds())),
                    ("_shared", _TimedPostgres(url, SystemClock(), SystemIds())),
                ):
                    note(f"{people:,} people, {type(engine).__name__.removeprefix('_Timed')}")
                    await _measure(engine, place, people, found, suffix)
                file.unlink()
    return [growth.figure(name) for name, growth in found.items()]


async def _measure(
    engine: _TimedSqlite | _TimedPostgres,
    place: Deployment,
    people: int,
    found: dict[str, Growth],
    suffix: str,
) -> None:
    async with AsyncExitStack() as stack:
        await engine.open()
        store = Store(engine)
        stack.push_async_callback(store.close)
        await store.migrate()
        session = await stack.enter_async_context(Http.new_session())
        works = _works(store, place, Http(session, time.monotonic), people)
        for name, work in works.items():
            # Of thousands of small pieces, which take a minute there.
            if f"growth_{name}{suffix}" not in GOALS:
                continue
            if name not in _CHANGING:
                # What a statement costs at first says nothing of how many people there are.
                await work()
            engine.pieces.clear()
            await work()
            found.setdefault(f"growth_{name}{suffix}", Growth()).add(people, engine.pieces)


def _works(
    store: Store, place: Deployment, http: Http, people: int
) -> Mapping[str, Callable[[], Awaitable[Any]]]:
    """Return what a process does by itself again and again, by name."""
    whole = context(store, place, http)
    clock = whole.clock
    object.__setattr__(whole, "people", _Unchanged(store, people))

    async def replay(*_given: Any) -> None:
        raise AssertionError("nobody waits for a list here")

    reconciler = Reconciler(whole, Numbers(), Board(clock.monotonic), replay, Metrics(), features=load())
    sync = reconciler.tasks.handlers[TaskKind.SYNC_PEOPLE].do
    home = Home(Principal(None, TEAM, Crowd.user(0)), clock.now(), is_totals=True)

    async def claim() -> None:
        """Claim whatever is due, which is nothing."""
        for step in (reconciler.operations, reconciler.reads, reconciler.runs, reconciler.scheduled_work):
            await step.step()
        await store.perform(notices.claim_notices, 50, 60.0)
        await store.claim(cards.claim_cards, 20, 60.0)

    return {
        "claims": claim,
        "lists": reconciler.lists.refresh,
        "people": partial(
            sync, Task("task", TaskKind.SYNC_PEOPLE, "everybody", {}, created_at=0.0, due_at=0.0)
        ),
        "metrics": partial(store.perform, counts.measure_figures),
        "links": partial(store.perform, links.clear_ended_links),
        "totals": partial(HomeGatherer(whole, Gatherer(whole)).totals, home),
        "sweep": partial(store.perform, sweeping.sweep),
    }


class _NumberedIds:
    """Ids that a person's number is part of, so that the rows of others can be made of one person's."""

    def __init__(self) -> None:
        self._count = 0

    def new(self, kind: str) -> str:
        """Return a new id."""
        self._count += 1
        return f"{kind}_{self._count}_{_NUMBER}"

    def reference(self) -> str:
        """Return a reference."""
        return "R"


async def _settle_one(place: Deployment) -> None:
    """Write one person, with something in each table that grows with people."""
    store = await open_store(place.database_url, SystemClock(), _NumberedIds())
    principal, now = Principal(None, TEAM, Crowd.user(0)), await store.now()
    secret = Vault([KEY]).seal(row_key(principal.key, CONNECTION), {"token": Crowd.token(0)})
    account = Account(f"account_{_NUMBER}", principal, CONNECTION, Crowd.username(0), secret, "active", now)
    found = DiscoveredWorkspace(
        f"remote-{_NUMBER}", f"{_BASE_URL}#{_NUMBER}", Crowd.workspace(0), State.RUNNING
    )
    try:
        await store.migrate()
        await store.save_people([Person(principal, Crowd.username(0), seen_at=now)])
        await put_account(store, account)
        await store.perform(discovered.merge_discovered, account.id, [found])
        await use_home(store, principal, HomeUse())
        await store.carry_out(partial(_add_rows, principal=principal))
    finally:
        await store.close()


def _add_rows(tx: Transaction, principal: Principal) -> None:
    """Add what a person has done: starts with their messages, a link, a wait, hours."""
    now, (row,) = tx.now(), WORKSPACES.rows(tx, principal=principal)
    workspace, whose = WORKSPACES.parse(row), dict[str, Any](principal=principal, connection=CONNECTION)
    for number in range(2):
        started = operations.accept(tx, workspace, OperationVerb.START, 60.0, "R").operation
        add_notices(
            tx, [NewNotice(started.id, NoticeKind.READY, "end", principal, {"operation": started.id})]
        )
        operations.end(tx, started.id, Outcome.FULFILLED, None)
        act = UndoableAction(
            id=f"act_{number}_{_NUMBER}", kind="workspace.start", done_at=now, subject=row["id"], **whose
        )
        TABLES["undoable_actions"].add(tx, act)
    tx.run("UPDATE notices SET state = 'sent', channel_id = 'D', message_ts = id")
    tx.run("UPDATE cards SET is_dirty = 0, changed_at = NULL, channel_id = 'D', message_ts = id")
    link = Link(
        f"link_{_NUMBER}",
        deferred_command={"verb": "start"},
        created_at=now - 600.0,
        expires_at=now - 1.0,
        code_hash="hash",
        **whose,
    )
    TABLES["links"].add(tx, link)
    wait = WaitlistEntry(
        f"wait_{_NUMBER}",
        workspace_id=row["id"],
        kind="gpu",
        seq=1,
        joined_at=now,
        expires_at=now,
        state=WaitlistState.OVER,
        **whose,
    )
    TABLES["waitlist_entries"].add(tx, wait, next_at=now)
    rule = CourseRule(
        id=f"rule_{_NUMBER}",
        workspace_id=row["id"],
        zone="UTC",
        seen_zone="UTC",
        processed_until=now,
        **whose,
    )
    TABLES["rules"].add(tx, rule, next_check_at=now + 1e6)


def fill(file: Path, people: int) -> None:
    """Write the rows of the first person for so many in all."""
    with closing(sqlite3.connect(file)) as database:
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA synchronous = OFF")
        for table in _PERSONAL:
            for row in database.execute(f"SELECT * FROM {table}").fetchall():  # noqa: S608 - the names above
                _multiply(database, table, dict(row), people)
        now = time.time()
        for statement in _MOVED:
            database.execute(statement, {"now": now})
        database.commit()


def _multiply(database: sqlite3.Connection, table: str, row: dict[str, Any], people: int) -> None:
    """Write a row for everybody else; ids don't follow the order in which people came."""
    marks = ", ".join("?" * len(row))
    numbered = [isinstance(value, str) and _NUMBER in value for value in row.values()]
    values = list(row.values())

    def of(person: int) -> list[Any]:
        number = f"{person * _STRIDE % people:05d}"
        return [
            value.replace(_NUMBER, number) if is_numbered else value
            for value, is_numbered in zip(values, numbered, strict=True)
        ]

    database.executemany(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})",  # noqa: S608 - names alone
        (of(person) for person in range(1, people)),
    )
