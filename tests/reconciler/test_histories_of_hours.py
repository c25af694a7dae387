"""Any hours, with kills, downtimes and moved clocks: each start and stop happens once or counts as missed."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.hours import HoursRule
from bot.domain.people import Person
from bot.domain.time_parsing import DAY_MINUTES, DAYS, EVERY_DAY, Wanted
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.services import hours as use_cases
from bot.store import hours as rows
from bot.store import operations, timers
from bot.store.store import Store
from bot.store.tables import OPERATIONS, WORKSPACES
from bot.support.errors import StoreUnavailable
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.engine import EngineWithoutThread
from tests.rigs.store import ALICE, linked, within
from tests.rigs.use_cases import WatchedStore, ask, on

HOUR, LEASE = 3600.0, 60.0
MINUTES = st.integers(0, DAY_MINUTES - 1)
RULES = st.builds(
    Wanted,
    st.sets(st.sampled_from(DAYS), min_size=2).map(frozenset),
    MINUTES | st.none(),
    MINUTES | st.none(),
).filter(lambda one: (one.starts, one.stops) != (None, None) and one.starts != one.stops)
#: Time passing with or without checks, a clock being set, a failing statement, and a change made by hand.
EVENTS = st.one_of(
    st.tuples(st.just("pass"), st.floats(60.0, 30 * HOUR)),
    st.tuples(st.just("down"), st.floats(60.0, 80 * HOUR)),
    st.tuples(st.just("set"), st.floats(-30 * HOUR, 30 * HOUR)),
    st.tuples(st.just("fail"), st.integers(0, 30)),
    st.tuples(st.just("by hand"), st.sampled_from([State.RUNNING, State.STOPPED])),
)
#: A day that is repeated. What its first pass began is undone in between.
TWICE = [
    ("pass", 30 * HOUR),
    ("set", -29 * HOUR),
    *(("by hand", state) for state in (State.RUNNING, State.STOPPED)),
    ("pass", 30 * HOUR),
]
#: The Saturday before the clocks go forward in Berlin.
BEGIN = 1_806_192_000.0


class Life:
    """A database in a file, and processes that serve from it one after another."""

    def __init__(self, path: Path) -> None:
        self.clock, self.ids, self.path = FakeClock(BEGIN), CountingIds(), path
        self.fails_at: int | None = None
        self.began = BEGIN

    async def begin(self) -> None:
        self.engine = EngineWithoutThread(str(self.path), self.clock, self.ids)
        await self.engine.open()
        self.store = Store(self.engine)
        await self.store.begin_serving()

    async def again(self) -> None:
        await self.store.close()
        await self.begin()
        # The inbox is kept for a day, which may pass at once when the clock is set.
        await self.store.carry_out(lambda tx: tx.run("DELETE FROM inbox"))
        await self.known("Europe/Berlin")

    async def known(self, zone: str) -> None:
        await self.store.save_people([Person(ALICE, "Alice", time_zone=zone, seen_at=self.clock.now())])

    async def look(self) -> None:
        """Carry out the due work, and end the operations it began."""
        caller = ask(self.store, clock=self.clock, ids=self.ids)
        while claimed := await within(self.store, rows.claim_hours, 10, LEASE):
            for rule in claimed:
                watched, self.fails_at = WatchedStore(self.store, self.fails_at), None
                try:
                    await on(caller, watched).run(use_cases.carry_out, rule)
                except StoreUnavailable:
                    # The work is claimed again once its lease has expired.
                    self.clock.advance(LEASE + 1.0)
        await self.store.carry_out(self._end)

    async def pass_time(self, seconds: float) -> None:
        """Check whenever something is due, as often as the process does."""
        end = self.clock.now() + seconds
        while (now := self.clock.now()) < end:
            (rule,) = await self.rows("SELECT next_check_at FROM rules")
            self.clock.advance(min(max(rule["next_check_at"] - now, 1.0), end - now))
            await self.look()

    def _end(self, tx: Any) -> None:
        (workspace,) = tx.all("SELECT id, stop_at, state FROM workspaces")
        row = OPERATIONS.row(tx, workspace_id=workspace["id"], outcome=None)
        state = workspace["state"]
        if row is not None:
            operations.end(tx, row["id"], Outcome.FULFILLED, None)
            state = State.RUNNING
        if workspace["stop_at"] is not None:
            timers.clear_stops(tx, workspace["id"])
            state = State.STOPPED
        WORKSPACES.change(tx, {"id": workspace["id"]}, state=state, observed_at=tx.now())

    def turn(self, tx: Any, to: State) -> None:
        """Set the workspace's state as if its owner had started or stopped it at the provider."""
        (workspace,) = tx.all("SELECT id FROM workspaces")
        WORKSPACES.change(tx, {"id": workspace["id"]}, state=to, observed_at=tx.now())

    async def rows(self, query: str) -> list[dict[str, Any]]:
        return await self.engine.read(lambda tx: tx.all(query))


@example(Wanted(EVERY_DAY, 9 * 60), TWICE)
@example(Wanted(EVERY_DAY, None, 9 * 60), TWICE)
@given(RULES, st.lists(EVENTS, min_size=1, max_size=12))
@settings(max_examples=60)
async def test_each_comes_once_or_is_said_to_be_missed(wanted, events):
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder) / "usher.db")
        await life.begin()
        (workspace,) = (await linked(life.store)).workspaces
        await life.known("Europe/Berlin")
        await ask(life.store, "set", clock=life.clock, ids=life.ids).run(use_cases.add, workspace.id, wanted)
        (rule,) = await life.store.read(rows.list_rules, workspace.id)
        latest = await _lived(life, events)
        await _judged(life, rule, latest)
        await life.store.close()


async def _lived(life: Life, events: list[tuple[str, Any]]) -> float:
    """Play the events, and return the time of the last check."""
    latest = BEGIN
    for what, given_ in [*events, ("pass", 60.0)]:
        match what:
            case "pass":
                await life.pass_time(given_)
                latest = max(latest, life.clock.now())
            case "down":
                life.clock.jump(given_)
                await life.again()
            case "set":
                life.clock.jump(given_)
                await life.again()
            case "fail":
                life.fails_at = given_
            case "by hand":
                await life.store.carry_out(partial(life.turn, to=given_))
    return latest


async def _judged(life: Life, rule: HoursRule, latest: float) -> None:
    """Check that each start is one operation, that missed ones were reported, and that none was left out."""
    became = await life.rows("SELECT * FROM occurrences")
    started = Counter(row["at"] for row in became if row["result"] == "started")
    begun = Counter(row["planned_for"] for row in await life.rows("SELECT planned_for FROM operations"))
    assert started == begun
    missed = [row for row in became if row["result"] == "missed"]
    told = await life.rows("SELECT body FROM notices WHERE kind = 'hours_missed'")
    assert sum(1 + json.loads(row["body"])["more"] for row in told) == len(missed)
    settled = {(row["local"], row["side"]) for row in became}
    assert {(one.local, one.side) for one in rule.due(latest)} <= settled
