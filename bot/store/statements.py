"""Statements: those of ``queries.sql`` by name, with their parts, and others filled with the same parts."""

import re
from functools import cache
from importlib.resources import files

from bot.domain.kinds import AnyKind, Mark, declared
from bot.domain.notices import UNREAD
from bot.store.healing import healing_queries
from bot.store.tables import TABLES, as_list, columns_of

_HEADER = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
_PART = re.compile(r"\{(\w+)\}")
#: Stands for the kinds of notices that have a mark.
_MARKED = re.compile(r"\{([A-Z_]+)\}")
#: Stands for the columns of several tables by their aliases.
_COLUMNS = re.compile(r"\{columns ([a-z ]+)\}")
#: Begins a query that adds a row with all columns of its model.
_MODEL = re.compile(r"INSERT INTO (\w+) {model}")


@cache
def named_queries() -> dict[str, str]:
    """Return the statements of ``queries.sql``, and those that heal times, by name. Parameters ``:named``."""
    return _read_file()[0] | healing_queries()


@cache
def fill(statement: str) -> str:
    """Return a statement with the parts, the kinds and the columns that it has in braces."""
    parts = _read_file()[1]
    # What a part has of other parts is filled in already.
    return _fill_columns(
        _PART.sub(lambda found: parts.get(found[1], found[0]), _MARKED.sub(_kinds, statement))
    )


@cache
def _read_file() -> tuple[dict[str, str], dict[str, str]]:
    """Return the statements and the parts of ``queries.sql`` by name.

    A mark in braces is the list of the kinds of notices that have it; KINDS are all of them.
    """
    text = files(__package__).joinpath("queries.sql").read_text(encoding="utf-8")
    _, *pieces = _HEADER.split(_MARKED.sub(_kinds, text))
    queries: dict[str, str] = {}
    parts: dict[str, str] = {}
    for what, name, body in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        if name in queries or name in parts:
            raise ValueError(f"two queries are named {name}")
        lines = [line for line in body.splitlines() if line.strip() and not line.startswith("--")]
        query = "\n".join(lines).strip().removesuffix(";")
        # With the parts above it, which a part may have, too.
        query = _PART.sub(lambda found: parts.get(found[1], found[0]), query)
        if what == "part":
            parts[name] = query
        else:
            queries[name] = _fill_columns(query)
    return queries, parts


def _kinds(found: re.Match[str]) -> str:
    """Return the kinds that have a mark, or the codes of what nobody would read, as a list in SQL."""
    if found[1] == "UNREAD":
        return as_list(sorted(UNREAD))
    return as_list(kind for kind in declared(AnyKind) if found[1] == "KINDS" or Mark[found[1]] in kind.marks)


def _fill_columns(query: str) -> str:
    """Return a query with a model's columns where it names them all."""
    query = _COLUMNS.sub(lambda columns: columns_of(columns[1]), query)
    found = _MODEL.match(query)
    if found is None:
        return query
    names = TABLES[found[1]].fields
    model = f"({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
    replaced = ", ".join(f"{name} = excluded.{name}" for name in names)
    return query.replace("{model}", model).replace("{replaced}", replaced)


@cache
def setting(name: str, *columns: str, **words: str) -> str:
    """Return a named query that sets these columns where it has ``{changes}``, each to its parameter.

    ``words`` are what else it has in braces: ``errands``, the table of a query that is about operations or
    runs; ``tasks``, that of one about tasks; ``placed``, how a sent message is known.
    """
    words["changes"] = ", ".join(f"{column} = :{column}" for column in columns)
    return _PART.sub(lambda found: words.get(found[1], found[0]), named_queries()[name])
