"""Tests with a fault at the N-th call of a story, for every N: one start, one message, and nothing lost."""

from itertools import count, cycle

import pytest

from tests.faults.outlets import Fuse
from tests.faults.stories import STORIES, with_trouble

#: The kinds of faults: a kill or an error, before the call is sent or after its effect.
HOW = {
    "kill-before": {"is_kill": True, "after": False},
    "kill-after": {"is_kill": True, "after": True},
    "error-before": {"is_kill": False, "after": False},
    "error-after": {"is_kill": False, "after": True},
}


async def go_through(folder, name, troubles):
    """Play a story with one fault after another, until a fault is beyond the last call; return its number."""
    story = STORIES[name]
    async with story.world(folder, story.options).running() as world:
        for at, how in troubles:
            fuse = Fuse(at, **HOW[how], done=world.breaker.done)
            try:
                await with_trouble(world, story, fuse)
            except Exception as error:
                error.add_note(f"{how} at call {at} of {name}: {fuse.what or 'nothing blew'}")
                raise
            if fuse.count < at:
                return at
    raise AssertionError("the story finds no end")


@pytest.mark.parametrize("name", STORIES)
async def test_trouble_at_some_calls_breaks_no_promise(tmp_path, name):
    """Play each story with faults at some of its calls, with the four kinds in turn."""
    apart = STORIES[name].apart
    numbers = count(1 + list(STORIES).index(name) % apart, apart)
    assert await go_through(tmp_path, name, zip(numbers, cycle(HOW), strict=False)) > 20


@pytest.mark.thorough
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", STORIES)
async def test_trouble_at_any_call_breaks_no_promise(tmp_path, name, how):
    assert await go_through(tmp_path, name, ((at, how) for at in count(1))) > 20
