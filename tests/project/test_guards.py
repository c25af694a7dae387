"""Guards behind guards: each is marked with its rule, and a mutant of it is played every night."""

import re

from tests.mutants.generate import make_all
from tests.project.repository import ROOT, list_store, named, python_files

RULES = re.findall(r"^## \d+\. (.+)$", (ROOT / "docs/internals/rules.md").read_text("utf-8"), re.MULTILINE)
QUERIES = list_store("*.sql")
MARK = re.compile(r'@guards\("([^"]+)"\)|^-- guards: (.+)$', re.MULTILINE)


def marks() -> dict[str, list[str]]:
    """Return the rules that each file's guards name."""
    paths = [path for path in (*python_files("bot", "handlers"), *QUERIES) if path.name != "guards.py"]
    found = {named(path): MARK.findall(path.read_text(encoding="utf-8")) for path in paths}
    return {file: ["".join(groups) for groups in some] for file, some in found.items() if some}


def test_marked_guards_name_rules():
    assert {rule for rules in marks().values() for rule in rules} <= set(RULES)
    assert len(marks()) > 5


def test_every_marked_guard_has_a_mutant():
    found = {file: {one.function for one in make_all(file) if one.is_guard} for file in marks()}
    assert [file for file, functions in found.items() if not functions] == []
    for path in QUERIES:
        parts = re.split(r"^-- (?:name|part): ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        marked = {part.partition("\n")[0] for part in parts if "\n-- guards: " in part}
        assert found.get(named(path), set()) == marked
