"""Messages appear in the order of events, and reach people who can't be sent direct messages."""

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.slack.methods import CHAT_POST_MESSAGE
from bot.store import counts, notices, operations
from bot.store.notices import CARD_FIRST_SECONDS
from bot.support.errors import SlackLimited, SlackPermanent
from tests.rigs.store import ALICE, accept_operation


async def test_the_card_is_drawn_as_the_end_however_quick_it_was(world):
    """Stopping a stopped workspace ends with the first step, while its card is still waiting to be sent."""
    operation_id = await world.begin(await world.own(state=State.STOPPED), OperationVerb.STOP)
    while (await world.store.read(operations.find_operation, operation_id)).is_open:
        await world.reconciler.operations.step()
        await world.reconciler.reads.step()
    await world.pass_time(3)
    assert world.slack.sent() == [f"{operation_id}/card/1"]
    assert "was already stopped" in str(world.slack.messages[0]["blocks"])
    assert world.slack.updates == []


async def test_the_end_waits_for_some_seconds_only(world):
    """The process that is sending the card is never heard of again."""
    operation_id = await world.begin(await world.own(state=State.RUNNING))
    (card,) = await world.store.perform(notices.claim_notices, 10, 600.0)
    assert card.subject == operation_id
    while (await world.store.read(operations.find_operation, operation_id)).is_open:
        world.clock.advance(1.0)
        await world.reconciler.operations.step()
        await world.reconciler.reads.step()
    await world.pass_time(CARD_FIRST_SECONDS - 1)
    assert world.slack.kinds() == []
    await world.pass_time(2)
    assert world.slack.kinds() == ["ready"]


async def test_a_runs_card_that_was_held_up_until_its_end_was_told_is_not_sent(runs):
    await runs.world.pass_time(1)
    run_id = await runs.runs(is_watched=False)
    (card,) = await runs.store.perform(notices.claim_notices, 10, 600.0, {2: 1.0})
    await runs.store.write(notices.retry_notice, card, 60.0, error="ratelimited")
    await runs.world.pass_time(5)
    runs.cloud.ends("run1")
    await runs.until_over(run_id)
    await runs.world.pass_time(90)
    assert runs.slack.sent_kinds() == ["job_ended"]


async def test_that_it_still_waits_is_not_said_of_what_has_ended(world):
    operation_id = await world.begin(await world.own())
    waiting = NewNotice(operation_id, NoticeKind.WAITING, "1", ALICE, due_in=60.0)
    await world.store.write(notices.add_notices, [waiting])
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    await world.pass_time(90)
    assert (world.slack.sent_kinds(), world.slack.kinds()) == (["card", "ready"], ["ready"])
    assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0


@pytest.mark.parametrize(
    "error",
    [SlackLimited(CHAT_POST_MESSAGE, 2.0), SlackPermanent(CHAT_POST_MESSAGE, "channel_not_found")],
    ids=["rate-limited", "channel-not-found"],
)
async def test_end_comes_alone_where_its_card_was_held_up(world, error):
    workspace = await world.own(state=State.RUNNING)
    world.slack.fail(CHAT_POST_MESSAGE, error, times=1)
    assert await world.until_ended(await world.begin(workspace)) is Outcome.FULFILLED
    await world.pass_time(20)
    assert world.slack.sent_kinds() == ["ready"]


@pytest.mark.parametrize("channel", ["C1", "G1"])
async def test_how_an_operation_ended_is_hinted_at_where_it_was_typed(world, channel):
    """A person who can't get direct messages is told there, visible only to them, and without any address."""
    workspace = await world.own()
    refused = SlackPermanent(CHAT_POST_MESSAGE, "user_disabled")
    world.slack.fail(CHAT_POST_MESSAGE, refused, times=99)
    await typed(world, workspace, channel)
    await world.pass_time(90)
    assert [one["channel"] for one in world.slack.ephemerals] == [channel, channel]  # card, ready
    assert {one["user"] for one in world.slack.ephemerals} == {workspace.principal.user_id}
    assert "http" not in str(world.slack.ephemerals)
    assert "ide" not in str(world.slack.ephemerals)
    assert {one.kind for one in await world.store.read(notices.list_dead_notices)} == {
        NoticeKind.CARD,
        NoticeKind.READY,
    }


async def test_in_a_direct_message_there_is_no_second_place(world):
    refused = SlackPermanent(CHAT_POST_MESSAGE, "user_disabled")
    world.slack.fail(CHAT_POST_MESSAGE, refused, times=99)
    await typed(world, await world.own(), "D1")
    await world.pass_time(90)
    assert world.slack.ephemerals == []


async def test_the_hint_comes_for_every_kind_of_end(world):
    workspace = await world.own()
    world.provider.start_ends = State.FAILED
    operation = await typed(world, workspace, "C1")
    assert operation.channel_id == "C1"
    await world.pass_time(3)
    world.slack.fail(CHAT_POST_MESSAGE, SlackPermanent(CHAT_POST_MESSAGE, "cannot_dm_bot"), times=99)
    await world.pass_time(90)
    assert len(world.slack.ephemerals) == 1
    (dead,) = await world.store.read(notices.list_dead_notices)
    assert dead.kind is NoticeKind.FAILED


async def typed(world, workspace, channel):
    card = NewNotice("", NoticeKind.CARD, "1", workspace.principal, {"channel_id": channel})
    return (
        await accept_operation(
            world.store,
            workspace,
            interaction="typed",
            notices=[card],
            deadline_seconds=1800.0,
            channel_id=channel,
        )
    ).operation
