"""``make bench BENCH=structure`` counts the functions and files that a start passes through."""

from __future__ import annotations

import asyncio

from benchmarks import structure
from benchmarks.structure import Tracer

CALLED = """
def call():
    return [number for number in (lambda: range(3))()]
"""


async def test_structure_counts_start_until_its_message():
    crossed = await structure.play_start()
    answer, start = crossed["answer"], crossed["start"]
    assert all(10 < answer[what] < start[what] for what in ("functions", "defs", "files"))
    for counts in (answer, start):
        assert counts["files"] < counts["defs"] < counts["functions"]


def test_defs_leave_out_lambdas_and_comprehensions(tmp_path, monkeypatch):
    monkeypatch.setattr(structure, "ROOT", tmp_path)
    names = {}
    exec(compile(CALLED, str(tmp_path / "bot" / "calling.py"), "exec"), names)
    with Tracer() as tracer:
        names["call"]()
    counts = tracer.counts()
    assert (counts["defs"], counts["files"]) == (1, 1)
    # Before Python 3.12, a comprehension counts as a function of its own.
    assert counts["functions"] in (2, 3)


def test_each_figure_of_structure_has_a_goal():
    figures = asyncio.run(structure.measure_structure(None))
    assert [figure.name for figure in figures] == [
        f"{end}_{what}" for end in ("answer", "start") for what in ("functions", "defs", "files")
    ]
