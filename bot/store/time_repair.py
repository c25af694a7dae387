"""Statements that repair stored times after a clock change or a period in which no process was running."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from bot.domain.notices import NoticeKind, NoticeState
from bot.domain.row_times import Kind, Time
from bot.store.tables import TABLES

_LIMITED: Final = frozenset({Kind.DUE, Kind.CHECK})
_HEALED: Final = _LIMITED | {Kind.PAST, Kind.SINCE}
#: SQL conditions that select open rows, by table. Durations are repaired only in open rows. Rows that have
#: ended keep the recorded durations. A replaced operation counts as open until its successor ends, because
#: the successor has to find out how the replaced operation's call ended.
_OPEN_CONDITIONS: Final = {
    "runs": "outcome IS NULL",
    "operations": "(outcome IS NULL OR (outcome = 'replaced' AND workspace_id IN ("
    "SELECT workspace_id FROM operations WHERE outcome IS NULL)))",
}

#: SQL conditions, by table, that select rows whose due time was set by people. Such a time is never repaired.
#: For example, a message about a lesson is due when the lesson begins, however the clock has changed.
FIXED_CONDITIONS: Final = {
    "notices": f"kind = '{NoticeKind.LESSON}' AND state = '{NoticeState.PENDING}' AND due_at > created_at",
}

#: SQL conditions, by table, that use an index to find the rows that may need repair. Only large tables have
#: one.
_RECENT_CONDITIONS: Final = {
    "lives": "id IN (SELECT id FROM lives WHERE ended_latest IS NULL"
    " UNION ALL SELECT id FROM lives WHERE ended_latest > :now)",
}


@cache
def build_healing_queries() -> dict[str, str]:
    """Return a statement for each table that has times to repair, keyed by the statement's name.

    The parameters are ``now``, ``is_unknown`` (whether it is unknown how much time has passed) and ``back``
    (the number of seconds by which the clock was set back since the times were written). ``back`` is
    subtracted from due times.
    """
    healed = {
        name: {column: time for column, time in table.times.items() if time.kind in _HEALED}
        for name, table in TABLES.items()
    }
    return {f"heal_times_of_{name}": _build_statement(name, times) for name, times in healed.items() if times}


def _build_statement(table: str, times: Mapping[str, Time]) -> str:
    is_open = _OPEN_CONDITIONS.get(table, "1 = 1")
    is_recent = _RECENT_CONDITIONS.get(table, "1 = 1")
    is_fixed = FIXED_CONDITIONS.get(table, "1 = 0")
    ill = {name: _is_ill(name, time, is_open, is_fixed) for name, time in times.items()}
    sets = ", ".join(
        f"{name} = CASE WHEN {is_ill} THEN {_build_condition(name, times[name])} ELSE {name} END"
        for name, is_ill in ill.items()
    )
    sets += TABLES[table].revises
    return f"UPDATE {table} SET {sets} WHERE {is_recent} AND ({' OR '.join(ill.values())})"  # noqa: S608 - of the names above alone


def _is_ill(name: str, time: Time, is_open: str, is_fixed: str) -> str:
    match time.kind:
        case Kind.DUE | Kind.CHECK:
            is_far = f"{name} > :now + {time.farthest!r} OR (:back > 0.0 AND {name} > :now)"
            return f"({is_far}) AND NOT ({is_fixed})"
        case Kind.SINCE:
            return f"{name} > :now OR (:is_unknown = 1 AND {name} IS NOT NULL AND {is_open})"
        case _:
            return f"{name} > :now"


def _build_condition(name: str, time: Time) -> str:
    if time.kind not in _LIMITED:
        return ":now"
    return f"CASE WHEN {name} - :back > :now + {time.farthest!r} THEN :now ELSE {name} - :back END"
