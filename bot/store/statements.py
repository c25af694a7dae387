"""Statements: those of the SQL files by name, with their parts, and others filled with the same parts.

Each module's statements stand in the file of its name, and the
parts that several use in ``shared.sql``. What is read and written by a key alone is in ``bot.store.tables``.
In a statement, ``{model}`` are all columns of its table's model with their values, ``{replaced}`` the same on
a conflict, ``{changes}`` those that a caller sets, ``{work_items}`` operations or runs. They are portable
between SQLite and PostgreSQL: no scalar MIN or MAX, no IN over a parameter, conflicts by ON CONFLICT, results
by RETURNING. What only PostgreSQL is told stands in a comment that begins with its name: it locks what is
read to be changed while others claim. What is run for many rows there gets all of them as ``:each``, and
other parameters are columns of it. ``guards: RULE`` stands above a condition that keeps a rule behind an
earlier guard (``bot.support.guards``).
"""

import re
from functools import cache
from importlib.resources import files

from bot.domain.message_kinds import AnyKind, Mark, list_members
from bot.domain.notices import UNREAD
from bot.store.tables import TABLES, format_columns, format_sql_list
from bot.store.time_repair import build_healing_queries

_HEADER_PATTERN = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
_PART_PATTERN = re.compile(r"\{(\w+)\}")
#: Stands for the kinds of notices that have a mark.
_MARK_PATTERN = re.compile(r"\{([A-Z_]+)\}")
#: Stands for the columns of several tables by their aliases.
_COLUMNS_PATTERN = re.compile(r"\{columns ([a-z ]+)\}")
#: Begins a query that adds a row with all columns of its model.
_MODEL_PATTERN = re.compile(r"INSERT INTO (\w+) {model}")


@cache
def read_queries() -> dict[str, str]:
    """Return the statements of the SQL files, and those that heal times, by name. Parameters ``:named``."""
    return _read_files()[0] | build_healing_queries()


@cache
def fill(statement: str) -> str:
    """Return a statement with the parts, the kinds and the columns that it has in braces."""
    parts = _read_files()[1]
    # What a part has of other parts is filled in already.
    return _fill_columns(
        _PART_PATTERN.sub(
            lambda found: parts.get(found[1], found[0]), _MARK_PATTERN.sub(_list_marked_kinds, statement)
        )
    )


@cache
def _read_files() -> tuple[dict[str, str], dict[str, str]]:
    """Return the statements and the parts of the SQL files by name.

    A mark in braces is the list of the kinds of notices that have it; KINDS are all of them.
    """
    queries: dict[str, str] = {}
    parts: dict[str, str] = {}
    for file in sorted(files(__package__).iterdir(), key=str):
        if not file.name.endswith(".sql"):
            continue
        _, *pieces = _HEADER_PATTERN.split(
            _MARK_PATTERN.sub(_list_marked_kinds, file.read_text(encoding="utf-8"))
        )
        for what, name, body in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
            if name in queries or name in parts:
                raise ValueError(f"two queries are named {name}")
            lines = [line for line in body.splitlines() if line.strip() and not line.startswith("--")]
            (parts if what == "part" else queries)[name] = "\n".join(lines).strip().removesuffix(";")
    whole = {name: _fill_parts(part, parts) for name, part in parts.items()}
    return {name: _fill_columns(_fill_parts(query, whole)) for name, query in queries.items()}, whole


def _fill_parts(statement: str, parts: dict[str, str]) -> str:
    """Return a statement with its parts, which may have others."""
    while (filled := _PART_PATTERN.sub(lambda found: parts.get(found[1], found[0]), statement)) != statement:
        statement = filled
    return statement


def _list_marked_kinds(found: re.Match[str]) -> str:
    """Return the kinds that have a mark, or the codes of errors that nobody would read, as a list in SQL."""
    if found[1] == "UNREAD":
        return format_sql_list(sorted(UNREAD))
    return format_sql_list(
        kind for kind in list_members(AnyKind) if found[1] == "KINDS" or Mark[found[1]] in kind.marks
    )


def _fill_columns(query: str) -> str:
    """Return a query with its model's columns in place of ``{model}`` and ``{replaced}``."""
    query = _COLUMNS_PATTERN.sub(lambda columns: format_columns(columns[1]), query)
    found = _MODEL_PATTERN.match(query)
    if found is None:
        return query
    names = TABLES[found[1]].fields
    model = f"({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
    replaced = ", ".join(f"{name} = excluded.{name}" for name in names)
    return query.replace("{model}", model).replace("{replaced}", replaced)


@cache
def fill_changes(name: str, *columns: str, **words: str) -> str:
    """Return a named query that sets these columns in place of ``{changes}``, each to its parameter.

    ``words`` are what else it has in braces: ``work_items``, the table of a query that is about operations or
    runs; ``same``, the condition of a save.
    """
    words["changes"] = ", ".join(f"{column} = :{column}" for column in columns)
    return _PART_PATTERN.sub(lambda found: words.get(found[1], found[0]), read_queries()[name])
