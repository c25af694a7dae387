"""A start that has to wait for a stop in progress says so, no matter who requested the stop."""

import pytest

from bot.domain.holds import HoldCode, make_hold
from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import operations as operation_rows


@pytest.mark.parametrize("detail", ["", "It's being updated."], ids=["stopping", "updating"])
async def test_start_during_a_stop_elsewhere_says_what_it_waits_for(world, detail):
    workspace = await world.own(state=State.STOPPING)
    machine = world.provider.machines["r1"]
    machine.state, machine.detail = State.STOPPING, detail or None
    operation_id = await world.begin(workspace, OperationVerb.START)
    await world.pass_time(30)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert operation.block_reason == make_hold(HoldCode.STOPPING_ELSEWHERE, detail)
    await world.pass_time(330)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert operation.block_reason == make_hold(HoldCode.STOPPING_ELSEWHERE_LONG, detail)
    assert world.provider.accepted_starts == []
    machine.state, machine.detail = State.STOPPED, None
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.provider.accepted_starts == ["r1"]
