"""Lives recorded by processes, some of which are killed: each life appears once, with its true times."""

import asyncio
from itertools import pairwise

import pytest

from bot.domain.usage import Known
from bot.store import open_store, usage
from bot.support.clock import SystemClock, SystemIds
from tests.rigs import forked
from tests.scenarios.test_upgrade import WAITS, Split

#: Maximum seconds between a process's call and the time that the provider records.
SLACK = 1.5


async def read_lives(world):
    store = await open_store(world.url, SystemClock(), SystemIds())
    try:
        return await store.read(lambda tx: list(usage.iterate_lives(tx, 0.0, 4e9)))
    finally:
        await store.close()


async def replace_killed(world, number, role):
    """Kill a process, and start another in its place."""
    await world.children[number].end()
    variables = world.variables() | {"PORT": str(world.ports[number])}
    world.children[number] = await forked.start([role], variables, world.folder)


async def wait_for_lives(world, ended, running):
    """Wait until exactly this many lives have ended and this many are open, and return them."""
    async with asyncio.timeout(120):
        while True:
            lives = await read_lives(world)
            if [one.ended is None for one in lives] == [False] * ended + [True] * running:
                return lives
            await asyncio.sleep(1.0)


@pytest.mark.thorough
@pytest.mark.timeout(400)
async def test_lives_of_two_webs_and_two_workers_are_those_of_the_provider(tmp_path):
    options = {"live": True, "saturn_seed": WAITS | {"dialect": "2026"}}
    async with Split(tmp_path, options).running() as world:
        alice = world.alice
        await alice.links("alice")
        for number, name in enumerate(("notebook", "training")):
            await alice.types(f"start {name}")
            # One worker is killed after the first start, and the other after the second.
            await replace_killed(world, 2 + number, "worker")
            await alice.waits_for("ready", f"*{name}*")
        await wait_for_lives(world, ended=0, running=2)
        for number, name in enumerate(("notebook", "training"), 1):
            await alice.types(f"stop {name}")
            await wait_for_lives(world, ended=number, running=2 - number)
        await alice.types("start notebook")
        await wait_for_lives(world, ended=2, running=1)
        await alice.types("stop notebook")
        lives = await wait_for_lives(world, ended=3, running=0)
        assert sorted(one.name for one in lives) == ["notebook", "notebook", "training"]
        for name in ("notebook", "training"):
            found = [one for one in lives if one.name == name]
            pods = world.resource(name).runs
            assert len(found) == len(pods)
            for life, pod in zip(found, pods, strict=True):
                assert life.began.known is life.ended.known is Known.ASKED
                assert life.began.earliest - SLACK <= pod.created_at <= life.began.latest + SLACK
                assert life.ended.earliest - SLACK <= pod.ended_at <= life.ended.latest + SLACK
            for first, second in pairwise(found):
                assert first.ended.latest <= second.began.latest
