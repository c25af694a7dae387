"""Due times that a restart would move: those farther ahead than their columns allow."""

from __future__ import annotations

from typing import Any, Final

from bot.domain.row_times import Kind
from bot.store.store import Store
from bot.store.tables import TABLES
from bot.store.time_repair import FIXED_CONDITIONS

#: Finds due times that are too far ahead, with their columns. Checks may be farther ahead than their limits.
_DISTANT: Final = " UNION ALL ".join(
    f"SELECT '{name}.{column}' AS place, {column} - :now AS seconds FROM {name}"
    f" WHERE {column} > :now + {time.farthest!r} + 0.001 AND NOT ({FIXED_CONDITIONS.get(name, '1 = 0')})"
    for name, table in TABLES.items()
    for column, time in table.times.items()
    if time.kind is Kind.DUE
)


async def check_due_times(store: Store) -> None:
    """Check that a restart now would make nothing due early. A shared database's times are never repaired."""

    def look(tx: Any) -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = tx._connection.execute(_DISTANT, {"now": tx.now()}).fetchall()
        return found

    # A test that counts transactions must not count this one.
    is_counted = getattr(store.engine, "watch", None) is not None
    distant = [] if store.engine.is_shared or is_counted else await store.engine.read(look)
    assert distant == [], f"farther ahead than bot.domain.row_times allows, in seconds: {distant}"
