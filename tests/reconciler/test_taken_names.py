"""Names that were taken between the form and the first call: refused before anything is committed."""

import pytest

from bot.domain.work_items import Call, Outcome
from bot.store import operations
from bot.support.errors import Forbidden, RateLimited, UnknownOutcome, Unreachable


@pytest.fixture
def taken(world):
    """The answers or errors of the next lookups, and the names looked up; afterwards the name is free."""
    answers, asked = [], []

    async def is_name_in_use(access, spec):
        asked.append(spec.name)
        answer = answers.pop(0) if answers else False
        if isinstance(answer, Exception):
            raise answer
        return answer

    world.provider.is_name_in_use = is_name_in_use
    world.provider.looks = asked
    return answers


async def test_create_with_a_name_in_use_by_now_ends_refused_and_sends_nothing(world, taken):
    taken.append(True)
    operation_id = await world.make()
    assert await world.until_ended(operation_id) is Outcome.FAILED
    operation = await world.store.read(operations.find_operation, operation_id)
    assert (operation.start_call, operation.called_at) == (Call.NONE, None)
    assert world.provider.count("create") == 0
    assert "There's already a workspace with that name. Choose another name." in str(world.slack.messages)


async def test_create_after_a_look_without_answer_looks_again_before_its_call(world, taken):
    taken += [Unreachable("no connection"), UnknownOutcome("no answer"), True]
    operation_id = await world.make()
    await world.work()
    assert (await world.store.read(operations.find_operation, operation_id)).called_at is None
    assert await world.until_ended(operation_id) is Outcome.FAILED
    assert (len(world.provider.looks), world.provider.count("create")) == (3, 0)


async def test_create_after_a_look_that_is_refused_is_sent(world, taken):
    taken.append(Forbidden("no lists for you"))
    assert await world.until_ended(await world.make()) is Outcome.FULFILLED
    assert world.provider.count("create") == 1


@pytest.mark.parametrize(
    "error", [UnknownOutcome("no answer"), RateLimited("busy"), Unreachable("nothing")], ids=str
)
@pytest.mark.parametrize("landed", [False, True])
async def test_create_that_may_have_been_sent_takes_its_own_for_its_own(world, taken, error, landed):
    taken += [False, True, True]
    world.provider.fail("create", error, after=landed)
    operation_id = await world.make()
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert len(world.provider.looks) == 1
