"""Tests that ``make test`` runs ten cases of a product, and ``make test-thorough`` runs all of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.project.repository import ROOT
from tests.rigs import thorough

LETTERS, DIGITS = "abcdefgh", range(30)


class Item:
    """A case as pytest collects it, with its values and marks."""

    def __init__(self, name, values, *marks):
        self.nodeid = f"test_it.py::test_it[{name}]"
        self.parent, self.originalname = "test_it.py", "test_it"
        self.callspec = type("CallSpec", (), {"params": values})
        self.marks = [*marks]

    def iter_markers(self, name):
        return [mark for mark in self.marks if mark.name == name]

    def get_closest_marker(self, name):
        return next(iter(self.iter_markers(name)), None)

    def add_marker(self, mark):
        self.marks.append(mark)


def collect(engines=("sqlite",), digits=DIGITS, *marks):
    """Return the cases of a test that is parametrized twice, for each engine of a fixture."""
    product = [
        pytest.mark.parametrize("letter", LETTERS).mark,
        pytest.mark.parametrize(("digit", "other"), [(digit, "") for digit in digits]).mark,
    ]
    return [
        Item(
            f"{engine}-{letter}-{digit}",
            {"engine": engine, "letter": letter, "digit": digit, "other": ""},
            *product,
            *marks,
        )
        for engine in engines
        for letter in LETTERS
        for digit in digits
    ]


def list_drawn(items):
    return [item for item in items if item.get_closest_marker("drawn")]


def test_product_keeps_each_value_of_each_list():
    items = collect()
    thorough.mark_products(items)
    drawn = list_drawn(items)
    assert sorted(item.callspec.params["digit"] for item in drawn) == list(DIGITS)
    letters = [item.callspec.params["letter"] for item in drawn]
    assert {letters.count(letter) for letter in LETTERS} <= {3, 4}
    left = [item for item in items if item.get_closest_marker("thorough")]
    assert len(left) == len(items) - len(drawn)


def test_product_of_short_lists_keeps_ten_cases():
    items = collect(digits=range(3))
    thorough.mark_products(items)
    assert len(list_drawn(items)) == 10


def test_product_is_drawn_for_each_engine():
    items = collect(engines=("sqlite", "postgresql"), digits=range(3))
    thorough.mark_products(items)
    engines = [item.callspec.params["engine"] for item in list_drawn(items)]
    assert (engines.count("sqlite"), engines.count("postgresql")) == (10, 10)


def test_small_product_and_named_case_are_kept():
    for items in (collect(digits=range(1)), collect()[:1]):
        thorough.mark_products(items)
        assert not [item for item in items if item.get_closest_marker("thorough")]


def test_drawn_rows_are_the_same_in_every_run():
    rows = [(number, "") for number in range(50)]
    names = [[mark.name for mark in row.marks] for row in thorough.draw(rows)]
    assert names == [[mark.name for mark in row.marks] for row in thorough.draw(rows)]
    assert (names.count(["drawn"]), names.count(["thorough"])) == (10, 40)


CASES = """
import pytest

@pytest.mark.parametrize("letter", "abcdefgh")
@pytest.mark.parametrize("digit", range(4))
def test_product(letter, digit):
    pass

@pytest.mark.parametrize("digit", range(32))
def test_examples(digit):
    pass
"""
LEFT_OUT = "Left out: 22 thorough tests. Run them with `make test-thorough`."


def run(folder, *options):
    """Return pytest's output for the tests in a folder, with this repository's settings."""
    (folder / "test_cases.py").write_text(CASES)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), str(folder), *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_thorough_run_has_all_cases_of_a_product(tmp_path):
    said = run(tmp_path, "--collect-only", "--thorough")
    assert len(re.findall(r"test_cases\.py::test_product\S+", said)) == 32
    assert "test_examples" not in said


def test_run_in_workers_draws_and_names_what_it_leaves_out(tmp_path):
    said = run(tmp_path, "-n", "2")
    assert "42 passed" in said, "ten of the product, and all examples"
    assert said.splitlines()[-1] == LEFT_OUT
