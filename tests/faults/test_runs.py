"""Trouble at the N-th call of a run of a job, for every N: launched once, told of once, whole in one file."""

from itertools import count

import pytest

from tests.faults.outlets import Fuse
from tests.faults.run_world import jobs_world
from tests.faults.test_every_call import HOW

#: The run itself, and what is read of it.
RUNS_FOR = 30.0
#: Leases of the dead run out, messages of unknown outcome settle, streams begin again.
SETTLES = 150.0


async def go_through(folder, how, numbers):
    """Run a job with trouble at each number until one is beyond its last call; return that."""
    async with jobs_world(folder) as world:
        for at in numbers:
            fuse = world.breaker.fuse = Fuse(at, **HOW[how], done=world.breaker.done)
            try:
                await world.runs(at)
                await world.time(RUNS_FOR, step=2)
                if fuse.is_dead and world.breaker.fuse is fuse:
                    await world.reborn()
                world.breaker.fuse = Fuse()
                await world.until_over(SETTLES)
                await world.is_whole()
                await world.check()
            except Exception as error:
                error.add_note(f"{how} at call {at}: {fuse.what or 'nothing blew'}")
                raise
            if fuse.count < at:
                return at
    raise AssertionError("the story finds no end")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("how", HOW)
async def test_trouble_at_any_call_of_a_run(request, tmp_path, how):
    """Every number each way with ``--every-call``; else every 56th, so each fourteenth in one way."""
    numbers = (
        count(1) if request.config.getoption("--every-call") else count(1 + list(HOW).index(how) * 14, 56)
    )
    assert await go_through(tmp_path, how, numbers) > 20
