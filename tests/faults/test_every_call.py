"""Trouble at the N-th call of a story, for every N: one start, one message, nothing lost, the gate kept."""

from itertools import count

import pytest

from tests.faults.outlets import Fuse
from tests.faults.stories import STORIES, with_trouble

#: How: as a kill or as an error; when: before the call leaves, or after its effect.
HOW = {
    "kill-before": {"is_kill": True, "after": False},
    "kill-after": {"is_kill": True, "after": True},
    "error-before": {"is_kill": False, "after": False},
    "error-after": {"is_kill": False, "after": True},
}


async def go_through(folder, name, how, numbers):
    """Play a story with trouble at each number until one is beyond its last call; return that."""
    story = STORIES[name]
    async with story.world(folder, story.options).running() as world:
        for at in numbers:
            fuse = Fuse(at, **HOW[how], done=world.breaker.done)
            try:
                await with_trouble(world, story, fuse)
            except Exception as error:
                error.add_note(f"{how} at call {at} of {name}: {fuse.what or 'nothing blew'}")
                raise
            if fuse.count < at:
                return at
    raise AssertionError("the story finds no end")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", STORIES)
async def test_trouble_at_any_call_breaks_no_promise(request, tmp_path, name, how):
    """Every number each way with ``--every-call``; else some, the ways in turn."""
    every = STORIES[name].every
    each = every // len(HOW)
    first = 1 + list(HOW).index(how) * each + list(STORIES).index(name) % each
    numbers = count(1) if request.config.getoption("--every-call") else count(first, every)
    assert await go_through(tmp_path, name, how, numbers) > 20
