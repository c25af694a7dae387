"""A run names the thorough tests that it leaves out, and each commit draws what it keeps of a matrix."""

from types import SimpleNamespace

import pytest

from tests import conftest
from tests.rigs.thorough import draw_number, draw_one


def is_thorough(row):
    return any(mark.name == "thorough" for mark in row.marks)


def test_one_row_is_kept_and_the_others_are_thorough():
    rows = draw_one(["a", "b", "c"])
    assert [row.id for row in rows] == ["a", "b", "c"]
    assert sum(not is_thorough(row) for row in rows) == 1


def test_commits_draw_every_row():
    commits = [f"{number:040x}" for number in range(100)]
    assert {draw_number(commit, 9) for commit in commits} == {*range(9)}
    assert draw_number("", 9) == 0


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (8, ["Left out: 8 thorough tests. Run them with `make test-thorough`."]),
        (0, []),
    ],
    ids=["some", "none"],
)
def test_last_line_counts_what_is_left_out(count, expected):
    lines = []
    terminal = SimpleNamespace(write_line=lines.append)
    config = SimpleNamespace(
        pluginmanager=SimpleNamespace(get_plugin=lambda name: {"terminalreporter": terminal}[name]),
        stash={conftest.LEFT_OUT: count},
    )
    conftest.pytest_unconfigure(config)
    assert lines == expected
