"""Tests of the parts of a chaos run: the local servers can have each fault, and clocks can be changed."""

import asyncio
import json
import random
import subprocess
import sys
import time

import pytest

from benchmarks.chaos.clocks import WallClock
from benchmarks.chaos.stage import stage
from benchmarks.chaos.weather import MODES, Weather
from tests.rigs import programs


@pytest.fixture
async def made(tmp_path):
    async with stage(tmp_path, 2, random.Random(1)) as ready:
        yield ready


@pytest.mark.parametrize("mode", MODES)
async def test_every_burst_of_a_mode_can_begin_and_is_over_when_it_is_cleared(made, mode):
    weather = Weather(made, random.Random(3), {mode}, 30.0)
    harnesses = (made.slack_harness, made.saturn.harness)
    for burst in MODES[mode].values():
        weather.begin(burst, 0.0)
    faults = [fault for harness in harnesses for fault in harness.faults]
    assert len(faults) == len(MODES[mode])
    assert all(fault.acts_after_s <= 30.0 for fault in faults)
    for fault in faults:
        weather.note_fault(fault)
    assert weather.met == {mode: len(faults)}
    assert weather.was_away == any(burst.is_away for burst in MODES[mode].values())
    if mode == "limited":
        assert len(weather.limited) == 1
    weather.forget(10.0 if mode == "refused_all" else 1.0)
    if mode == "slack_away":
        # The outage of Slack stays, whatever other faults are added, and however many.
        for _ in range(20):
            weather.begin(MODES["slack"]["slack_5xx"], 1.0)
        weather.forget(300.0)
        assert len(made.slack_harness.faults) == 1
    weather.forget(400.0)
    assert [fault for harness in harnesses for fault in harness.faults] == []


class Same(random.Random):
    """A random generator that always chooses the first option and a short wait."""

    def choice(self, seq):
        return seq[0]

    def uniform(self, _a, _b):
        return 0.01


async def test_storm_begins_with_each_of_its_modes(made):
    weather = Weather(made, Same(3), {"posts", "odd"}, 30.0)
    await weather.storm(0.1)
    assert weather.bursts["odd_entry"] >= 1
    assert weather.bursts["post_hangs"] >= 1


async def test_repeated_messages_have_other_event_ids(made):
    """Without any message, there is nothing to repeat."""
    slack, weather = made.slacks[0], Weather(made, random.Random(3), {"repeats"}, 30.0)
    await weather.repeat(0.01)
    assert weather.bursts["repeats"] == 0
    await slack.say(made.people[0].user, "@bot", "list")
    await weather.repeat(0.01)
    sent = [json.loads(one.body) for one in slack.dispatcher.sent]
    # The bot doesn't answer here, so Slack also delivers the first event again, under the same id.
    assert {one["event"]["text"] for one in sent} == {"list"}
    assert len({one["event_id"] for one in sent}) == 2


async def test_a_clock_moves_in_a_process_that_runs_already(tmp_path):
    clock = WallClock(tmp_path)
    if not await clock.make():
        programs.leave("there is no C compiler: install Debian's package gcc")
    script = "import time, datetime; input(); print(time.time(), datetime.datetime.now().timestamp())"
    clock.set(50.0)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(clock.environment()),
    )
    clock.set(-200.0)
    said, _ = await process.communicate(b"\n")
    assert all(abs(float(one) - (time.time() - 200.0)) < 5.0 for one in said.split())
