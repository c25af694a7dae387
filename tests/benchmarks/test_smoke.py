"""Tests that a benchmark runs to its end and prints its figures in the documented format."""

import asyncio
import json
from dataclasses import replace

import pytest

from benchmarks.__main__ import MEASUREMENTS, main
from benchmarks.claims import measure_claims
from benchmarks.figures import GOALS, Figure, quantile
from benchmarks.machine import busier
from benchmarks.polls import measure_polls
from benchmarks.sizes import TOY


# For the other benchmarks, the type checker must do.
@pytest.mark.thorough
async def test_a_measurement_prints_its_figures(capsys):
    assert await asyncio.to_thread(main, ["--toy", "help"]) == 0
    (figure,) = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert set(figure) - {"note"} == {
        *("name", "value", "unit", "baseline", "ratio", "difference", "goal", "met")
    }
    assert (figure["name"], figure["unit"]) == ("ack_help_cpu", GOALS["ack_help_cpu"].unit)
    assert figure["ratio"] == pytest.approx(figure["value"] / figure["baseline"], rel=0.01)


def test_every_figure_has_a_goal_and_a_measurement():
    assert sorted(GOALS) == sorted(figure for _, figures in MEASUREMENTS.values() for figure in figures)


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("unsigned_cpu", 32.0, 20.0), True),
        (Figure("unsigned_cpu", 32.1, 20.0), False),
        (Figure("unsigned_cpu", 1.0), False),
        (Figure("poll_cpu", 440.0, 200.0), None),
        (Figure("start_rate", 300.0), True),
        (Figure("start_rate", 299.0), False),
        (Figure("gap_min", 10.0), True),
        (Figure("gap_min", 10.9, sound=False), False),
        (Figure("idle_memory", 120.1), False),
    ],
)
def test_a_goal_is_met_or_not(figure, met):
    assert figure.met is met


def test_an_unsound_figure_says_why_and_meets_nothing():
    said = json.loads(Figure("gap_min", 10.9, sound=False, note="the provider was busier").line())
    assert (said["met"], said["unsound"]) == (False, "the provider was busier")
    assert json.loads(Figure("idle_memory", 9.0, sound=False).line())["unsound"]
    assert "unsound" not in json.loads(Figure("gap_min", 10.9, note="4 workers").line())


def test_a_peer_that_is_busier_than_the_bot_is_named():
    assert busier(2.0, {"the provider": 2.0, "Slack": 0.1}) == ""
    assert busier(2.0, {"the provider": 2.1, "Slack": 0.1}).startswith("the provider used 2.1 s of CPU")


# The two tests above cover what a busy peer is, and what is printed about one.
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("measure", "count"), [(measure_polls, 6), (measure_claims, 5)], ids=["polls", "claims"]
)
async def test_a_run_beside_a_busy_provider_says_that_it_is_unsound(measure, count):
    # Even on a busy machine, each workspace is read twice in this time, at least ten seconds apart.
    sizes = replace(TOY, waste=0.05, workers=1, watch_seconds=30.0)
    found = [json.loads(figure.line()) for figure in await measure(sizes)]
    assert {(one["met"], "the provider used" in one["unsound"]) for one in found} == {(False, True)}
    assert len(found) == count


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "there is no nothing" in capsys.readouterr().err


def test_a_quantile_is_one_of_the_values():
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0], 0.99) == 3.0
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)
