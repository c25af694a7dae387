"""The engines that the contract is tested with.

Tests in ``test_sqlite_*`` are about SQLite alone. Every test runs on SQLite, and on PostgreSQL too if it is
marked ``both_engines``; all others run on PostgreSQL in the thorough run only. The marked tests together run
every statement there (``test_postgres_statements.py``).
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import pytest

from bot.domain.accounts import Account
from bot.domain.workspaces import Workspace
from bot.store.store import Store
from bot.support.clock import Clock, Ids, SystemIds
from tests.rigs import postgres
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.engine import migrated
from tests.rigs.store import ALICE, link_account, linked, serve_new

ENGINES = ["sqlite", "postgresql"]
#: A single worker runs all cases on PostgreSQL, so that in the end it knows which statements have run.
TOGETHER = pytest.mark.xdist_group("postgresql")
#: Cases marked ``both_engines`` that this process has run on PostgreSQL.
MARKED_CASES_RUN: set[str] = set()
#: For tests of the machine's clock: on PostgreSQL, Usher uses the database's clock as it is.
machines_clock = pytest.mark.parametrize("engine_name", ENGINES[:1])


def on_one_engine(name: str, cases: Iterable[str], also: str) -> pytest.MarkDecorator:
    """Try every case on SQLite, and one on PostgreSQL too, since the cases don't depend on the engine."""
    both = [("sqlite", one) for one in cases] + [("postgresql", also)]
    return pytest.mark.parametrize(("engine_name", name), both)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if any("engine_name" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")):
        return
    if "engine_name" in metafunc.fixturenames:
        is_about_sqlite = metafunc.module.__name__.rpartition(".")[2].startswith("test_sqlite_")
        is_on_both = metafunc.definition.get_closest_marker("both_engines") is not None
        marks = TOGETHER if is_on_both else pytest.mark.thorough
        also = [] if is_about_sqlite else [pytest.param("postgresql", marks=marks)]
        metafunc.parametrize("engine_name", ["sqlite", *also])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the test that checks which statements have run behind the tests that run them."""
    items.sort(key=lambda item: item.get_closest_marker("after_both_engines") is not None)


@pytest.fixture(autouse=True)
def _note_marked_case(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if is_marked_case(request.node):
        MARKED_CASES_RUN.add(request.node.nodeid)


def is_marked_case(item: pytest.Item) -> bool:
    """Return whether a test case runs on PostgreSQL in every ``make test``."""
    spec = getattr(item, "callspec", None)
    is_on_postgres = spec is not None and spec.params.get("engine_name") == "postgresql"
    return is_on_postgres and item.get_closest_marker("both_engines") is not None


class Database:
    """A database on which any number of stores can be opened, one for each simulated process."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self._clock = clock
        self._stores: list[Store] = []

    async def open(
        self, *, clock: Clock | None = None, ids: Ids | None = None, serves: bool = False
    ) -> Store:
        """Open a store and bring its schema up to date.

        With ``serves``, the store also begins serving, which only one store at a time may do.
        """
        store = await postgres.open_store(self.url, clock or self._clock, ids or SystemIds())
        self._stores.append(store)
        await (store.begin_serving() if serves else store.migrate())
        return store

    async def close(self) -> None:
        for store in self._stores:
            await store.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def contents() -> bytes:
    """The bytes of a new, migrated SQLite database."""
    return migrated()


@pytest.fixture
async def database(
    engine_name: str, tmp_path: Path, clock: FakeClock, contents: bytes
) -> AsyncIterator[Database]:
    if engine_name == "sqlite":
        path = tmp_path / "usher.db"
        path.touch(mode=0o600)
        path.write_bytes(contents)
        url = f"sqlite:///{path}"
    else:
        url = await postgres.migrated()
    database = Database(url, clock)
    yield database
    await database.close()


@pytest.fixture
async def store(database: Database) -> Store:
    store = await database.open(ids=CountingIds())
    await serve_new(store)
    return store


@pytest.fixture
async def workspace(store: Store) -> Workspace:
    return (await linked(store)).workspaces[0]


@pytest.fixture
async def account(store: Store) -> Account:
    return await link_account(store, ALICE, "posit")
