"""After an outage of Slack, everybody is told at once, urgent news first, and nothing that is long over."""

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.preferences import Preferences
from bot.domain.workspaces import State
from bot.slack.methods import METHODS
from bot.store import cards, counts, notices, operations
from bot.support.errors import SlackPermanent, SlackUnknownOutcome
from tests.reconciler.classroom import person
from tests.reconciler.slack_outages import cut_off, mend, unreachable
from tests.rigs.store import ALICE, prefer

POST = "chat.postMessage"
K = NoticeKind


def no_answer(method):
    return SlackUnknownOutcome(method, "no_answer")


def shut_out(method):
    return SlackPermanent(method, "token_revoked")


def place(world, kind, number):
    """Return a message's position among those sent to a person, or None if it wasn't sent."""
    keys = world.slack.sent(f"D{person(number).user_id}")
    return next((at for at, key in enumerate(keys) if f"/{kind}/" in key), None)


@pytest.mark.parametrize(("error", "within"), [(no_answer, 25.0), (unreachable, 10.0)])
async def test_whoever_became_ready_meanwhile_is_told_when_slack_is_back(world, error, within):
    world.provider.start_takes = 20.0
    for number in range(5):
        await world.begin(await world.own(person(number), f"r{number}"))
    await world.pass_time(5)
    cut_off(world, error)
    for number in range(5, 10):
        await world.begin(await world.own(person(number), f"r{number}"))
    await world.pass_time(100)
    assert (await world.store.perform(counts.count_rows))["open_operations"] == 0
    mend(world)
    await world.pass_time(within)
    assert [place(world, K.READY, number) for number in range(10)] == [1] * 5 + [0] * 5
    # Starts that ended long before they could be announced aren't announced any more.
    await world.pass_time(600, step=5)
    assert [place(world, K.CARD, number) for number in range(10)] == [0] * 5 + [None] * 5
    assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0
    assert (len(world.slack.sent()), world.slack.kinds()) == (15, ["ready"] * 10)


async def test_what_waited_goes_out_by_urgency_and_then_age(world):
    cut_off(world, unreachable)
    kinds = [K.MESSAGE, K.JOB_WAITING, K.JOB_WAITING, K.MESSAGE, K.JOB_WAITING, K.MESSAGE]
    for number, kind in enumerate(kinds):
        text = {"text": str(number), "workspace": "gone", "connection": "cloud"}
        await world.store.write(
            notices.add_notices, [NewNotice(f"s{number}", kind, "1", person(number), text)]
        )
        await world.pass_time(90, step=5)
    mend(world)
    await world.pass_time(330, step=1)
    sent = [int(each["channel"][-1]) for each in world.slack.messages]
    # The first message to get through was the one that was due.
    assert sent[1:] == [number for number in (0, 3, 5, 1, 2, 4) if number != sent[0]]
    first, *rest = [float(each["ts"]) for each in world.slack.messages]
    assert max(rest) - first < 2.0


async def test_messages_that_waited_for_the_app_to_be_let_in_go_out_together(world):
    cut_off(world, shut_out)
    for number in range(6):
        await world.store.write(
            notices.add_notices, [NewNotice(f"s{number}", K.MESSAGE, "1", person(number), {"text": "x"})]
        )
        await world.pass_time(400, step=5)
    mend(world)
    while not world.slack.messages:
        await world.pass_time(1)
    await world.pass_time(2)
    assert len(world.slack.messages) == 6


async def test_what_a_process_that_was_ended_left_waiting_goes_out_with_the_first_success(world):
    await world.store.write(notices.add_notices, [NewNotice("s", K.MESSAGE, "1", person(1), {"text": "x"})])
    (waiting,) = await world.store.perform(notices.claim_notices, 1, 60.0)
    await world.store.write(notices.retry_notice, waiting, 300.0, error="unreachable")
    world.reborn()
    await world.store.write(notices.add_notices, [NewNotice("t", K.MESSAGE, "1", person(2), {"text": "y"})])
    await world.pass_time(2)
    assert [each["text"] for each in world.slack.messages] == ["y", "x"]


# -- first cards ---------------------------------------------------------------------------------------------


async def put_off(world, subject, seconds=300.0):
    """Put off the card of an operation or a run, as after failures."""
    (card,) = [
        one
        for one in await world.store.perform(notices.claim_notices, 10, 600.0, {2: 1.0})
        if one.subject == subject
    ]
    await world.store.write(notices.retry_notice, card, seconds, error="no_answer")
    return card


async def test_a_first_card_whose_end_was_told_is_dropped(world):
    workspace = await world.own(state=State.RUNNING)
    await world.work()  # A process begins with a try.
    await put_off(world, await world.begin(workspace))
    await world.pass_time(400, step=2)
    assert world.slack.kinds() == ["ready"]
    assert world.slack.count("chat.delete") == 0  # It never came.
    assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0
    assert await world.store.read(notices.list_dead_notices) == []


async def test_one_of_a_run_is_not_as_its_output_is_below_it(runs):
    run_id = await runs.runs()
    await put_off(runs.world, run_id)
    await runs.until_over(run_id)
    await runs.world.pass_time(400, step=2)
    assert {"job_card", "job_ended"} <= set(runs.slack.sent_kinds())


@pytest.mark.parametrize("arrived", [True, False])
async def test_one_that_may_have_been_sent_is_looked_for_first(world, arrived):
    workspace = await world.own(state=State.RUNNING)
    world.slack.fail(POST, no_answer(POST), after=arrived)
    cut = [method for method in METHODS if method.startswith("conversations.")]
    for method in cut:
        world.slack.fail(method, no_answer(method), times=6)
    operation_id = await world.begin(workspace)
    await world.pass_time(400, step=2)
    assert world.slack.sent_kinds() == (["card", "ready"] if arrived else ["ready"])
    # Once the card was found, it was deleted like any other.
    assert world.slack.kinds() == ["ready"]
    assert (await world.store.read(cards.find_card, operation_id)).message_ts is None


async def test_one_that_is_due_waits_for_the_end_that_is_still_to_be_told(world):
    workspace = await world.own(state=State.RUNNING)
    await put_off(world, await world.begin(workspace), 30.0)
    world.slack.fail(POST, unreachable(POST), times=7)
    await world.pass_time(400, step=2)
    assert world.slack.kinds() == ["ready"]


async def test_one_whose_end_could_not_be_told_is_sent_after_all(world):
    workspace = await world.own(state=State.RUNNING)
    await world.work()  # A process begins with a try.
    await put_off(world, await world.begin(workspace), 30.0)
    world.slack.fail(POST, SlackPermanent(POST, "metadata_too_large"))
    await world.pass_time(60)
    assert "ready" not in world.slack.kinds()
    assert world.slack.kinds().count("card") == 1


async def test_one_whose_end_is_told_by_it_alone_is_sent(world):
    workspace = await world.own(state=State.STOPPED)
    await prefer(world.store, ALICE, Preferences(ready=False))
    world.provider.start_takes = 4_000.0
    operation_id = await world.begin(workspace, OperationVerb.START)
    await put_off(world, operation_id, 4_200.0)
    await world.pass_time(4_300, step=10)
    assert not (await world.store.read(operations.find_operation, operation_id)).is_open
    assert "ready" not in world.slack.kinds()
    assert world.slack.kinds().count("card") == 1
