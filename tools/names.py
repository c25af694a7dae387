"""Count the names and docstrings that a newcomer can't read; fail where ``names.toml`` allows fewer.

    python tools/names.py           the counts; exit status 1 if one has grown
    python tools/names.py --show W  every place of a category, or of a private word
    python tools/names.py --lower   write the counts that have fallen as the new limits

A limit may only fall. A private word means something in this project alone: no new name has one, whole. A
word whose limit is 0 is gone from tables and columns, too.
"""

from __future__ import annotations

import argparse
import ast
import re
import sqlite3
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = Path(__file__).with_name("names.toml")
FOLDERS = ("bot", "handlers", "usher")
TESTS = ("tests",)
#: No module, class, import, table or column is called just that.
EMPTY = frozenset({"known", "given", "one", "line"})
MAX_TEST_NAME_LENGTH = 80
#: So many modules may have a constant of the same single word.
MAX_SHARING_MODULES = 2

_VOCABULARY = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))
PREPOSITIONS = frozenset(_VOCABULARY["prepositions"].split())
IRREGULAR_PARTICIPLES = frozenset(_VOCABULARY["irregular_participles"].split())
VERBS = frozenset(_VOCABULARY["verbs"].split())
#: How a predicate, a conversion or a callback begins.
CONVENTIONS = frozenset(_VOCABULARY["conventions"].split())
#: A clause without a noun before it: "what is due"; "the row which is due" has one.
CLAUSE = re.compile(
    r"(?<!\w)(what|whatever|whoever|whom|who|where|how|why|which)(?!\w)",
    re.IGNORECASE,
)
HEADED_CLAUSE = re.compile(
    r"\b(person|people|ones?|those|process|rows?|somebody|every(body|one)|anybody|users?|that)"
    r" (who|which|where)\b"
    r"|\b(in|of|for|to|by|on|from|with|at) which\b|, (which|who|where)\b",
    re.IGNORECASE,
)
MODULE_WITHOUT_NOUN = re.compile(
    r"^(what|whose?|how|why|when|where|which|read|find|say|try|draw|sends?|gather|mark)\b", re.IGNORECASE
)
FIRST_SENTENCE = re.compile(r".*?([.;:](?=\s)|\n\n|\Z)", re.DOTALL)
ONE_WORD_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9]{2,}")
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_COLUMNS = (
    "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c "
    "WHERE t.type = 'table' ORDER BY t.name, c.cid"
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
#: A category or a private word, a place, and what stands there.
Finding = tuple[str, str, str]
Trees = list[tuple[str, ast.Module]]


def split_words(name: str) -> set[str]:
    """Return the words of a name in small letters, of ``snake_case`` and of ``CamelCase``."""
    return {word.lower() for word in _WORDS.findall(name)}


def parse_modules(root: Path, folders: Iterable[str]) -> Trees:
    """Return the syntax trees of the modules below some folders, each with its path."""
    files = [file for folder in folders for file in sorted((root / folder).rglob("*.py"))]
    return [
        (file.relative_to(root).as_posix(), ast.parse(file.read_text(encoding="utf-8"))) for file in files
    ]


def categorise(function: Function) -> str:
    """Return the category of a function's name, "" for a readable one."""
    words = function.name.strip("_").split("_")
    decorators = " ".join(map(ast.unparse, function.decorator_list))
    if function.name.startswith("__") or re.search("property|fixture|overload|setter", decorators):
        return ""
    if PREPOSITIONS.issuperset(words):
        return "bare preposition or adverb"
    first = words[0]
    is_regular = len(first) > len("bed") + 1 and first.endswith("ed") and first not in VERBS
    if (first in IRREGULAR_PARTICIPLES or is_regular) and PREPOSITIONS.issuperset(words[1:]):
        return "bare participle"
    return "" if VERBS.intersection(words) or first in CONVENTIONS else "function without a verb"


def find_in_product(trees: Trees) -> Iterator[Finding]:
    """Yield the names and docstrings of the product that say too little."""
    constants: defaultdict[str, set[str]] = defaultdict(set)
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for file, tree in trees:
        if MODULE_WITHOUT_NOUN.match(doc := ast.get_docstring(tree) or ""):
            yield "module docstring that names no noun", file, _first_sentence(doc)
        for statement in tree.body:
            for target in getattr(statement, "targets", [getattr(statement, "target", None)]):
                if isinstance(target, ast.Name) and ONE_WORD_CONSTANT.fullmatch(target.id):
                    constants[target.id.strip("_")].add(file)
            if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
                classes[statement.name].add(file)
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef | Function):
                continue
            place, doc = f"{file}:{node.lineno}", ast.get_docstring(node) or ""
            if CLAUSE.search(HEADED_CLAUSE.sub("", _first_sentence(doc))):
                yield "headless docstring", place, f"{node.name}: {_first_sentence(doc)}"
            if isinstance(node, Function) and (category := categorise(node)):
                yield category, place, node.name.strip("_")
    shared = [(name, files) for name, files in constants.items() if len(files) > MAX_SHARING_MODULES]
    yield from (
        ("one-word constant in 3+ modules", file, name) for name, files in shared for file in sorted(files)
    )
    several = [(name, files) for name, files in classes.items() if len(files) > 1]
    yield from (
        ("public class in 2+ modules", file, name) for name, files in several for file in sorted(files)
    )


def _first_sentence(doc: str) -> str:
    found = FIRST_SENTENCE.match(doc)
    return found[0] if found is not None else ""


def find_in_tests(trees: Trees) -> Iterator[Finding]:
    """Yield the names of tests, and the ids of their cases, that nobody can read."""
    for file, tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, Function) and node.name.startswith("test_"):
                if len(node.name) > MAX_TEST_NAME_LENGTH:
                    yield "test name over 80 characters", f"{file}:{node.lineno}", node.name
            elif isinstance(node, ast.Call) and _lacks_ids(node):
                yield "parametrize without readable ids", f"{file}:{node.lineno}", ast.unparse(node.args[0])


def _lacks_ids(call: ast.Call) -> bool:
    if not ast.unparse(call.func).endswith("mark.parametrize") or not call.args[1:]:
        return False
    rows = call.args[1].elts if isinstance(call.args[1], ast.Tuple | ast.List) else call.args[1:]
    return all(keyword.arg != "ids" for keyword in call.keywords) and not all(map(_is_readable, rows))


def _is_readable(value: ast.expr) -> bool:
    """Return whether pytest makes a readable id: of literals, flat rows of these, a ``param`` with an id."""
    if isinstance(value, ast.Tuple | ast.List):
        return all(_is_readable(part) and not isinstance(part, ast.Tuple | ast.List) for part in value.elts)
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Call) and "id=" in ast.unparse(value))


def find_names(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Yield every name that a module gives, its line, and whether it is a class's or something imported's."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name):
                yield node.lineno, name, True
            case ast.alias(asname=str(name)):
                yield 0, name, True
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name, False
            case (
                ast.arg(arg=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(attr=name, ctx=ast.Store())
            ):
                yield node.lineno, name, False


def find_words(root: Path, trees: Trees, private: Iterable[str], gone: Iterable[str]) -> Iterator[Finding]:
    """Yield each name of a module with a private word, once, and each empty name."""
    private, gone = frozenset(private), frozenset(gone)
    for file, tree in trees:
        names = {name: (number, is_thing) for number, name, is_thing in find_names(tree)}
        names[Path(file).stem] = (0, True)
        for name, (number, is_thing) in sorted(names.items()):
            yield from ((word, f"{file}:{number}", name) for word in split_words(name) & private)
            if is_thing and name.strip("_").lower() in EMPTY:
                yield "empty name", f"{file}:{number}", name
    for table, columns in read_schema(root).items():
        for name in (table, *columns):
            yield from ((word, f"table {table}", name) for word in split_words(name) & gone)
            if name in EMPTY:
                yield "empty name", f"table {table}", name


def read_schema(root: Path) -> dict[str, list[str]]:
    """Return the columns of each table, as the migrations below a folder leave them."""
    schema: defaultdict[str, list[str]] = defaultdict(list)
    with closing(sqlite3.connect(":memory:")) as database:
        for path in sorted((root / "bot").rglob("migrations/*.sql")):
            database.executescript(path.read_text(encoding="utf-8"))
        for table, column in database.execute(_COLUMNS):
            schema[table].append(column)
    return schema


def find_all(root: Path, limits: dict[str, dict[str, int]]) -> list[Finding]:
    """Return every finding below a folder: of categories, and of the private words that have a limit."""
    product = parse_modules(root, FOLDERS)
    words = limits["words"]
    gone = [word for word, limit in words.items() if limit == 0]
    return [
        *find_in_product(product),
        *find_in_tests(parse_modules(root, TESTS)),
        *find_words(root, product, words, gone),
    ]


def read_limits(file: Path = LIMITS) -> dict[str, dict[str, int]]:
    """Return the limits of categories and of private words."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def write_limits(limits: dict[str, dict[str, int]], file: Path = LIMITS) -> None:
    """Write the limits, below the comment that the file begins with."""
    comment = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    tables = (
        [f"[{table}]", *(f'"{name}" = {limit}' for name, limit in sorted(rows.items())), ""]
        for table, rows in limits.items()
    )
    file.write_text(
        "\n".join([*comment, "", *(line for table in tables for line in table)]), encoding="utf-8"
    )


def main(words: list[str] | None = None) -> int:
    """Compare the counts with their limits; return 1 where one has grown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--show", metavar="W", help="a category or a private word")
    parser.add_argument("--lower", action="store_true", help="lower the limits to the counts")
    options = parser.parse_args(words)
    limits = read_limits()
    findings = find_all(ROOT, limits)
    if options.show:
        print(*(f"{place}: {text}" for name, place, text in findings if name == options.show), sep="\n")
        return 0
    counts = Counter(name for name, _, _ in findings)
    grown = [
        f"{name}: {counts[name]}, at most {limit} are allowed; --show '{name}' lists them"
        for rows in limits.values()
        for name, limit in rows.items()
        if counts[name] > limit
    ]
    if options.lower:
        write_limits(
            {
                table: {name: min(limit, counts[name]) for name, limit in rows.items()}
                for table, rows in limits.items()
            }
        )
    categories = ", ".join(f"{counts[name]} {name}" for name in limits["categories"])
    private = sum(counts[name] for name in limits["words"])
    print(*grown, f"Names: {categories}; {private} with a private word.", sep="\n")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
