"""Whoever removes a test leaves one that notices what it noticed."""

from tests.promises.kills import Kills
from tests.promises.mutants import mutants
from tests.runner.times import Times

#: Its tests are those of the kit, which it imports.
KIT = "tests/contract/providers/test_conformance.py"


def gone(tests):
    unknown = Times(dict.fromkeys(tests, (0.0, 0.0))).unknown()
    return {test for test in unknown if not test.startswith(KIT)}


def test_somebody_is_left_to_notice_each_mutant_of_the_table():
    by = Kills.kept().by
    missing = gone({test for some in by.values() for test in some})
    alone = {mutant for mutant, some in by.items() if some and missing.issuperset(some)}
    # What the code doesn't have any more needs nobody.
    possible = {one.name for file in {mutant.partition("::")[0] for mutant in alone} for one in mutants(file)}
    assert alone & possible == set(), "give these a test, or measure the table again"


def test_the_table_is_read_as_it_was_written(tmp_path):
    kills = Kills()
    kills.add("bot/b.py::c: 1 -> 2", ["tests/a.py::b[1]", "tests/a.py::b[2]", "tests/a.py::c"], 40)
    kills.add("bot/a.py::b: 1 -> 2", ["tests/a.py::c"], 3)
    kills.add("bot/a.py::b: 2 -> 3", [], 3)
    kills.keep(tmp_path / "kills.json")
    read = Kills.kept(tmp_path / "kills.json")
    assert read == kills
    assert read.by["bot/b.py::c: 1 -> 2"] == ["tests/a.py::b", "tests/a.py::c"]
