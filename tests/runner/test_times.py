"""The table of times says what is slow, changes where something has, and knows no test that is gone."""

from __future__ import annotations

import subprocess
import sys
from subprocess import PIPE

from tests.runner import spent, times
from tests.runner.times import SLOW, USUAL, Cost, Times

HERE = "tests/runner/test_times.py"
NAME = f"{HERE}::test_a_case_that_takes_longer_than_the_others_has_a_row_of_its_own"
OTHER = f"{HERE}::test_a_row_that_is_about_right_stays"


def rows(table, tests):
    return table.recorded(Cost(tests), is_whole=False).rows


def test_a_case_that_takes_longer_than_the_others_has_a_row_of_its_own():
    spent = {f"{NAME}[{number}]": (0.01, 0.01) for number in range(9)} | {f"{NAME}[::]": (7.0, 3.0)}
    found = Times({}).recorded(Cost(spent), is_whole=False)
    assert found.rows == {f"{NAME}[::]": (5.0, 2.0)}
    assert (found.seconds(f"{NAME}[::]"), found.seconds(f"{NAME}[1]")) == (5.0, USUAL)


def test_cases_that_all_take_long_have_one_row():
    found = Times({}).recorded(
        Cost({f"{NAME}[{number}]": (SLOW + number / 10, 0.3) for number in range(3)}), is_whole=False
    )
    assert found.rows == {NAME: (0.5, 0.2)}
    assert found.seconds(f"{NAME}[7]") == SLOW


def test_a_row_that_is_about_right_stays():
    table = Times({NAME: (2.0, 1.0), OTHER: (5.0, 5.0)})
    assert table.recorded(Cost({NAME: (1.5, 2.9)}), is_whole=False).rows == table.rows
    assert table.recorded(Cost({NAME: (6.1, 0.6)}), is_whole=False).rows == {
        NAME: (5.0, 0.5),
        OTHER: (5.0, 5.0),
    }
    assert table.recorded(Cost({NAME: (0.1, 0.1)}), is_whole=False).rows == {OTHER: (5.0, 5.0)}


def test_what_two_clocks_measured_may_be_a_little_less_than_nothing():
    assert rows(Times({}), {NAME: (-1e-6, 0.0)}) == {}


def test_a_row_whose_test_is_gone_goes():
    table = Times(dict.fromkeys([f"{HERE}::test_is_gone[1]", "tests/gone.py::test_it", NAME], (2.0, 1.0)))
    assert table.unknown() == [f"{HERE}::test_is_gone[1]", "tests/gone.py::test_it"]
    assert set(rows(table, {})) == {NAME}


def test_what_is_written_is_what_is_read(tmp_path):
    name = NAME + '[a "quoted" \\ line\n\x7f]'
    table = Times({name: (0.5, 0.0), OTHER: (20.0, 0.2)})
    table.write(tmp_path / "times.toml")
    assert times.read(tmp_path / "times.toml").rows == table.rows


def test_a_whole_run_says_what_folders_take_and_how_much_of_it_all_that_explains(tmp_path):
    tests = {NAME: (2.0, 1.5), OTHER: (0.25, 0.25), "tests/app/test_it.py::test_it": (7.0, 6.0)}
    beside = {"postgres": 0.75, "bots": 4.5}
    cost = Cost(tests, collection=1.0, beside=beside, elsewhere=4.0, whole=12.5)
    table = Times({}).recorded(cost, is_whole=True)
    table.write(tmp_path / "times.toml")
    found = times.read(tmp_path / "times.toml")
    assert found.folders == {"tests/app": [7.0, 6.0, USUAL], "tests/runner": [2.2, 1.8, 0.25]}
    assert found.beside == {"whole": 12.5, "explained": 0.8, "collection": 1, "postgres": 0.8, "bots": 0.5}
    assert (found.seconds(OTHER), found.seconds("tests/else/test_it.py::test_it")) == (0.25, USUAL)
    assert "12.5 s of the processor, of which 80.0% are" in next(cost.lines())
    # A run of some tests doesn't know what the others of their folders take.
    assert found.recorded(Cost({OTHER: (1.0, 1.0)}, whole=9.0), is_whole=False).folders == found.folders


def test_what_a_process_starts_counts_while_it_runs_and_once_it_has_ended():
    before, others = spent.ended(), spent.running()
    busy = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", busy], stdin=PIPE, stdout=PIPE) as process:
        process.stdout.readline()
        assert sys.platform != "linux" or spent.running() - others >= 0.28
        process.communicate(b"\n")
    assert spent.ended() - before >= 0.28


def test_the_table_knows_the_tests_that_there_are():
    unknown = times.table().unknown()
    assert len(unknown) <= len(times.table().rows) // 10, "`pytest --workers 4 --record-times` anew"
