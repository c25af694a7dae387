"""Every plan is carried out at its time, or the owner is told that it won't be."""

from __future__ import annotations

from itertools import product

import pytest

from tests.reconciler.plans import KINDS, LASTING, PASSING

#: Kinds that are combined with each obstacle in every run.
_ALWAYS = {"own", "hours start"}
#: If the workspace is found running, its place on the waitlist ends; otherwise the place stays valid until
#: its end.
_NEITHER = {("wait", "403"), ("wait", "404"), ("wait", "sign-in refused")}
_NEITHER |= {("wait", "down and up elsewhere"), ("wait", "seen running at its time")}
#: The end of a class doesn't wait for one person's sign-in; they are told.
_NEITHER |= {("class end", "sign-in refused for a while")}
#: A refused start is reported at once.
_NEITHER |= {(kind, "404 once") for kind in ("hours start", "lesson start", "wait")}


def _pairs(obstacles):
    """Return each kind with each obstacle. Most kinds are left to the thorough run."""
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
