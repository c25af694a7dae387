"""``python -m benchmarks.standby``: what a synchronous standby costs who commits, on one machine.

A person's request is one transaction: an inbox row and an audit row here. Prints an object for each figure,
without a synchronous standby and with one: how long a commit takes, and how many there are a second for fifty
who wait.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import monotonic

import psycopg

from benchmarks.postgres import Database, database
from bot.domain.audit import AuditEntry
from bot.features.feature import load
from bot.store import inbox, open_store
from bot.store.audit import append_audit
from bot.store.store import Store
from bot.store.transaction import Transaction
from bot.support.clock import SystemClock, SystemIds

ALONE, TOGETHER, WAITING = 300, 500, 50


def _ask(tx: Transaction) -> None:
    key = tx.ids.new("interaction")
    inbox.add_interaction(tx, key)
    append_audit(tx, [AuditEntry("T1:U1", "workspace.start", key, "accepted")])


async def _measure(store: Store) -> tuple[float, float]:
    """Return the median of a commit in milliseconds, and how many there are a second."""
    took = []
    for _ in range(ALONE):
        began = monotonic()
        await store.engine.write(_ask)
        took.append(monotonic() - began)

    async def several() -> None:
        for _ in range(TOGETHER // WAITING):
            await store.engine.write(_ask)

    began = monotonic()
    await asyncio.gather(*(several() for _ in range(WAITING)))
    return median(took) * 1e3, TOGETHER / (monotonic() - began)


def _have(servers: Database, standbys: str) -> None:
    with psycopg.connect(servers.url, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'".encode())
        connection.execute("SELECT pg_reload_conf()")


async def main(folder: Path) -> None:
    """Measure in turn, three times, and print the best of each."""
    load()
    with database(folder, has_standby=True) as servers:
        store = await open_store(servers.url, SystemClock(), SystemIds())
        await store.begin_serving()
        found: dict[str, list[tuple[float, float]]] = {"": [], "*": []}
        for standbys in ["", "*"] * 3:
            _have(servers, standbys)
            await asyncio.sleep(0.5)
            found[standbys].append(await _measure(store))
        await store.close()
    for standbys, name in (("", "alone"), ("*", "synchronous")):
        latencies, rates = zip(*found[standbys], strict=True)
        for what, value, unit in (("commit", min(latencies), "ms"), ("rate", max(rates), "1/s")):
            sys.stdout.write(
                json.dumps({"name": f"{what}_{name}", "value": round(value, 2), "unit": unit}) + "\n"
            )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="usher-standby-") as made:
        Path(made).chmod(0o755)
        asyncio.run(main(Path(made)))
