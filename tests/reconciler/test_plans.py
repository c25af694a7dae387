"""What is set for a time happens, or its person hears that it won't."""

from __future__ import annotations

from itertools import product

import pytest

from tests.reconciler.plans import KINDS, LASTING, PASSING

#: With these kinds each obstacle is met in every run.
_ALWAYS = {"own", "hours start"}
#: Of a workspace that was found up, nobody waits any more; and a place in line is good until it ends.
_NEITHER = {("wait", "403"), ("wait", "404"), ("wait", "sign-in refused")}
_NEITHER |= {("wait", "down and up elsewhere"), ("wait", "seen running at its time")}
#: A class doesn't wait for one person's sign-in: they are told.
_NEITHER |= {("class end", "sign-in refused for a while")}
#: A start that its provider refuses is told at once.
_NEITHER |= {(kind, "404 once") for kind in ("hours start", "lesson start", "wait")}


def _pairs(obstacles):
    """Return each kind with each obstacle; all but some kinds are for the thorough run."""
    return [
        pytest.param(kind, one, marks=[] if kind in _ALWAYS else [pytest.mark.thorough], id=f"{kind}-{one}")
        for kind, one in product(KINDS, obstacles)
        if (kind, one) not in _NEITHER
    ]


@pytest.mark.parametrize(("kind", "obstacle"), _pairs(PASSING))
async def test_plan_is_carried_out_once_its_obstacle_has_passed(world, kind, obstacle):
    world.looks.takes_all = True
    plan = await KINDS[kind](world)
    await PASSING[obstacle](plan)
    world.provider.heal()
    await plan.at("10:20")
    assert plan.machine.state is plan.wanted


@pytest.mark.parametrize(("kind", "obstacle"), _pairs(LASTING))
async def test_plan_that_stays_impossible_is_taken_back_in_words(world, kind, obstacle):
    world.looks.takes_all = True
    plan = await KINDS[kind](world)
    await LASTING[obstacle](plan)
    await plan.at("10:20")
    assert plan.machine.state is not plan.wanted
    assert plan.news()
