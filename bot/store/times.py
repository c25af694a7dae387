"""The statements that heal the times of rows if the clock was moved while nobody served, by their times.

Only the serving process heals them, when it starts (``docs/adr/0019-who-heals-clocks.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.domain.times import Kind, Time
from bot.store.tables import TABLES

#: What happened within so many seconds moves back with a clock that was set back: open work is no older.
_RECENT: Final = 86_400.0
_HEALED: Final = frozenset({Kind.PAST, Kind.SINCE, Kind.DUE})
#: Ended rows keep how long things took. The next operation looks for the result of what a replaced one sent.
_OPEN: Final = {
    "runs": "outcome IS NULL",
    "operations": "(outcome IS NULL OR (outcome = 'replaced' AND workspace_id IN ("
    "SELECT workspace_id FROM operations WHERE outcome IS NULL)))",
}


def healing_queries() -> dict[str, str]:
    """Return a statement for each table with times to heal, as ``queries.sql`` would name it.

    Parameters: ``now``; ``is_unknown``, whether the time that has passed is unknown; ``back``, how many
    seconds the clock was set back since the times were written. Times in the future move back by that, and so
    does what happened in the last day, which keeps the order of all that open work compares.
    """
    healed = {
        name: {column: time for column, time in table.times.items() if time.kind in _HEALED}
        for name, table in TABLES.items()
    }
    return {f"heal_times_of_{name}": _statement(name, times) for name, times in healed.items() if times}


def _statement(table: str, times: Mapping[str, Time]) -> str:
    is_open = _OPEN.get(table, "1 = 1")
    sets = ", ".join(f"{name} = {_healthy(name, time, is_open)}" for name, time in times.items())
    where = " OR ".join(_is_ill(name, time, is_open) for name, time in times.items())
    return f"UPDATE {table} SET {sets} WHERE {where}"  # noqa: S608 - of the names above alone


def _healthy(name: str, time: Time, is_open: str) -> str:
    moved, limit = f"{name} - :back", f":now + {time.farthest!r}"
    counts = f"WHEN {_counts(name, is_open)} THEN :now " if time.kind is Kind.SINCE else ""
    stays = f"{name} <= :now" if time.kind is Kind.DUE else f"{name} <= :now - {_RECENT!r}"
    return f"CASE {counts}WHEN {stays} THEN {name} WHEN {moved} > {limit} THEN :now ELSE {moved} END"


def _is_ill(name: str, time: Time, is_open: str) -> str:
    since = ":now" if time.kind is Kind.DUE else f":now - {_RECENT!r}"
    is_ahead = f"{name} > :now + {time.farthest!r} OR (:back > 0.0 AND {name} > {since})"
    return f"{is_ahead} OR ({_counts(name, is_open)})" if time.kind is Kind.SINCE else is_ahead


def _counts(name: str, is_open: str) -> str:
    return f":is_unknown = 1 AND {name} IS NOT NULL AND {is_open}"
