"""Conflicts with another action: the call is retried with backoff, and the card says why."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.time_marks import make_time_placeholder
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.texts.holds import explain_end, explain_obstacle
from bot.store import operations as operation_rows
from bot.support.errors import Conflict, UnknownOutcome
from tests.reconciler.calls import begun, gaps, sent
from tests.reconciler.world import DEADLINE

START, STOP, SUSPEND, RESTART = (OperationVerb(word) for word in ("start", "stop", "suspend", "restart"))
EDITED = Conflict("The workspace is being edited right now.", status=409)
HOLD = "under_way: The workspace is being edited right now."


async def find(world, operation_id):
    return await world.store.read(operation_rows.find_operation, operation_id)


@pytest.mark.parametrize("verb", [START, STOP, SUSPEND, RESTART], ids=str)
async def test_call_that_meets_something_under_way_is_repeated_until_it_is_taken(world, verb):
    operation_id = await begun(world, verb)
    method = "start" if verb is START else "stop"
    world.provider.fail(method, EDITED, times=9_999)
    await world.pass_time(25 * 60, step=2)
    operation = await find(world, operation_id)
    assert (operation.is_open, operation.block_reason) == (True, HOLD)
    assert world.slack.sent_kinds() == ["card"]
    assert "being edited right now" in str(world.slack.messages[0]["blocks"])
    found = gaps(sent(world, method))
    assert found[0] <= 14.0 < found[2] < found[3]
    assert max(found) <= 75.0
    world.provider.heal()
    assert await world.until_ended(operation_id, 150) is Outcome.FULFILLED
    assert "couldn't" not in str(world.slack.messages)


async def test_stop_that_stays_impossible_is_told_at_its_deadline_and_goes_on(world):
    operation_id = await begun(world, STOP)
    world.provider.fail("stop", EDITED, times=9_999)
    await world.pass_time(2 * DEADLINE, step=10)
    assert world.slack.sent_kinds() == ["card", "waiting"]
    assert (await find(world, operation_id)).is_open
    world.provider.heal()
    assert await world.until_ended(operation_id, 150) is Outcome.FULFILLED


async def test_start_that_stays_impossible_is_asked_about_with_the_words_of_its_provider(world):
    operation_id = await begun(world, START)
    world.provider.fail("start", EDITED, times=9_999)
    await world.pass_time(DEADLINE - 5, step=10)
    assert await world.until_ended(operation_id, 150) is Outcome.FAILED
    said = explain_end((await find(world, operation_id)).cause, "Fake Cloud")
    assert said.startswith(
        "Fake Cloud can't do that right now: “The workspace is being edited right now.” You"
    )
    assert said.endswith("and I've tried until now. Do you still want it?")


@pytest.mark.parametrize("verb", [START, SUSPEND], ids=str)
async def test_conflict_in_a_sentence_of_ours_ends_it_soon(world, verb):
    """The message says what the owner can do instead, as for a session that can't be suspended."""
    operation_id = await begun(world, verb)
    method = "start" if verb is START else "stop"
    world.provider.fail(method, Conflict("You can stop this one instead."), times=9_999)
    assert await world.until_ended(operation_id, 120) is Outcome.FAILED
    assert (await find(world, operation_id)).cause == "conflict:: You can stop this one instead."


async def test_later_request_ends_the_attempts_at_a_stop(world):
    workspace = await world.own(state=State.RUNNING)
    world.provider.fail("stop", EDITED, times=9_999)
    stop = await world.begin(workspace, STOP)
    await world.pass_time(60, step=2)
    count = len(sent(world, "stop"))
    start = await world.begin(workspace, START)
    assert await world.until_ended(start, 60) is Outcome.FULFILLED
    await world.pass_time(300, step=5)
    assert (await find(world, stop)).outcome is Outcome.REPLACED
    assert len(sent(world, "stop")) == count


@pytest.mark.parametrize("verb", [START, STOP], ids=str)
async def test_conflict_that_says_that_it_is_so_already_is_settled_by_a_read(world, verb):
    """Somebody else has already brought the workspace into the requested state."""
    operation_id = await begun(world, verb)
    world.provider.fail("start" if verb is START else "stop", EDITED)
    world.provider.machines["r1"].state = State.RUNNING if verb is START else State.STOPPED
    assert await world.until_ended(operation_id, 40) is Outcome.FULFILLED


async def test_workspace_that_fails_while_a_start_waits_for_it_is_started_all_the_same(world):
    operation_id = await begun(world, START)
    world.provider.fail("start", EDITED, times=3)
    await world.pass_time(15)
    world.provider.machines["r1"].state = State.FAILED
    assert await world.until_ended(operation_id, 200) is Outcome.FULFILLED


async def test_stop_is_sent_for_as_long_as_nothing_answers(world):
    """A workspace that keeps running costs money, even if nobody sees it."""

    operation_id = await begun(world, STOP)
    world.provider.fail("stop", UnknownOutcome("no answer"), times=9_999)
    await world.pass_time(2 * 3_600, step=20)
    assert (await find(world, operation_id)).is_open
    world.provider.heal()
    assert await world.until_ended(operation_id, 200) is Outcome.FULFILLED


@pytest.mark.parametrize(
    ("hold", "first"),
    [
        ("", ""),
        ("silent: 60.0", "T hasn't been available since {time:60}."),
        (HOLD, "T can't do that right now: “The workspace is being edited right now.”"),
        ("under_way", "T can't do that right now."),
        ("under_way: Busy. Try later.", "T can't do that right now: “Busy. Try later.”"),
        ("under_way: It's called “busy”. Wait", "T can't do that right now: “It's called \"busy\". Wait.”"),
    ],
)
def test_obstacle_ends_with_what_is_quoted(hold, first):
    assert explain_obstacle(hold, "T") == first.replace("{time:60}", make_time_placeholder(60.0))
