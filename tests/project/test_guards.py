"""Guards behind guards: each is marked with its rule, and a patch breaks it, which a test must notice."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.project.repository import ROOT, named, nodes, python_files
from tests.promises.patches import Patch, patches, rules

QUERIES = ROOT / "bot/store/queries.sql"
QUERY = re.compile(r"^-- (?:name|part): ", re.MULTILINE)
MARK = re.compile(r"^-- guards: (.+)\n(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Guard:
    """A guard: where it is declared, its text, and the rule that it keeps."""

    file: str
    name: str
    text: str
    rule: str

    def is_broken_by(self, patch: Patch) -> bool:
        """Return whether a patch changes a function, or leaves out a condition."""
        if (patch.file, patch.rule) != (self.file, self.rule):
            return False
        if self.file.endswith(".sql"):
            return self.text in patch.old and self.text not in patch.new
        return patch.old.strip("\n") in self.text


def declared() -> Iterator[Guard]:
    """Find the guards by their marks, in the code and in the queries."""
    for path in python_files("bot", "handlers"):
        content = path.read_text(encoding="utf-8")
        if "@guards(" not in content:
            continue  # to read all as trees takes seconds, before the first test
        lines = content.splitlines()
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
                for one in node.decorator_list:
                    if isinstance(one, ast.Call) and ast.unparse(one.func) == "guards":
                        yield Guard(named(path), node.name, text, ast.literal_eval(one.args[0]))
    for query in re.split(r"^-- (?:name|part): ", QUERIES.read_text(encoding="utf-8"), flags=re.MULTILINE)[
        1:
    ]:
        for found in MARK.finditer(query):
            yield Guard(named(QUERIES), query.partition("\n")[0], found[0], found[1])


GUARDS = list(declared())


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.file}:{guard.name}")
def test_a_guard_keeps_a_rule_and_a_patch_breaks_it(guard):
    assert guard.rule in rules()
    assert [one.name for one in patches() if guard.is_broken_by(one)] != []


def test_a_mark_in_the_queries_stands_above_a_condition():
    marked = [one for one in GUARDS if one.file == named(QUERIES)]
    assert len(marked) == QUERIES.read_text(encoding="utf-8").count("-- guards: ")
    assert [one.name for one in marked if not re.search(r"\n    AND \w", one.text)] == []
