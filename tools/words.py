"""Check that names use the words of docs/internals/glossary.md; print the others, end with 1."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

#: No name of anything contains these: the glossary has a word for it, or the name says nothing.
GONE = frozenset(
    {
        "told",
        "meant",
        "standing",
        "trade",
        "trades",
        "teaching",
        "lane",
        "lanes",
        "turns",
        "wish",
        "wishes",
        "catalog",
    }
)
#: No module, class, import, table or column is called just that.
EMPTY = frozenset({"known", "given", "one", "line"})
ROOMS = ("bot", "handlers", "playground")
_PARTS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_COLUMN = re.compile(r"^    (\w+) (?:TEXT|BIGINT|DOUBLE PRECISION)", re.MULTILINE)
_TABLE = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)


def words_in(name: str) -> set[str]:
    """Return the words of a name, in small letters: of ``snake_case`` and of ``CamelCase``."""
    return {part.lower() for part in _PARTS.findall(name)}


def names_in(tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """Yield every name that a module gives, its line, and whether it is a class's or something imported's."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name):
                yield node.lineno, name, True
            case ast.alias(asname=str(name)):
                yield node.lineno, name, True
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name, False
            case (
                ast.arg(arg=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(attr=name, ctx=ast.Store())
            ):
                yield node.lineno, name, False


def is_bad(name: str, *, is_thing: bool) -> bool:
    """Say whether a name has a word that is gone, or, as a thing's name, says nothing."""
    return bool(words_in(name) & GONE) or (is_thing and name.strip("_").lower() in EMPTY)


def found(root: Path) -> Iterator[str]:
    """Yield a line for each bad name below a folder."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            place = path.relative_to(root)
            if is_bad(path.stem, is_thing=True):
                yield f"{place}: the module's name"
            for number, name, is_class in names_in(ast.parse(path.read_text(encoding="utf-8"))):
                if is_bad(name, is_thing=is_class):
                    yield f"{place}:{number}: {name}"
        for path in sorted((root / room).rglob("migrations/*.sql")):
            script = path.read_text(encoding="utf-8")
            for pattern in (_TABLE, _COLUMN):
                for match in pattern.finditer(script):
                    if is_bad(match[1], is_thing=True):
                        yield f"{path.relative_to(root)}: {match[1]}"


def main() -> int:
    """Print what is found; return 1 where something is."""
    bad = list(found(Path(__file__).resolve().parent.parent))
    print("\n".join(bad) if bad else "Names use the words of the glossary.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
