"""The patches fit the code that they break, and name tests that exist; whether those fail is asked apart."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from functools import cache

import pytest

from tests.project.repository import ROOT, tree
from tests.promises.patches import Outdated, Patch, patches, rules

ALL = patches()


def test_each_has_a_name_of_its_own():
    assert [name for name, count in Counter(one.name for one in ALL).items() if count > 1] == []


def test_every_rule_has_some():
    assert [one for one in rules() if one not in {patch.rule for patch in ALL}] == []


def test_each_fits_the_code_as_it_is(tmp_path):
    """Their old texts stand where they say, once, and their new ones name nothing that isn't there."""
    for number, patch in enumerate(ALL):
        patched = patch.patched()
        if patch.file.endswith(".py"):
            (tmp_path / f"{number}.py").write_text(patched, encoding="utf-8")
    words = ["check", "--isolated", "--quiet", "--select=E9,F821,F822,F823", "--output-format=concise"]
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", *words, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (checked.stdout, checked.returncode) == ("", 0)


@pytest.mark.parametrize("name", ["there is no such text", "def "])
def test_one_that_fits_no_more_says_so(name):
    patch = Patch("old-one", "", "bot/support/clock.py", "", name, "", (), ROOT)
    with pytest.raises(Outdated, match=r"old-one: its old text stands \d+ times in bot/support/clock.py"):
        patch.patched()


def test_tests_that_notice_are_known_and_exist():
    assert [one.name for one in ALL if not one.red] == []
    named = {name.partition("[")[0] for one in ALL for name in one.red}
    assert [
        name for name in sorted(named) if name.partition("::")[2] not in _tests(name.partition("::")[0])
    ] == []


@cache
def _tests(file: str) -> set[str]:
    if not (ROOT / file).is_file():
        return set()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {node.name for node in tree(ROOT / file).body if isinstance(node, kinds)}
    for group in tree(ROOT / file).body:
        if isinstance(group, ast.ClassDef):
            found |= {f"{group.name}::{node.name}" for node in group.body if isinstance(node, kinds)}
    return found
