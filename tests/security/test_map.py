"""Tests that the list of threats, and the promises in SECURITY.md, name tests that exist."""

import re
import tomllib

import pytest

from tests.project.repository import ROOT

MAP = (ROOT / "docs/internals/security.md").read_text(encoding="utf-8")
PROMISES = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
#: The tests that prove each defence, by its row or the title of its section.
TESTS = tomllib.loads((ROOT / "tests/security/threats.toml").read_text(encoding="utf-8"))
PROVEN = "\n".join(name for names in TESTS.values() for name in names)
PROOFS = re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", PROVEN + PROMISES)
ROWS = range(1, 42)


@pytest.mark.parametrize(("path", "name"), PROOFS)
def test_a_proof_is_there(path, name):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert f"def {name}(" in text if name else "def test_" in text


def test_every_row_has_a_proof():
    rows = re.findall(r"^(\d+)\. ", MAP, re.MULTILINE)
    assert [int(number) for number in rows] == list(ROWS)
    assert [number for number in rows if not TESTS.get(number)] == []


def test_threats_name_sections_of_the_map():
    titles = set(re.findall(r"^## (.+)$", MAP, re.MULTILINE))
    assert {name for name in TESTS if not name.isdigit()} <= titles


def test_every_promise_has_a_proof():
    promises = PROMISES.partition("| promise | test |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    assert len(promises) >= 10
    assert all("`tests/" in promise for promise in promises)
