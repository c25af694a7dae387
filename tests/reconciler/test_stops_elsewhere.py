"""A start that meets a stop under way, whoever asked for that, says what it waits for."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import operations as operation_rows


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        (None, "Fake Cloud is still stopping it. I'll start it once it has stopped."),
        (
            "It's being updated.",
            "Fake Cloud isn't done with it yet: It's being updated. I'll start it after that.",
        ),
    ],
    ids=["stopping", "updating"],
)
async def test_start_during_a_stop_elsewhere_says_what_it_waits_for(world, detail, said):
    workspace = await world.own(state=State.STOPPING)
    machine = world.provider.machines["r1"]
    machine.state, machine.detail = State.STOPPING, detail
    operation_id = await world.begin(workspace, OperationVerb.START)
    await world.pass_time(30)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert operation.block_reason == said
    await world.pass_time(330)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert operation.block_reason.startswith(said)
    assert "longer than usual. Ask your Fake Cloud admin" in operation.block_reason
    assert world.provider.accepted_starts == []
    machine.state, machine.detail = State.STOPPED, None
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.provider.accepted_starts == ["r1"]
