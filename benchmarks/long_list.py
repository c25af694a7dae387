"""How long a piece of a long list holds the store: everything else waits for that long at most."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from bot.domain.accounts import Account
from bot.domain.people import Principal
from bot.domain.workspaces import State
from bot.store.discovered import FoundWorkspace
from bot.store.sqlite import SqliteEngine
from bot.store.store import Store
from bot.store.transaction import Priority, Transaction, Work
from bot.support.clock import SystemClock, SystemIds
from tests.rigs.store import put_account

_PRINCIPAL: Final = Principal(None, "T0BENCH", "ULONG")
_CONNECTION: Final = "saturn"


class TimedEngine(SqliteEngine):
    """Note how much of the database's own thread each work takes, whatever else the machine does meanwhile.

    Its commit comes on top: it is the disk's.
    """

    longest = 0.0

    async def write(self, work: Work[Any], lane: Priority = Priority.STEADY, rows: int = 1) -> Any:
        """Run work that writes, and time it."""

        def timed(tx: Transaction) -> Any:
            began = time.thread_time()
            try:
                return work(tx)
            finally:
                self.longest = max(self.longest, time.thread_time() - began)

        return await super().write(timed, lane, rows)


async def measure_long_list(sizes: Sizes) -> list[Figure]:
    """Merge a long list three times: all new, all changed, and half of it gone."""
    with tempfile.TemporaryDirectory() as folder:
        engine = TimedEngine(str(Path(folder) / "usher.db"), SystemClock(), SystemIds())
        await engine.open()
        store = Store(engine)
        try:
            await store.migrate()
            account = await _account(store)
            engine.longest = 0.0
            for state, step in ((State.STOPPED, 1), (State.RUNNING, 1), (State.RUNNING, 2)):
                began = time.perf_counter()
                await store.merge_discovered(account, _found(sizes.listed, state)[::step])
                took = time.perf_counter() - began
                note(f"{sizes.listed // step} in {took:.1f} s, {engine.longest * 1e3:.1f} ms at most so far")
        finally:
            await store.close()
    return [Figure("list_piece_longest", engine.longest * 1e3)]


async def _account(store: Store) -> str:
    now = await store.now()
    account = Account("account_long", _PRINCIPAL, _CONNECTION, "long", "sealed", "active", now)
    await put_account(store, account)
    return account.id


def _found(count: int, state: State) -> Sequence[FoundWorkspace]:
    ids = (f"{number:032x}" for number in range(count))
    return [
        FoundWorkspace(one, f"https://cloud.example#{one}", f"workspace {one[-6:]}", state) for one in ids
    ]
