"""Workspaces named by Usher: the names in use are read before the first call, and the name never changes."""

import re

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.services.operation_requests import replace_workspace
from bot.store import discovered, operations
from bot.support.errors import BadAnswer, Conflict, Forbidden, OutcomeNotReported, UnknownOutcome, Unreachable
from tests.rigs.store import ALICE, listed_workspace, name_workspace


async def made(world, operation_id):
    """Wait until the workspace runs, and return its name, which must be the same here and at its provider."""
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    workspace = await world.workspace_of(operation_id)
    assert workspace.name == workspace.spec.name == world.provider.machines[workspace.remote_id].name
    return workspace.name


async def listed(world):
    account = await world.link()
    found = listed_workspace("r1", world.provider.gate_key("r1"), "statistics", State.STOPPED)
    await world.store.perform(discovered.merge_discovered, account.id, [found])


@pytest.mark.parametrize("where", ["there", "listed", "alias"])
async def test_a_name_in_use_gets_a_number(world, where):
    if where == "there":
        world.provider.put("theirs", State.STOPPED, name="statistics")
    else:
        # The name is on the person's list, though the provider doesn't report it. Such names count, too.
        row = await world.own(remote_id="statistics-3") if where == "alias" else await listed(world)
        if where == "alias":
            await name_workspace(world.store, row.id, "Statistics")
    assert await made(world, await world.make(stem="statistics")) == "statistics-2"
    assert "*statistics-2*" in str(world.slack.messages[-1])


async def test_two_at_once_get_two_names_and_a_wish_takes_none(world):
    first, second = [await world.make(stem="statistics", key=key) for key in ("1", "2")]
    names = sorted([await made(world, first), await made(world, second)])
    assert names == ["statistics", "statistics-2"]


async def test_where_a_look_is_not_limited_to_the_persons_own_the_name_has_a_mark(world):
    world.provider.tells_names = False
    assert re.fullmatch(r"statistics-[0-9a-z]{6}", await made(world, await world.make(stem="statistics")))


@pytest.mark.parametrize(
    "error", [Forbidden("no lists for you"), OutcomeNotReported("no names"), BadAnswer("odd")]
)
async def test_a_look_that_can_not_tell_leads_to_a_mark(world, error):
    world.provider.fail("list_names", error, times=99)
    assert re.fullmatch(r"statistics-[0-9a-z]{6}", await made(world, await world.make(stem="statistics")))


async def test_without_an_answer_to_the_look_nothing_is_made(world):
    world.provider.fail("list_names", Unreachable("no connection"), times=3)
    operation_id = await world.make(stem="statistics")
    await world.work()
    operation = await world.store.read(operations.find_operation, operation_id)
    assert (operation.start_call, operation.called_at) == (Call.NONE, None)
    assert (await world.workspace_of(operation_id)).spec.name == ""
    assert await made(world, operation_id) == "statistics"
    assert (world.provider.count("list_names"), world.provider.count("create")) == (4, 1)


@pytest.mark.parametrize("landed", [False, True])
async def test_the_name_stays_after_an_unknown_outcome(world, landed):
    world.provider.fail("create", UnknownOutcome("no answer"), after=landed)
    operation_id = await world.make(stem="statistics")
    await world.work()
    assert (await world.workspace_of(operation_id)).name == "statistics"
    # If somebody else takes the name meanwhile, the workspace being searched for keeps it.
    world.provider.put("theirs", State.STOPPED, name="statistics")
    assert await made(world, operation_id) == "statistics"
    assert world.provider.count("list_names") == 1
    assert [len(ids) for ids in world.provider.made.values()] == [1]


async def test_taken_after_an_unknown_outcome_is_a_reason_to_look(world):
    world.provider.fail("create", UnknownOutcome("no answer"), after=True)
    world.provider.fail("create", Conflict("name taken"))
    world.provider.overlooks = 99

    async def shows(method):
        if world.provider.count("create") == 2:
            world.provider.overlooks = 0

    world.provider.during = shows
    assert await made(world, await world.make(stem="statistics")) == "statistics"
    assert world.provider.count("create") == 2
    assert [len(ids) for ids in world.provider.made.values()] == [1]
    assert world.provider.count("list_names") == 1


async def test_conflict_after_one_failed_call_is_a_reason_to_look(world):
    """The call was reported as not delivered, although it had arrived."""
    world.provider.fail("create", Unreachable("no connection"), after=True)
    world.provider.fail("create", Conflict("name taken"))
    assert await made(world, await world.make(stem="statistics")) == "statistics"
    assert [len(ids) for ids in world.provider.made.values()] == [1]


async def test_taken_at_the_first_call_is_nobodys_but_whose_it_is(world):
    world.provider.fail("list_names", Unreachable("no connection"), times=2)
    world.provider.fail("create", Conflict("name taken"))
    operation_id = await world.make(stem="statistics")
    assert await world.until_ended(operation_id) is Outcome.FAILED
    assert (world.provider.count("create"), world.provider.count("find_created")) == (1, 0)
    # Another try looks again.
    world.provider.put("theirs", State.STOPPED, name="statistics")
    former = (await world.store.read(operations.find_operation, operation_id)).workspace_id
    again = await world.ask().run(replace_workspace, former)
    assert await made(world, again.operation.id) == "statistics-2"


async def test_what_nobody_can_tell_keeps_its_name_from_the_next(world):
    world.provider.shows_marks = False
    world.provider.fail("create", UnknownOutcome("no answer"))
    first = await world.make(stem="statistics")
    await world.work()
    await world.begin(await world.workspace_of(first), OperationVerb.STOP)
    await world.pass_time(300, step=5)
    assert await world.store.read(operations.open_operations, ALICE) == []
    assert await made(world, await world.make(stem="statistics")) == "statistics-2"
