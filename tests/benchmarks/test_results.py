"""Tests of stored benchmark results: one file for each run.

The page shows the newest figures, missed goals first.
"""

from __future__ import annotations

import json

from benchmarks import results
from benchmarks.figures import Figure
from tools import docs

ROUNDS = [
    [Figure("startup", 0.9), Figure("idle_memory", 130.0), Figure("poll_cpu", 5000.0, 1500.0)],
    [Figure("startup", 2.0), Figure("idle_memory", 90.0), Figure("poll_cpu", 7000.0, 1700.0)],
    [Figure("startup", 1.1), Figure("idle_memory", 125.0), Figure("poll_cpu", 6000.0, 1600.0)],
]


def test_run_is_kept_with_medians_spread_and_machine(tmp_path):
    path = results.keep("0123456789abcdef", ROUNDS, tmp_path)
    (run,) = results.read_newest(tmp_path)
    assert path.name.endswith("-012345678.json")
    assert run["commit"] == "0123456789abcdef"
    assert run["processor"]
    startup, memory, start = run["figures"]
    assert (startup["median"], startup["least"], startup["most"], startup["met"]) == (1.1, 0.9, 2.0, True)
    assert (memory["median"], memory["met"]) == (125.0, False)
    assert (start["median"], start["baseline"], start["met"]) == (6000.0, 1600.0, None)


def test_unsound_round_misses_the_goal(tmp_path):
    results.keep("c", [[Figure("startup", 0.9)], [Figure("startup", 0.9, sound=False)]], tmp_path)
    (run,) = results.read_newest(tmp_path)
    assert [figure["met"] for figure in run["figures"]] == [False]


def test_figure_is_read_from_the_newest_run_that_measured_it(tmp_path):
    measured = [("first", "startup", "idle_memory", "gone"), ("second", "startup"), ("third", "startup")]
    for at, (commit, *names) in enumerate(measured):
        figures = [{"name": name, "median": at} for name in names]
        run = json.dumps({"commit": commit, "figures": figures})
        (tmp_path / f"2026-11-0{at + 1}T0000-{commit}.json").write_text(run, encoding="utf-8")
    found = [
        (run["commit"], [one["name"] for one in run["figures"]]) for run in results.read_newest(tmp_path)
    ]
    assert found == [("third", ["startup"]), ("first", ["idle_memory"])]


def test_page_shows_each_figure_by_whether_its_goal_is_met(tmp_path, monkeypatch):
    results.keep("0123456789abcdef", ROUNDS, tmp_path)
    runs = results.read_newest(tmp_path)
    monkeypatch.setattr(results, "read_newest", lambda: runs)
    missed, met, free = (docs.list_figures(met=met) for met in (False, True, None))
    assert "| `idle_memory` | ≤ 100 MB | 125 MB | 90 to 130 |" in missed
    assert "| `012345678` |" in missed
    assert "| `startup` |" in met
    assert "startup" not in missed
    assert "| `poll_cpu` | 6,000 µs of CPU per poll | 5,000 to 7,000 | 1,600 |" in free
    headings = docs.MADE_TABLES["docs/performance.md"]
    assert list(headings).index("Missed") < list(headings).index("Met")
