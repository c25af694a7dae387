"""A workspace that its owner has given up isn't brought back by earlier plans, even if giving it up fails."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.stops import PlannedStop
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.services.operation_requests import begin_operation
from bot.store import operations, timers
from bot.support.errors import Conflict, Forbidden
from tests.reconciler.classroom import ask
from tests.reconciler.hours import given, local
from tests.reconciler.plans import KINDS, Plan
from tests.rigs.store import within

STARTS = ("hours start", "lesson start", "wait")
BUSY = Conflict("It is being updated.", status=409)


async def asks(plan, verb, agreed=True):
    row = await plan.row()
    caller = ask(plan.world, plan.principal, f"{verb} {plan.world.clock.now()}")
    return (await caller.run(begin_operation, row.id, verb, agreed=agreed)).operation.id


async def read(plan, operation):
    return await plan.world.store.read(operations.find_operation, operation)


def said(world):
    return " ".join(str(one) for one in world.slack.messages)


@pytest.mark.parametrize("kind", STARTS)
@pytest.mark.parametrize("verb", [OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.REMOVE])
async def test_request_under_way_is_not_replaced_by_a_plan(world, kind, verb):
    plan = await KINDS[kind](world)
    await plan.at("08:30")
    plan.machine.state = State.RUNNING if verb is not OperationVerb.REMOVE else plan.machine.state
    await plan.look()
    world.provider.heal()
    world.provider.fail("remove" if verb is OperationVerb.REMOVE else "stop", BUSY, times=9_999)
    await plan.at("08:36")
    operation = await asks(plan, verb)
    await plan.at("09:10")
    assert (await read(plan, operation)).outcome in {None, Outcome.FAILED}
    world.provider.heal()
    await plan.at("10:20")
    assert (await read(plan, operation)).outcome in {Outcome.FULFILLED, Outcome.FAILED}
    assert plan.machine.state is not State.RUNNING
    assert "something else since" not in said(world)


@pytest.mark.parametrize("kind", STARTS)
async def test_failed_removal_keeps_plans_from_starting_it(world, kind):
    plan = await KINDS[kind](world)
    await plan.at("08:36")
    world.provider.fail("remove", Forbidden("no"), times=9_999)
    operation = await asks(plan, OperationVerb.REMOVE)
    await plan.at("08:40")
    world.provider.heal()
    await plan.at("10:20")
    assert (await read(plan, operation)).outcome is Outcome.FAILED
    assert plan.machine.state is State.STOPPED


async def test_start_by_hours_that_is_left_out_for_a_stop_is_told(world):
    plan = await KINDS["hours start"](world)
    await plan.at("08:50")
    plan.machine.state = State.RUNNING
    await plan.look()
    world.provider.fail("stop", BUSY, times=9_999)
    await plan.at("08:56")
    await asks(plan, OperationVerb.STOP)
    await plan.at("09:10")
    assert "You'd asked to stop or remove it." in said(world)


async def test_start_that_a_planned_stop_replaces_does_not_say_that_its_person_asked_for_something_else(
    world,
):
    plan = await KINDS["own"](world)
    await plan.at("08:56")
    world.provider.fail("stop", BUSY, times=9_999)
    operation = await asks(plan, OperationVerb.RESTART)
    await plan.at("09:01")
    assert (await read(plan, operation)).cause in {"plan_came", "sent_before_plan"}
    assert "asked for something else" not in said(world)


async def test_planned_stop_outlasts_a_removal_that_fails(world):
    plan = await KINDS["own"](world)
    await plan.at("08:56")
    world.provider.fail("remove", BUSY, times=9_999)
    await asks(plan, OperationVerb.REMOVE)
    await plan.at("09:02")
    world.provider.heal()
    world.provider.fail("remove", Forbidden("no"), times=9_999)
    await plan.at("10:20")
    assert plan.machine.state is State.STOPPED


@pytest.mark.parametrize("because", ["needed", "room"])
@pytest.mark.parametrize("verb", [OperationVerb.RESTART, OperationVerb.START])
async def test_request_for_what_nobody_seemed_to_need_takes_its_stop_back(world, because, verb):
    workspace = await given(world, "sat 9:00-10:00", State.RUNNING)
    plan = Plan(world, workspace, State.RUNNING)
    end = PlannedStop(local("09:00"), "stop", warns=True, because=because)
    await within(world.store, timers.plan_stop, workspace.id, end)
    await plan.at("08:30")
    await plan.look()
    await asks(plan, verb)
    await plan.at("10:20")
    assert plan.machine.state is State.RUNNING


async def test_wait_makes_nothing_anew_of_what_is_gone(world):
    plan = await KINDS["wait"](world)
    await plan.at("08:30")
    plan.machine.state = State.GONE
    await plan.look()
    await plan.look()
    world.provider.heal()
    await plan.at("10:20")
    assert world.provider.count("create") == 0
    assert "waitlist_ended" in world.slack.sent_kinds()
