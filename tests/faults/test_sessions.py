"""Trouble at the N-th call of making a session by the form, for every N: made once, told of once, up."""

from itertools import count

import pytest

from tests.faults.outlets import Fuse
from tests.faults.session_world import sessions_world
from tests.faults.test_every_call import HOW

#: The launch, and the reads until it runs.
STARTS_FOR = 30.0
#: Leases of the dead run out, and what a lost launch made is found by its name, or certainly not.
SETTLES = 240.0


async def go_through(folder, how, numbers):
    """Make a session with trouble at each number until one is beyond its last call; return that."""
    async with sessions_world(folder) as world:
        for at in numbers:
            name = f"paper-{at}"
            fuse = world.breaker.fuse = Fuse(at, **HOW[how], done=world.breaker.done)
            try:
                await world.makes(name)
                await world.time(STARTS_FOR)
                if fuse.is_dead and world.breaker.fuse is fuse:
                    await world.reborn()
                world.breaker.fuse = Fuse()
                await world.until_over(SETTLES, step=10)
                await world.is_whole(name)
                await world.check()
            except Exception as error:
                error.add_note(f"{how} at call {at}: {fuse.what or 'nothing blew'}")
                raise
            world.clears_up(name)
            if fuse.count < at:
                return at
    raise AssertionError("the making finds no end")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", HOW)
async def test_trouble_at_any_call_of_a_making(request, tmp_path, how):
    """Every number each way with ``--every-call``; else every 40th, so each tenth in one way."""
    numbers = (
        count(1) if request.config.getoption("--every-call") else count(1 + list(HOW).index(how) * 10, 40)
    )
    assert await go_through(tmp_path, how, numbers) > 20
