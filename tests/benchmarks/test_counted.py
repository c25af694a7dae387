"""Instructions are told by callgrind for each thread; what a process runs at rest is none of its work."""

from collections import Counter

import pytest

from benchmarks.__main__ import main
from benchmarks.counted import Counted, each, is_quiet, level, more, wrongs
from benchmarks.instructions import total
from benchmarks.machine import BenchmarkError

TOLD = """instrumentation: on
events: Ir
threads: 1 2
current-tid: 1
events-1: 12271
frames-1: 2
function-1-1: PyObject_Vectorcall
events-1-1: 2185
events-2: 29
frames-2: 0
"""


def test_the_threads_count_together_and_their_frames_not_again():
    assert total(TOLD) == 12_300
    assert total("instrumentation: off\n") == 0
    with pytest.raises(BenchmarkError, match="no cost"):
        total("cost: 12\n")


def test_what_runs_at_rest_is_taken_off_for_as_long_as_the_work_took():
    assert each(Counted(480e6, 10.0), 8e6, 8) == pytest.approx((480 - 80) / 8)


def test_rest_is_what_most_seconds_ran_and_work_within_them_makes_it_no_more():
    still = [5e6, 7e6, 6e6, 6e6]
    assert (level(still), is_quiet(still)) == (6e6, True)
    assert (level([*still, 40e6]), is_quiet([*still, 40e6])) == (6e6, False)
    # A process that does nothing at all is quiet, too.
    assert (level([0.0, 0.0]), is_quiet([0.0, 0.0, 4e5])) == (0.0, True)


def test_one_more_read_costs_what_the_longer_run_has_more_of():
    few, many = (Counted(500e6, 40.0), 200), (Counted(1_300e6, 40.0), 1_000)
    assert more(few, many) == pytest.approx(1.0)
    # One that took twice as long had twice the rest, and twice the few reads.
    assert more(few, (Counted(1_800e6, 80.0), 1_200)) == pytest.approx(1.0)
    with pytest.raises(BenchmarkError, match="200 and 200"):
        more(few, few)


@pytest.mark.parametrize(
    ("calls", "sent", "wrong"),
    [
        ({1: 2, 0: 5}, ["a/ready/end", "b/ready/end", "a/card/1"], ""),
        ({1: 1, 2: 1}, ["a/ready/end", "b/ready/end"], "1 workspaces were started more than once"),
        ({1: 2}, ["a/ready/end"] * 2, "1 messages came twice, such as a/ready/end"),
        ({1: 2}, ["a/ready/end", "b/card/1"], "1 of 2 people were told"),
    ],
)
def test_a_start_counts_only_if_it_was_called_and_told_once(calls, sent, wrong):
    assert wrongs(Counter(calls), Counter(sent), 2).startswith(wrong)
    assert bool(wrongs(Counter(calls), Counter(sent), 2)) == bool(wrong)


def test_where_valgrind_is_missing_it_is_named_and_nothing_is_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--toy", "counted_start", "counted_help", "counted_read"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("no valgrind, vgdb here: instructions are counted by valgrind") == 3
