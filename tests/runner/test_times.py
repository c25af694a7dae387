"""The table of times says what is slow, changes where something has, and knows no test that is gone."""

from __future__ import annotations

from tests.runner import times
from tests.runner.times import SLOW, USUAL, Times

HERE = "tests/runner/test_times.py"
NAME = f"{HERE}::test_a_case_that_takes_longer_than_the_others_has_a_row_of_its_own"
OTHER = f"{HERE}::test_a_row_that_is_about_right_stays"


def test_a_case_that_takes_longer_than_the_others_has_a_row_of_its_own():
    spent = {f"{NAME}[{number}]": (0.01, 0.01) for number in range(9)} | {f"{NAME}[::]": (7.0, 3.0)}
    found = Times({}).recorded(spent)
    assert found.rows == {f"{NAME}[::]": (5.0, 2.0)}
    assert (found.seconds(f"{NAME}[::]"), found.seconds(f"{NAME}[1]")) == (5.0, USUAL)


def test_cases_that_all_take_long_have_one_row():
    found = Times({}).recorded({f"{NAME}[{number}]": (SLOW + number / 10, 0.3) for number in range(3)})
    assert found.rows == {NAME: (0.5, 0.2)}
    assert found.seconds(f"{NAME}[7]") == SLOW


def test_a_row_that_is_about_right_stays():
    table = Times({NAME: (2.0, 1.0), OTHER: (5.0, 5.0)})
    assert table.recorded({NAME: (1.5, 2.9)}).rows == table.rows
    assert table.recorded({NAME: (6.1, 0.6)}).rows == {NAME: (5.0, 0.5), OTHER: (5.0, 5.0)}
    assert table.recorded({NAME: (0.1, 0.1)}).rows == {OTHER: (5.0, 5.0)}


def test_what_two_clocks_measured_may_be_a_little_less_than_nothing():
    assert Times({}).recorded({NAME: (-1e-6, 0.0)}).rows == {}


def test_a_row_whose_test_is_gone_goes():
    table = Times(dict.fromkeys([f"{HERE}::test_is_gone[1]", "tests/gone.py::test_it", NAME], (2.0, 1.0)))
    assert table.unknown() == [f"{HERE}::test_is_gone[1]", "tests/gone.py::test_it"]
    assert set(table.recorded({}).rows) == {NAME}


def test_what_is_written_is_what_is_read(tmp_path):
    name = NAME + '[a "quoted" \\ line\n\x7f]'
    table = Times({name: (0.5, 0.0), OTHER: (20.0, 0.2)})
    table.write(tmp_path / "times.toml")
    assert times.read(tmp_path / "times.toml").rows == table.rows


def test_the_table_knows_the_tests_that_there_are():
    unknown = times.table().unknown()
    assert len(unknown) <= len(times.table().rows) // 10, "`pytest --workers 2 --record-times` anew"
