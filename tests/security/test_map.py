"""The map of threats, and the promises to whoever reports one, name tests that exist."""

import re

import pytest

from tests.project.repository import ROOT

MAP = (ROOT / "docs/internals/security.md").read_text(encoding="utf-8")
PROMISES = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROOFS = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", MAP + PROMISES)
ROWS = range(1, 42)


@pytest.mark.parametrize(("path", "name"), PROOFS)
def test_a_proof_is_there(path, name):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert f"def {name}(" in text if name else "def test_" in text


def test_every_row_has_a_proof():
    rows = re.findall(r"^(\d+)\. (.*\n(?: .*\n)+)", MAP, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(ROWS)
    assert all("`tests/" in row for _, row in rows)


def test_every_promise_has_a_proof():
    promises = PROMISES.partition("| promise | test |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    assert len(promises) >= 10
    assert all("`tests/" in promise for promise in promises)
