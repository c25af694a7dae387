"""Helpers for tests of use cases: a caller, the rows of all tables, and a transaction that fails midway."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.domain.installations import Installation
from bot.domain.people import Principal
from bot.services.caller import Caller
from bot.services.context import Context
from bot.store.store import Store
from bot.store.transaction import Transaction
from bot.support.errors import StoreUnavailable
from tests.rigs.clock import FakeClock
from tests.rigs.context import context
from tests.rigs.maker import Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE

URL = "https://usher.example.org"
#: Tables that change if the policy refuses a use case. No others may.
REFUSAL = {"audit", "inbox"}


def ask(store: Store, interaction: str = "", principal: Principal = ALICE, **more: Any) -> Caller:
    """Return a caller with one connection, ``saturn``. ``more`` replaces parts of the context."""
    return Caller(asking(store, **more), principal, interaction, "R")


def asking(store: Store, **more: Any) -> Context:
    """Return the context of a caller. ALICE is an administrator."""
    clock = FakeClock(store.engine.now())
    administrators = frozenset({ALICE.user_id})
    place = Installation("T1", administrators=administrators)
    usual = {"installation": place, "clock": clock, "public_url": URL}
    cloud = Maker(clock, fake_settings("saturn", linking=["token", "admin"]))
    return context(store, {"saturn": cloud}, **{**usual, **more})


async def tables(store: Store) -> dict[str, list[Any]]:
    """Return all rows by table."""

    def read(tx: Any) -> dict[str, list[Any]]:
        sqlite = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        postgresql = "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
        names = [row["name"] for row in tx.all(postgresql if store.engine.is_shared else sqlite)]
        return {name: sorted(map(repr, tx.all(f"SELECT * FROM {name}"))) for name in names}

    return await store.engine.read(read)


def changed(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> set[str]:
    """Return the tables whose rows differ."""
    return {name for name in before if before[name] != after[name]}


class Watched:
    """A transaction that records its statements, and fails before statement number ``fails_at``."""

    def __init__(self, tx: Transaction, fails_at: int | None = None) -> None:
        self._tx = tx
        self._fails_at = fails_at
        #: Each statement, with the number of rows changed before it.
        self.ran: list[tuple[str, int]] = []
        self._began = tx.changes

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)
        if name not in {"all", "one", "run", "count", "run_each"}:
            return found

        def noted(query: str, *given: Any, **params: Any) -> Any:
            if len(self.ran) == self._fails_at:
                raise StoreUnavailable("the disk is full")
            self.ran.append((query, self._tx.changes - self._began))
            return found(query, *given, **params)

        return noted


class WatchedStore:
    """A store that runs its use cases in watched transactions."""

    def __init__(self, store: Store, fails_at: int | None = None) -> None:
        self._store = store
        self._fails_at = fails_at
        self.last: Watched | None = None
        self.transactions = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def carry_out(self, work: Callable[[Any], Any], subjects: Sequence[str] = ()) -> Any:
        def watched(tx: Transaction) -> Any:
            self.transactions += 1
            self.last = Watched(tx, self._fails_at)
            return work(self.last)

        return await self._store.carry_out(watched, subjects)


def on(caller: Caller, store: Any) -> Caller:
    """Return the caller with another store."""
    return replace(caller, context=replace(caller.context, store=store))
