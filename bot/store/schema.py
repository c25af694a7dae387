"""The schema of a database: its tables, which migrations are missing, and which may run beside Usher."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.support.errors import StoreTooNew, StoreUnreleased

TABLE = "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)"
#: The type of text columns.
TEXT = re.compile(r"\bTEXT\b")
_UNRELEASED = (
    "The database {path} was made by a development version of Usher, whose tables no release can bring up to "
    "date: set USHER_DATABASE_URL to a new one, where people link their accounts again."
)
_TOO_NEW = (
    "The database was migrated by a newer release of Usher ({names}): run that release, or restore the "
    "backup made before it."
)
#: What a process of the previous release can't work with.
_DISTURBS = re.compile(
    r"\bDROP (TABLE|COLUMN)\b|\bRENAME\b|\bALTER COLUMN\b|\bADD CONSTRAINT\b"
    r"|\bADD COLUMN (?![^;]*\bDEFAULT\b)[^;]*\bNOT NULL\b"
)
_UNIQUE = re.compile(r"\bCREATE UNIQUE INDEX \w+ ON (\w+)")


def missing(applied: Collection[str], scripts: Mapping[str, str], path: str) -> list[str]:
    """Return the migrations still to run, in order. Raise StoreTooNew or StoreUnreleased.

    A newer release has run all of these and then others; before the first release they had other names.
    """
    unknown = sorted(set(applied) - scripts.keys())
    if unknown and (unknown[0] < max(scripts) or not scripts.keys() <= set(applied)):
        raise StoreUnreleased(_UNRELEASED.format(path=path))
    if unknown:
        raise StoreTooNew(_TOO_NEW.format(names=", ".join(unknown)))
    return [name for name in scripts if name not in applied]


def disturbs(script: str) -> bool:
    """Return whether a process of the release before would fail on the schema that this migration leaves."""
    tables = _UNIQUE.findall(script)
    return _DISTURBS.search(script) is not None or any(f"CREATE TABLE {one} " not in script for one in tables)


@dataclass(frozen=True, slots=True)
class Table:
    """Hold a table on its way to another database: its name, its columns, and its rows in that order."""

    name: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]
