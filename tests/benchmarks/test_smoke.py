"""Each measurement runs to its end and prints its figures in the form that is promised."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.figures import GOALS, Figure, quantile
from tests.project.repository import ROOT

#: What another measurement does all of, and more.
WITHIN_OTHERS = {"claims": "watched", "class": "class_shared"}


# Up to half a minute alone on two cores, and twice that beside other work.
@pytest.mark.slow
@pytest.mark.timeout(330)
@pytest.mark.parametrize("name", [name for name in MEASUREMENTS if name not in WITHIN_OTHERS])
def test_a_measurement_prints_its_figures(name):
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--toy", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    figures = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [figure["name"] for figure in figures] == list(MEASUREMENTS[name][1])
    for figure in figures:
        assert set(figure) - {"note"} == {"name", "value", "unit", "baseline", "ratio", "goal", "met"}
        assert isinstance(figure["value"], int | float)
        assert figure["unit"] == GOALS[figure["name"]].unit
        assert (figure["baseline"] is None) == (figure["ratio"] is None)
        assert isinstance(figure["met"], bool)


def test_every_figure_has_a_goal_and_a_measurement():
    assert sorted(GOALS) == sorted(figure for _, figures in MEASUREMENTS.values() for figure in figures)


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("ack_help_cpu", 300.0, 200.0), True),
        (Figure("ack_help_cpu", 301.0, 200.0), False),
        (Figure("ack_help_cpu", 1.0), False),
        (Figure("start_rate", 300.0), True),
        (Figure("start_rate", 299.0), False),
        (Figure("gap_min", 10.0), True),
        (Figure("gap_min", 10.9, sound=False), False),
        (Figure("idle_memory", 120.1), False),
    ],
)
def test_a_goal_is_met_or_not(figure, met):
    assert figure.met is met


def test_an_unknown_name_is_refused():
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "there is no nothing" in ran.stderr


def test_a_quantile_is_one_of_the_values():
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0], 0.99) == 3.0
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)
