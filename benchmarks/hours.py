"""What hours cost while none are due, and how soon people hear of what starts for all in the same minute."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.crowd import CONNECTION, Crowd, Deployment
from benchmarks.figures import Figure
from benchmarks.messages import delays_of_starts
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from bot.domain.people import Principal
from bot.domain.time_parsing import DAY_MINUTES, EVERY_DAY
from bot.features.hours import store as hours_store
from bot.features.hours.model import HoursRule
from bot.store import open_store
from bot.store.store import Store
from bot.store.tables import parse_principal
from bot.store.transaction import Transaction
from bot.support.clock import SystemClock, SystemIds

#: How many rules are written at once, how many looks are measured, and seconds between two looks of the bot.
_TOGETHER, _LOOKS, _EVERY = 500, 200, 2.0
#: The minute that all start in begins so many seconds after they were set, at least: the bot is up by then.
_SOON = 30.0


async def measure_hours(sizes: Sizes) -> list[Figure]:
    """Measure looks at rules of which none is due, and starts of the same minute with Slack's limits on."""
    share = await _share(sizes.rules)
    found = await delays_of_starts(
        sizes, sizes.limited, sizes.limited_spread, limits=True, before=_of_one_minute, types=False
    )
    return [
        Figure("hours_cpu", 100.0 * share),
        Figure("hours_ready_last", max(found.delays), sound=found.is_sound, note=found.detail),
    ]


def _claim(tx: Transaction) -> list[HoursRule]:
    return hours_store.claim_hours(tx, 100, 60.0)


async def _share(count: int) -> float:
    """Return how much of a core the looks take with so many rules."""
    with tempfile.TemporaryDirectory(prefix="usher-benchmark-") as folder:
        store = await open_store(f"sqlite:///{Path(folder) / 'usher.db'}", SystemClock(), SystemIds())
        try:
            await store.migrate()
            keys = [(f"w{number}", Principal(None, "T1", f"U{number % 1_000}")) for number in range(count)]
            now = _minute(time.time())
            await _set(store, keys, [(now + 60 + number % 600) % DAY_MINUTES for number in range(count)])
            used = time.process_time()
            for _ in range(_LOOKS):
                assert not await store.claim(_claim), "a rule was due"
            used = time.process_time() - used
        finally:
            await store.close()
    note(f"{1e6 * used / _LOOKS:.0f} µs of CPU for a look at {count} rules")
    return used / _LOOKS / _EVERY


async def _of_one_minute(_crowd: Crowd, place: Deployment) -> float:
    """Give everybody's workspaces hours that begin in the same minute; return when it does."""
    begins = (time.time() + _SOON + 60.0) // 60 * 60
    store = await open_store(place.database_url, SystemClock(), SystemIds())
    try:
        found = await store.engine.read(lambda tx: tx.all("SELECT id, principal FROM workspaces"))
        keys = [(row["id"], parse_principal(row["principal"])) for row in found]
        await _set(store, keys, [_minute(begins)] * len(keys))
    finally:
        await store.close()
    return begins


def _minute(at: float) -> int:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.hour * 60 + moment.minute


async def _set(store: Store, keys: Sequence[tuple[str, Principal]], minutes: Sequence[int]) -> None:
    rules = [
        HoursRule(
            id=f"rule_{number:05d}",
            principal=principal,
            connection=CONNECTION,
            workspace_id=workspace_id,
            days=EVERY_DAY,
            starts=minute,
            stops=None,
            zone="UTC",
            seen_zone="UTC",
            processed_until=time.time(),
        )
        for number, ((workspace_id, principal), minute) in enumerate(zip(keys, minutes, strict=True))
    ]
    for at in range(0, len(rules), _TOGETHER):
        await store.engine.write(partial(_put, rules=rules[at : at + _TOGETHER]))


def _put(tx: Transaction, rules: Sequence[HoursRule]) -> None:
    for rule in rules:
        hours_store.save_rule(tx, rule)
