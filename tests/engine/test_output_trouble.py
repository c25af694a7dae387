"""An output that can't be drawn: the others' messages and files come all the same."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.models import Job
from bot.services.gather import Gatherer
from bot.slack.notifier.outputs import Outputs
from tests.engine.jobs import new_job_world, output, said


class Broken(Gatherer):
    """Fail at one run."""

    bad = ""

    async def of_job(self, job: Job) -> Any:
        if job.id == self.bad:
            raise ValueError("a fault of our own")
        return await super().of_job(job)


@pytest.fixture
async def jobs():
    async with new_job_world() as made:
        made.cloud.job_takes = None
        for run in ("run1", "run2"):
            made.cloud.opens(run)
        yield made


async def test_one_that_fails_holds_no_other_up(jobs):
    first, second = await jobs.runs(), await jobs.runs()
    await jobs.world.pass_time(5)
    for run in ("run1", "run2"):
        jobs.cloud.writes(run, "begun\n")
    await jobs.world.pass_time(5)
    world = jobs.world
    gatherer = Broken(world.context, world.board)
    gatherer.bad = first
    outputs = Outputs(world.context, world.line, gatherer, world.timing, world.board)
    for run in ("run1", "run2"):
        jobs.cloud.writes(run, "news\n")
    await world.reconciler.step_streams(world.streams)
    jobs.clock.advance(4)
    for _ in range(3):
        await outputs.step()
    assert "news" in said(output(jobs, second))
    assert "news" not in said(output(jobs, first))
