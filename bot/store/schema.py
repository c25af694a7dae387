"""The SQL files of this folder, read once: named queries, migrations, and which of them are missing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from bot.domain.notices import Mark, NoticeKind
from bot.store.tables import TABLES
from bot.store.times import healing_queries
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


_HEADER = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
#: Stands for the kinds of notices that have a mark.
_MARKED = re.compile(r"\{([A-Z_]+)\}")
#: Begins a query that adds a row with all columns of its model.
_MODEL = re.compile(r"INSERT INTO (\w+) {model}")


@cache
def named_queries() -> dict[str, str]:
    """Return the statements of ``queries.sql``, and those that heal times, by name. Parameters ``:named``.

    A mark in braces is the list of the kinds of notices that have it.
    """
    text = files(__package__).joinpath("queries.sql").read_text(encoding="utf-8")
    _, *pieces = _HEADER.split(_MARKED.sub(_kinds, text))
    queries: dict[str, str] = {}
    for name, body in zip(pieces[::2], pieces[1::2], strict=True):
        if name in queries:
            raise ValueError(f"two queries are named {name}")
        lines = [line for line in body.splitlines() if line.strip() and not line.startswith("--")]
        queries[name] = _filled("\n".join(lines).strip().removesuffix(";"))
    return queries | healing_queries()


def _kinds(found: re.Match[str]) -> str:
    """Return the kinds that have a mark as a list in SQL, in the order in which an index may have them."""
    kinds = ", ".join(f"'{kind}'" for kind in NoticeKind if Mark[found[1]] in kind.marks)
    return f"({kinds})"


def _filled(query: str) -> str:
    """Return a query with a model's columns where it names them all, to add or to replace them."""
    found = _MODEL.match(query)
    if found is None:
        return query
    names = TABLES[found[1]].fields
    model = f"({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
    replaced = ", ".join(f"{name} = excluded.{name}" for name in names)
    return query.replace("{model}", model).replace("{replaced}", replaced)


@cache
def setting(name: str, *columns: str) -> str:
    """Return a named query that sets these columns where it has ``{changes}``, each to its parameter."""
    changes = ", ".join(f"{column} = :{column}" for column in columns)
    return named_queries()[name].replace("{changes}", changes)


@cache
def migrations() -> dict[str, str]:
    """Return the migrations' scripts by name (``0001_schema``), in the order in which they run."""
    folder = files(__package__).joinpath("migrations")
    scripts = {
        entry.name.removesuffix(".sql"): entry for entry in folder.iterdir() if entry.name.endswith(".sql")
    }
    return {name: scripts[name].read_text(encoding="utf-8") for name in sorted(scripts)}
