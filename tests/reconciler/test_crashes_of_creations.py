"""Trouble at the N-th way out of a creation, a suspension, a removal: one effect, one message."""

from itertools import count

import pytest

from bot.domain.workspaces import OperationVerb, Outcome, State
from tests.reconciler.fuse import Fuse
from tests.reconciler.world import new_world
from tests.rigs.store import ALICE

HOW = {
    "kill-before": {"is_kill": True, "after": False},
    "kill-after": {"is_kill": True, "after": True},
    "error-before": {"is_kill": False, "after": False},
    "error-after": {"is_kill": False, "after": True},
}


async def go_on(world):
    """Work until the fuse blows, then as the restarted process until everything has settled."""
    await world.until_trouble()
    world.reborn()
    # A call that was under way is found when its lease runs out, and settles for two minutes from then on.
    await world.until_settled()


def were_told(world, *ends):
    """Each end once, and no card twice: one that was held up until its end had been told isn't sent."""
    keys = world.slack.keys()
    assert len(keys) == len(set(keys))
    assert sorted(kind for kind in world.slack.kinds() if kind != "card") == sorted(ends)


async def made(world, fuse):
    operation_id = await world.make()
    world.reborn(fuse)
    await go_on(world)
    assert (await world.store.operation(operation_id)).outcome is Outcome.FULFILLED
    were_told(world, "ready")
    assert await there(world) == ["m1"]
    assert world.provider.machines["m1"].state is State.RUNNING


async def named(world, fuse):
    """Make what Usher names: one name, chosen with the first call, whatever happens around it."""
    world.provider.put("theirs", State.STOPPED, name="lab")
    operation_id = await world.make(stem="lab")
    world.reborn(fuse)
    await go_on(world)
    assert (await world.store.operation(operation_id)).outcome is Outcome.FULFILLED
    were_told(world, "ready")
    assert await made_ids(world) == ["m1"]
    assert (await world.workspace_of(operation_id)).name == world.provider.machines["m1"].name == "lab-2"


async def called_off(world, fuse):
    """Stop what is just being made: what was made by then is down, and nobody is told that it is ready."""
    creation = await world.make()
    world.reborn(fuse)
    stops = []

    async def meanwhile(method):
        if method == "create" and not stops:
            row = (await world.store.workspaces(ALICE))[0]
            stops.append(await world.begin(row, OperationVerb.STOP))

    world.provider.during = meanwhile
    await go_on(world)
    if not stops:  # The trouble came first: that is the story of another test.
        return
    assert (await world.store.operation(creation)).outcome is Outcome.REPLACED
    assert (await world.store.operation(stops[0])).outcome is Outcome.FULFILLED
    assert "ready" not in world.slack.kinds()
    assert world.slack.kinds().count("stopped") == 1
    assert [world.provider._moved(one).state for one in await made_ids(world)] == [State.STOPPED]


async def renewed(world, fuse):
    """Restart what can't come back: the old one ends once, and one new one takes its place."""
    first = await world.make()
    await world.until_ended(first)
    world.provider.ends_for_good = True
    row = (await world.store.workspaces(ALICE))[0]
    operation_id = await world.begin(row, OperationVerb.RESTART, agreed=True)
    world.reborn(fuse)
    await go_on(world)
    ended = await world.store.operation(operation_id)
    assert (ended.outcome, ended.asked_verb) == (Outcome.FULFILLED, OperationVerb.RESTART)
    were_told(world, "ready", "ready")
    assert world.provider.removed == ["m1"]
    assert await made_ids(world) == ["m1", "m2"]
    assert [row.remote_id for row in await world.store.workspaces(ALICE)] == ["m2"]


async def made_ids(world):
    return [remote_id for ids in world.provider.made.values() for remote_id in ids]


async def there(world):
    """Return what the list shows, after a look that nothing is there twice."""
    ids = [row.remote_id for row in await world.store.workspaces(ALICE)]
    assert ids == await made_ids(world)
    return ids


async def brought_down(world, fuse, verb, kind):
    workspace = await world.own(state=State.RUNNING)
    operation_id = await world.begin(workspace, verb)
    world.reborn(fuse)
    await go_on(world)
    assert (await world.store.operation(operation_id)).outcome is Outcome.FULFILLED
    were_told(world, kind)
    effects = world.provider.removed if verb is OperationVerb.REMOVE else world.provider.accepted_stops
    assert effects == ["r1"]


async def suspended(world, fuse):
    await brought_down(world, fuse, OperationVerb.SUSPEND, "suspended")


async def removed(world, fuse):
    await brought_down(world, fuse, OperationVerb.REMOVE, "removed")
    assert await world.store.workspaces(ALICE) == []


STORIES = {story.__name__: story for story in (made, called_off, suspended, removed, renewed, named)}


async def go_through(name, how, numbers):
    """Tell a story with trouble at each number until one is beyond its last call; return that."""
    for at in numbers:
        async with new_world() as world:
            fuse = Fuse(at, **HOW[how], done=world.done)
            try:
                await STORIES[name](world, fuse)
            except AssertionError as error:
                error.add_note(f"{how} at call {at} of {name}")
                raise
            assert (await world.store.statistics())["pending_notices"] == 0
            if not fuse.is_blown:
                return at
    raise AssertionError("the story finds no end")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", STORIES)
async def test_trouble_at_any_call_breaks_no_promise(request, name, how):
    """Every number each way with ``--every-call``; else every 80th, so each 20th in one way."""
    first = 1 + list(HOW).index(how) * 20 + list(STORIES).index(name) * 3
    numbers = count(1) if request.config.getoption("--every-call") else count(first, 80)
    assert await go_through(name, how, numbers) > 20
