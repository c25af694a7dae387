"""Tests that modules are small, described and portable, and only one of them reads the environment."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.repository import ROOT, files, named, python_files, tree

RUFF = Path(sys.executable).with_name("ruff")

LONGEST_MODULE = 700

# Each pattern is assembled from parts, so that this file doesn't match it. "jovyan" is the user in Jupyter's
# images, not a person.
FORBIDDEN = {
    "a note of work not done": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
    "a package index": re.compile(
        r"(?<!no-emit)-index" + r"-url|--find" + r"-links|py" + r"pi\.org|python" + r"hosted"
    ),
    "a folder of one machine": re.compile(
        r"(?<![\w.}])/(?:wo" + r"rk|ro" + r"ot|Us" + r"ers|ho" + r"me/(?!jovyan/)[a-z]\w*)/"
    ),
    "a merge left open": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}

#: Other people published the schemas, so they stay unchanged.
SCHEMAS = ROOT / "tests/project/schemas"

#: Matches the start of a module: its docstring, after a #! line if it is a script.
SAYS = re.compile(r'(?:#!.*\n)?r?"""\S')


def test_no_module_is_longer_than_the_cap():
    modules = python_files("bot", "handlers", "playground", "benchmarks", "tests", "tools")
    lengths = {named(path): path.read_text(encoding="utf-8").count("\n") for path in modules}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_every_module_says_what_it_is():
    modules = python_files("bot", "handlers", "playground", "benchmarks", "tests", "tools")
    assert modules
    assert [named(path) for path in modules if not SAYS.match(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.environ['A']",
        "import os\nos.getenv('A')",
        "from os import environ",
        "from os import getenv as ask",
        "import os as system\nsystem.environ",
    ],
)
def test_environment_is_banned_outside_of_its_module(source):
    for folder, status in (("bot/web", 1), ("handlers", 1), ("tests", 0)):
        words = [RUFF, "check", "--select=TID251", f"--stdin-filename={folder}/made_up.py", "-"]
        done = subprocess.run(words, input=source, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, "reads the environment" in done.stdout) == (status, bool(status))


def test_a_start_on_sqlite_does_not_import_the_driver_of_postgresql():
    imports = {
        named(path).removesuffix(".py").replace("/", "."): {
            name
            for node in tree(path).body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            )
        }
        for path in python_files("bot", "handlers")
    }
    found: set[str] = set()
    while more := {
        module
        for module, names in imports.items()
        if module not in found and any(name in found or name.partition(".")[0] == "psycopg" for name in names)
    }:
        found |= more
    assert found
    assert {module for module in found if not module.startswith("bot.store.postgres")} == set()


def test_no_file_holds_what_belongs_elsewhere():
    found = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path.parent == SCHEMAS:
            continue
        for what, pattern in FORBIDDEN.items():
            found += [f"{named(path)}: {what}: {hit.group()}" for hit in pattern.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("# TO" + "DO: later", "a note of work not done"),
        ("--extra-index" + "-url https://example.org", "a package index"),
        ("see /ho" + "me/alice/notes", "a folder of one machine"),
        ("cd /wo" + "rk/main", "a folder of one machine"),
    ],
)
def test_the_search_for_what_belongs_elsewhere_finds(text, what):
    assert FORBIDDEN[what].search(text)
