"""An output that can't be drawn: the others' messages and files come all the same."""

from typing import Any

import pytest

from bot.domain.runs import Run
from bot.services.gather import Gatherer
from bot.slack.notifier.redrawing import Outputs
from tests.reconciler.runs import output, said


class Broken(Gatherer):
    """Fail at one run."""

    bad = ""

    async def of_run(self, run: Run) -> Any:
        if run.id == self.bad:
            raise ValueError("a fault of our own")
        return await super().of_run(run)


@pytest.fixture
async def runs(runs):
    runs.cloud.job_takes = None
    for run in ("run1", "run2"):
        runs.cloud.opens(run)
    return runs


async def test_one_that_fails_holds_no_other_up(runs):
    first, second = await runs.runs(), await runs.runs()
    await runs.world.pass_time(5)
    for run in ("run1", "run2"):
        runs.cloud.writes(run, "begun\n")
    await runs.world.pass_time(5)
    world = runs.world
    gatherer = Broken(world.context, world.board)
    gatherer.bad = first
    outputs = Outputs(world.context, world.line, gatherer, world.timing, world.board)
    for run in ("run1", "run2"):
        runs.cloud.writes(run, "news\n")
    await world.reconciler.streams.step(world.streams)
    runs.clock.advance(4)
    for _ in range(3):
        await outputs.step()
    assert "news" in said(output(runs, second))
    assert "news" not in said(output(runs, first))
