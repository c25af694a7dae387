"""How long a piece of a long list holds the store: everything else waits for that long at most."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Coroutine, Generator, Sequence
from pathlib import Path
from types import coroutine
from typing import Any, Final

from benchmarks.crowd import TEAM, Crowd, Deployment, settle
from benchmarks.figures import Figure
from benchmarks.homes import KEY, context
from benchmarks.machine import BenchmarkError
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from bot.domain.accounts import Account
from bot.domain.people import Principal
from bot.domain.surfaces import Surface
from bot.domain.workspaces import State
from bot.features.home.messages import render_home
from bot.features.home.model import Home
from bot.features.home.use_cases import HomeGatherer
from bot.store import discovered
from bot.store.discovered import DiscoveredWorkspace
from bot.store.sqlite import SqliteEngine
from bot.store.store import Store
from bot.store.transaction import Priority, Transaction, Work
from bot.support.clock import SystemClock, SystemIds
from bot.support.http import Http
from handlers.dispatch import run_text
from handlers.limits import RateLimiter
from handlers.services import Services, build_services
from tests.rigs.store import put_account

_PRINCIPAL: Final = Principal(None, "T0BENCH", "ULONG")
_CONNECTION: Final = "saturn"
#: What is shown has at least so many blocks.
_ROWS: Final = 5


class TimedEngine(SqliteEngine):
    """Note how much of the database's own thread each work takes, whatever else the machine does meanwhile.

    Its commit comes on top: it is the disk's.
    """

    longest = 0.0

    async def read(self, work: Work[Any], priority: Priority = Priority.URGENT) -> Any:
        """Run work that reads, and time it."""
        return await super().read(self._timed(work), priority)

    async def write(self, work: Work[Any], lane: Priority = Priority.STEADY, rows: int = 1) -> Any:
        """Run work that writes, and time it."""
        return await super().write(self._timed(work), lane, rows)

    def _timed(self, work: Work[Any]) -> Work[Any]:
        def timed(tx: Transaction) -> Any:
            began = time.thread_time()
            try:
                return work(tx)
            finally:
                self.longest = max(self.longest, time.thread_time() - began)

        return timed


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
                await store.perform(
                    discovered.merge_discovered, account, _build_found(sizes.listed, state)[::step]
                )
                took = time.perf_counter() - began
                note(f"{sizes.listed // step} in {took:.1f} s, {engine.longest * 1e3:.1f} ms at most so far")
        finally:
            await store.close()
    return [Figure("list_piece_longest", engine.longest * 1e3)]


async def measure_shown(sizes: Sizes) -> list[Figure]:
    """Measure the longest piece of a long list and a long Home, on the loop or on the store's thread."""
    crowd = Crowd(1, sizes.shown)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "usher.db")
        place = Deployment(f"sqlite:///{path}", KEY, "https://cloud.example.org")
        await settle(crowd, place, State.STOPPED)
        engine = TimedEngine(path, SystemClock(), SystemIds())
        await engine.open()
        store = Store(engine)
        async with Http.new_session() as session:
            found = context(store, place, Http(session, time.monotonic))
            services = build_services(found, RateLimiter(time.monotonic))
            principal = Principal(None, TEAM, crowd.user(0))
            homes, page = HomeGatherer(found, services.gatherer), sizes.shown // 20
            try:
                # What is imported and prepared once is no piece of a list.
                await _read_list(services, principal, "list")
                gc.collect()
                gc.freeze()
                lists = [
                    await _longest(engine, _read_list(services, principal, text))
                    for text in ("list", "list all", f"list {page}", "list stopped")
                ]
                shown = await _longest(engine, _home(homes, Home(principal, time.time(), page=page)))
            finally:
                gc.unfreeze()
                await store.close()
    said = ", ".join(f"{one * 1e3:.0f}" for one in lists)
    note(f"lists {said} ms, Home {shown * 1e3:.0f} ms, at most in one piece")
    return [Figure("list_longest", max(lists) * 1e3), Figure("home_longest", shown * 1e3)]


async def _read_list(services: Services, principal: Principal, text: str) -> None:
    surface = Surface(kind="command", channel_id="C1", interaction=text)
    answer = await run_text(services, principal, surface, text)
    if len(answer.blocks) < _ROWS:
        raise BenchmarkError(f"{text} was answered with {answer.text}")


async def _home(homes: HomeGatherer, one: Home) -> None:
    if len(render_home(await homes.own(one))["blocks"]) < _ROWS:
        raise BenchmarkError("Home has no workspaces")


async def _longest(engine: TimedEngine, work: Coroutine[Any, Any, None]) -> float:
    """Return the CPU of the longest piece of some work, in seconds."""
    engine.longest = longest = 0.0

    @coroutine
    def stepped() -> Generator[Any, None, None]:
        nonlocal longest
        while True:
            began = time.thread_time()
            try:
                waits = work.send(None)
            except StopIteration:
                return
            finally:
                longest = max(longest, time.thread_time() - began)
            yield waits

    await stepped()
    return max(longest, engine.longest)


async def _account(store: Store) -> str:
    now = await store.now()
    account = Account("account_long", _PRINCIPAL, _CONNECTION, "long", "sealed", "active", now)
    await put_account(store, account)
    return account.id


def _build_found(count: int, state: State) -> Sequence[DiscoveredWorkspace]:
    ids = (f"{number:032x}" for number in range(count))
    return [
        DiscoveredWorkspace(one, f"https://cloud.example#{one}", f"workspace {one[-6:]}", state)
        for one in ids
    ]
