"""Statements: the named queries in the SQL files, and other SQL that uses the same fragments.

Each module's queries are in the SQL file of the same name, and fragments used by several files are in
``shared.sql``. Finding rows by their key needs no query (see ``bot.store.tables``). Queries contain these
placeholders:

- ``{model}``: the columns and values for inserting a whole row of the table;
- ``{replaced}``: the assignments that overwrite all of these columns on a conflict;
- ``{changes}``: the assignments for the columns that a caller sets;
- ``{work_items}``: the table of operations or runs.

Queries must run on both SQLite and PostgreSQL, so they contain no scalar MIN or MAX and no IN over a
parameter, handle conflicts with ON CONFLICT, and return results with RETURNING. SQL for PostgreSQL alone,
such as locks on rows that others may claim, is in comments of the form ``/* postgresql: … */``. On
PostgreSQL, a statement that runs for many rows receives them all as ``:each``, a JSON array of objects whose
keys are the other parameters. A comment ``guards: RULE`` above a condition, as above a check in Python, means
that an earlier check should already have refused what this one refuses. ``RULE`` is the title of the rule
that both enforce (``docs/internals/rules.md``).
"""

import re
from functools import cache
from importlib.resources import files
from typing import Final

from bot.domain.notices import UNREAD, Mark, NoticeKind
from bot.store.tables import TABLES, format_columns, format_sql_list
from bot.store.time_repair import build_healing_queries

_HEADER_PATTERN = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
_PART_PATTERN = re.compile(r"\{(\w+)\}")
#: Matches a placeholder that ``_list_marked_kinds`` replaces, usually a notice's mark (see ``Mark``).
_MARK_PATTERN = re.compile(r"\{([A-Z_]+)\}")
#: Matches a ``{columns …}`` placeholder, which lists table aliases. It is replaced by the columns of those
#: tables' models.
_COLUMNS_PATTERN = re.compile(r"\{columns ([a-z ]+)\}")
#: Matches SQL that runs only on PostgreSQL.
OWN_COMMENT_PATTERN: Final = re.compile(r"/\* postgresql: (.*?)\s\*/", re.DOTALL)
#: Matches a parameter in SQL, but not the type in a cast (``::``).
PARAMETER_PATTERN: Final = re.compile(r"(?<!:):(\w+)")
#: Matches the beginning of a query that inserts a row with all columns of its model.
_MODEL_PATTERN = re.compile(r"INSERT INTO (\w+) {model}")


@cache
def read_queries() -> dict[str, str]:
    """Map names to queries, both those in the SQL files and those that repair stored times."""
    return {name: _fill(query) for name, query in _read_files()[0].items()} | build_healing_queries()


@cache
def find_query(query: str) -> str:
    """Return the query with this name or, if it is SQL, the SQL with the names in braces filled in."""
    return read_queries().get(query) or _fill(query)


def number_parameters(query: str, sign: str) -> tuple[str, tuple[str, ...]]:
    """Return a query with numbered placeholders (``?1`` or ``$1``), and its parameters' names in order."""
    names = tuple(dict.fromkeys(PARAMETER_PATTERN.findall(query)))
    return PARAMETER_PATTERN.sub(lambda found: f"{sign}{names.index(found[1]) + 1}", query), names


@cache
def _read_files() -> tuple[dict[str, str], dict[str, str]]:
    queries: dict[str, str] = {}
    parts: dict[str, str] = {}
    for file in sorted(files(__package__).iterdir(), key=str):
        if not file.name.endswith(".sql"):
            continue
        _, *pieces = _HEADER_PATTERN.split(file.read_text(encoding="utf-8"))
        for what, name, body in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
            if name in queries or name in parts:
                raise ValueError(f"two queries are named {name}")
            lines = [line for line in body.splitlines() if line.strip() and not line.startswith("--")]
            (parts if what == "part" else queries)[name] = "\n".join(lines).strip().removesuffix(";")
    return queries, parts


def _fill(query: str) -> str:
    """Replace the names in braces with fragments, kinds of notices and columns."""
    parts = _read_files()[1]
    while (filled := _PART_PATTERN.sub(lambda found: parts.get(found[1], found[0]), query)) != query:
        query = filled
    query = _MARK_PATTERN.sub(_list_marked_kinds, query)
    query = _COLUMNS_PATTERN.sub(lambda columns: format_columns(columns[1]), query)
    found = _MODEL_PATTERN.match(query)
    if found is None:
        return query
    names = TABLES[found[1]].fields
    model = f"({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
    replaced = ", ".join(f"{name} = excluded.{name}" for name in names)
    return query.replace("{model}", model).replace("{replaced}", replaced)


def _list_marked_kinds(found: re.Match[str]) -> str:
    """Return the kinds of notices that have a mark, as an SQL list.

    For KINDS, list all kinds. For UNREAD, list the error codes that can be ignored.
    """
    if found[1] == "UNREAD":
        return format_sql_list(sorted(UNREAD))
    return format_sql_list(kind for kind in NoticeKind if found[1] == "KINDS" or Mark[found[1]] in kind.marks)


@cache
def fill_changes(name: str, *columns: str, **words: str) -> str:
    """Return a named query in which ``{changes}`` sets these columns to the parameters of the same names.

    ``words`` replaces the query's other placeholders. These are ``work_items`` (the table of operations or of
    runs) and ``same`` (the condition under which a save applies).
    """
    words["changes"] = ", ".join(f"{column} = :{column}" for column in columns)
    return _PART_PATTERN.sub(lambda found: words.get(found[1], found[0]), read_queries()[name])
