"""Guards behind guards: each mark names a rule that there is, and stands where something is guarded."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.project.repository import ROOT, named, nodes, python_files

QUERIES = ROOT / "bot/store/queries.sql"
TITLES = frozenset(re.findall(r"^## \d+\. (.+)$", (ROOT / "docs/rules.md").read_text("utf-8"), re.MULTILINE))
MARK = re.compile(r"^-- guards: (.+)\n((?: *).+)$", re.MULTILINE)


@dataclass(frozen=True)
class Guard:
    """A guard: where it is declared, its text, and the rule that it keeps."""

    place: str
    text: str
    rule: str


def declared() -> Iterator[Guard]:
    """Find the guards by their marks, in the code and in the queries."""
    for path in python_files("bot", "handlers"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
                for one in node.decorator_list:
                    if isinstance(one, ast.Call) and ast.unparse(one.func) == "guards":
                        yield Guard(f"{named(path)}:{node.name}", text, ast.literal_eval(one.args[0]))
    query = ""
    for line in re.split(r"^-- (?:name|part): ", QUERIES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        query = line.partition("\n")[0]
        for rule, condition in MARK.findall(line):
            yield Guard(f"{named(QUERIES)}:{query}", condition, rule)


GUARDS = list(declared())


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.place)
def test_a_guard_keeps_a_rule_that_there_is(guard):
    assert guard.rule in TITLES


def test_a_mark_in_the_queries_stands_above_a_condition():
    marked = [one for one in GUARDS if one.place.startswith("bot/store/queries.sql")]
    assert len(marked) == QUERIES.read_text(encoding="utf-8").count("-- guards: ")
    assert [one.place for one in marked if not re.match(r"    AND \w", one.text)] == []
