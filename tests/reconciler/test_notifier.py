"""The outbox's way to Slack: each message once, urgent ones first, within the limits, or visibly dead."""

from functools import partial

import pytest
from structlog.testing import capture_logs

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.slack.notifier import Timing
from bot.slack.notifier.rendering import MAX_PAUSE_SECONDS
from bot.store import cards, maintenance, notices, operations
from bot.store.cards import MIN_UPDATE_INTERVAL_SECONDS
from bot.store.schema import SEND_CONFIRM_SECONDS
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome
from tests.reconciler.classroom import person
from tests.reconciler.fuse import Killed
from tests.reconciler.outbox import POST, message, outbox
from tests.rigs.functions import replace_function
from tests.rigs.slack import FakeSlack
from tests.rigs.store import ALICE, BOB, name_workspace


async def test_a_send_must_fit_into_its_lease(world):
    world.timing = Timing(lease=60, send_timeout=60)
    with pytest.raises(ValueError, match="shorter than the lease"):
        world.reborn()


# -- unknown outcomes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [-3600.0, 0.0, 3600.0], ids=["behind", "even", "ahead"])
@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "lost"])
async def test_an_unknown_outcome_is_looked_up_after_it_settled(world, arrived, ahead):
    world.slack = FakeSlack(world.clock, ahead=ahead)
    world.reborn()
    await world.store.write(notices.add_notices, [message()])
    world.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"), after=arrived)
    await world.pass_time(14)
    assert world.slack.count(POST) == 1
    assert world.slack.count("conversations.history") == 0
    await world.pass_time(5)
    assert world.slack.count("conversations.open") == 1
    assert world.slack.count(POST) == (1 if arrived else 2)
    assert world.slack.keys() == ["subject-1/message/1"]
    assert await outbox(world) == (0, 0)


async def test_the_search_goes_through_all_pages(world):
    await world.store.write(notices.add_notices, [message(0)])
    await world.work()
    world.clock.advance(2)
    await world.store.write(notices.add_notices, [message(1)])
    world.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"), after=True)
    await world.work()
    for number in range(2, 9):
        world.clock.advance(2)
        await world.store.write(notices.add_notices, [message(number)])
        await world.notifier.step_notices()
    await world.pass_time(5)
    assert sorted(world.slack.keys()) == [f"subject-{number}/message/1" for number in range(9)]


async def test_the_search_ends_where_it_must(world):
    for number in range(30):
        await world.store.write(notices.add_notices, [message(number)])
        await world.work()
        world.clock.advance(30)
    world.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"))
    await world.store.write(notices.add_notices, [message(99)])
    await world.pass_time(20)
    assert world.slack.keys()[-1] == "subject-99/message/1"
    assert world.slack.count("conversations.history") <= 4


async def test_a_search_that_fails_sends_nothing(world):
    await world.store.write(notices.add_notices, [message()])
    world.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"), after=True)
    for error in (
        SlackLimited("conversations.history", 20.0),
        SlackFailed("conversations.history", "some_error"),
        SlackUnknownOutcome("conversations.history", "no_answer"),
    ):
        world.slack.fail("conversations.history", error)
    await world.pass_time(120)
    assert world.slack.count(POST) == 1
    assert await outbox(world) == (0, 0)


async def test_an_end_that_was_told_and_lost_is_not_told_as_another(world):
    await world.store.carry_out(partial(maintenance.compare, server="1/1"))
    operation = await world.begin(await world.own(ALICE, "gpu"))
    await world.until_ended(operation)
    await world.pass_time(70)
    told = world.slack.keys()
    assert f"{operation}/ready/" in told[-1]
    await world.store.engine.write(lambda tx: tx.run("DELETE FROM notices WHERE kind = 'ready'"))
    # After a failover to another server, the operation continues there and ends differently.
    await world.store.carry_out(partial(maintenance.compare, server="1/2"))
    await world.store.write(notices.add_notices, [NewNotice(operation, NoticeKind.FAILED, "1", ALICE)])
    await world.pass_time(maintenance.FAILOVER_CONFIRM_SECONDS + 20)
    assert world.slack.keys() == told
    assert await outbox(world) == (0, 0)


@pytest.mark.parametrize("slept", [True, False], ids=["the machine slept", "its clock was moved"])
async def test_a_message_whose_send_was_cut_off_is_found_where_it_stands_after_a_jump(world, slept):
    await world.store.write(notices.add_notices, [message(1)])
    world.slack.fail(POST, Killed(), after=True)
    with pytest.raises(Killed):
        await world.notifier.step_notices()
    world.reborn()
    await world.store.write(notices.add_notices, [message(number) for number in range(2, 6)])
    await world.pass_time(10)
    world.clock.jump(3600)
    # Slack's clock runs on while our machine sleeps, but it doesn't follow a clock that was set.
    world.slack._ahead -= 0 if slept else 3600
    await world.pass_time(60)
    assert sorted(world.slack.keys()) == [f"subject-{number}/message/1" for number in range(1, 6)]
    assert await outbox(world) == (0, 0)


async def test_after_a_jump_a_message_has_its_whole_time_to_show(world):
    await world.store.write(notices.add_notices, [message()])
    world.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"))
    await world.work()
    world.clock.jump(3600)
    await world.pass_time(SEND_CONFIRM_SECONDS - 1)
    assert world.slack.count("conversations.history") == 0
    await world.pass_time(5)
    assert world.slack.count(POST) == 2


async def test_what_broke_on_its_way_has_the_same_time_to_show(world):
    await world.store.write(notices.add_notices, [message()])
    world.slack.fail(POST, ValueError("not what was expected"), after=True)
    await world.pass_time(14)
    assert world.slack.count("conversations.history") == 0
    await world.pass_time(5)
    assert world.slack.count(POST) == 1
    assert await outbox(world) == (0, 0)


async def test_a_send_that_would_outlive_its_lease_does_not_begin(world):
    await world.store.write(notices.add_notices, [message(kind=NoticeKind.FAILED)])
    real = partial(world.store.read, operations.find_operation_view)

    async def slow(operation_id):
        world.clock.advance(50)
        return await real(operation_id)

    replace_function(world.store, operations.find_operation_view, slow)
    await world.notifier.step_notices()
    assert world.slack.messages == []
    replace_function(world.store, operations.find_operation_view, real)
    await world.pass_time(2)
    assert len(world.slack.messages) == 1


# -- limits and errors ---------------------------------------------------------------------------------------


async def test_slacks_pause_goes_into_the_row_and_nobody_sleeps(world):
    await world.store.write(notices.add_notices, [message()])
    world.slack.fail(POST, SlackLimited(POST, 30.0))
    await world.pass_time(29)
    assert world.slack.count(POST) == 1
    await world.pass_time(3)
    assert len(world.slack.messages) == 1


async def test_urgent_messages_go_first_when_there_is_little_room(world):
    waiting = [message(number, person(number), NoticeKind.JOB_WAITING) for number in range(600)]
    for first in range(0, 600, 100):
        await world.store.write(notices.add_notices, waiting[first : first + 100])
    await world.work()
    sent = len(world.slack.messages)
    assert 300 < sent < 400
    urgent = [message(1000 + number, person(1000 + number), NoticeKind.FAILED) for number in range(30)]
    await world.store.write(notices.add_notices, urgent)
    await world.work()
    assert world.slack.kinds()[sent:] == ["failed"] * 30
    await world.pass_time(130, step=5)
    assert len(world.slack.messages) == 630
    assert world.slack.over_budget == 0


@pytest.mark.parametrize("code", ["user_not_found", "cannot_dm_bot", "messages_tab_disabled"])
async def test_who_cannot_be_written_to_is_given_up_and_shown(world, code):
    await world.store.write(notices.add_notices, [message(channel_id="C7")])
    world.slack.fail(POST, SlackPermanent(POST, code))
    await world.pass_time(60)
    assert world.slack.count(POST) == 1
    [dead] = await world.store.read(notices.list_dead_notices)
    assert dead.error == code
    [ephemeral] = world.slack.ephemerals
    assert (ephemeral["channel"], ephemeral["user"]) == ("C7", "UALICE")
    assert "http" not in str(ephemeral)


async def test_blocks_that_slack_refuses_are_left_out(world):
    await world.store.write(notices.add_notices, [message(blocks=[{"type": "section"}])])
    world.slack.fail(POST, SlackPermanent(POST, "invalid_blocks"))
    await world.pass_time(2)
    [sent] = world.slack.messages
    assert "blocks" not in sent
    assert sent["text"] == "message 1"


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "invalid_arguments"])
async def test_refused_blocks_stay_known_after_a_restart(world, code):
    """Even after a pause requested by Slack, blocks that it refused aren't sent a second time."""
    button = kit.button("Open", "open_url", "w1", url="https://ide.example.org/")
    await world.store.write(notices.add_notices, [message(blocks=[*kit.row("*lab* is ready.", [button])])])
    world.slack.fail(POST, SlackPermanent(POST, code))
    world.slack.fail(POST, SlackLimited(POST, 2.0))
    await world.notifier.step_notices()
    world.reborn()
    await world.pass_time(10)
    tries = [given for method, given in world.slack.calls if method == POST]
    assert ["blocks" in given for given in tries] == [True, False, False]
    assert [sent["text"] for sent in world.slack.messages] == [
        "lab is ready.\nOpen: <https://ide.example.org/>"
    ]


async def test_an_unknown_word_of_slack_is_tried_again_for_a_day(world):
    await world.store.write(notices.add_notices, [message()])
    world.slack.fail(POST, SlackFailed(POST, "some_new_error"), times=9999)
    await world.pass_time(3600, step=60)
    assert await outbox(world) == (1, 0)
    await world.store.write(notices.add_notices, [message(2)])
    await world.pass_time(90_000, step=600)
    assert {one.error for one in await world.store.read(notices.list_dead_notices)} == {"some_new_error"}
    # A single message mentions both, as soon as Slack accepts it.
    world.slack._faults.clear()
    await world.pass_time(900, step=30)
    [told] = [sent["text"] for sent in world.slack.messages]
    assert "(`some_new_error`), so you may have missed something" in told
    assert await outbox(world) == (0, 2)


async def test_what_says_that_a_message_is_missing_is_not_followed_by_another(world):
    await world.store.write(notices.add_notices, [message()])
    world.slack.fail(POST, SlackFailed(POST, "some_new_error"), times=9999)
    await world.pass_time(260_000, step=1200)
    assert await outbox(world) == (0, 2)


async def test_a_mistake_in_a_message_is_told_at_once_in_a_plain_one(world):
    await world.store.write(notices.add_notices, [message()])
    world.slack.fail(POST, SlackPermanent(POST, "metadata_too_large"))
    await world.pass_time(10)
    [sent] = world.slack.messages
    assert "`metadata_too_large`" in sent["text"]
    assert "blocks" not in sent


async def test_when_slack_shuts_the_app_out_everything_waits(world):
    await world.store.write(notices.add_notices, [message(number, person(number)) for number in range(5)])
    for method in (POST, "auth.test"):
        world.slack.fail(method, SlackPermanent(method, "token_revoked"), times=999)
    with capture_logs() as logs:
        await world.pass_time(100_000, step=2000)
    assert world.notifier.lockout_code == "token_revoked"
    assert [entry["event"] for entry in logs].count("slack shut the app out") == 1
    assert world.slack.count(POST) < 60
    world.slack._faults.clear()
    await world.pass_time(900, step=30)
    assert world.notifier.lockout_code is None
    assert len(world.slack.messages) == 5


async def test_a_person_whom_slack_refuses_holds_up_nobody(world):
    """A refused person is told once in the channel where they asked, and gets the message later."""
    refused = message(1, BOB, channel_id="C1")
    world.slack.fail_in(BOB.user_id, SlackPermanent(POST, "team_access_not_granted"))
    await world.store.write(notices.add_notices, [refused, message(2), message(3, BOB, channel_id="C1")])
    await world.pass_time(10)
    await world.store.write(notices.add_notices, [message(4)])
    await world.pass_time(10)
    assert [sent["text"] for sent in world.slack.messages] == ["message 2", "message 4"]
    (told,) = world.slack.ephemerals
    assert (told["channel"], told["user"]) == ("C1", BOB.user_id)
    assert "doesn't let me send you direct messages" in told["text"]
    await world.pass_time(3600, step=60)
    assert (world.notifier.lockout_code, len(world.slack.ephemerals)) == (None, 1)
    assert world.slack.count(POST) < 40
    world.slack.closed.clear()
    await world.pass_time(1000, step=20)
    assert {sent["text"] for sent in world.slack.messages[2:]} == {"message 1", "message 3"}


async def test_a_limit_in_one_conversation_holds_up_nobody(world):
    await world.work()
    world.slack.fail_in(BOB.user_id, SlackLimited(POST, 45.0))
    await world.store.write(notices.add_notices, [message(1, BOB), message(2)])
    await world.pass_time(10)
    assert [sent["text"] for sent in world.slack.messages] == ["message 2"]
    world.slack.closed.clear()
    await world.pass_time(60)
    assert [sent["text"] for sent in world.slack.messages] == ["message 2", "message 1"]


async def test_an_error_of_our_own_delays_one_notice_only(world):
    await world.work()  # A process begins with a try.
    await world.store.write(notices.add_notices, [message(1, kind=NoticeKind.FAILED), message(2, BOB)])
    real = partial(world.store.read, operations.find_operation_view)

    async def broken(subject):
        if subject == "subject-1":
            raise RuntimeError("a mistake")
        return await real(subject)

    replace_function(world.store, operations.find_operation_view, broken)
    with capture_logs() as logs:
        await world.work()
    assert [entry["event"] for entry in logs].count("notice not drawn") == 1
    assert len(world.slack.messages) == 1
    replace_function(world.store, operations.find_operation_view, real)
    await world.pass_time(90, step=10)
    assert len(world.slack.messages) == 2


# -- cards ---------------------------------------------------------------------------------------------------


async def test_servers_words_are_shown_each_minute(world):
    """A start with unknown usual duration shows its server's message, with the server's own percentage."""
    world.provider.start_takes = 200
    await world.begin(await world.own())
    for progress in range(5, 90, 5):
        world.provider.machines["r1"].progress = progress
        await world.pass_time(11)
    assert 4 <= len(world.slack.updates) <= 7
    assert "%." in str(world.slack.updates[-1])


async def test_a_card_that_was_deleted_is_let_go(world):
    operation_id = await world.begin(await world.own())
    await world.work()
    world.slack.messages.clear()
    before = world.slack.count("chat.update")
    await world.pass_time(45)
    assert (await world.store.read(cards.find_card, operation_id)).message_ts is None
    assert world.slack.count("chat.update") == before + 1


async def stopping(world):
    """Request a stop, and send its card."""
    operation_id = await world.begin(await world.own(state=State.RUNNING), OperationVerb.STOP)
    await world.notifier.step_notices()
    assert world.slack.sent_kinds() == ["card"]
    return operation_id


async def work_unseen(world, operation_id):
    """Let the operation end before anything is rendered."""
    while (await world.store.read(operations.find_operation, operation_id)).is_open:
        world.clock.advance(1.0)
        await world.reconciler.operations.step()
        await world.reconciler.reads.step()


async def test_a_stop_whose_card_was_deleted_while_it_went_on_has_a_message_about_its_end(world):
    operation_id = await stopping(world)
    world.slack.messages.clear()
    await world.store.write(operations.save_step, Update(operation_id, 0.0, block_reason="Slow."))
    world.clock.advance(MIN_UPDATE_INTERVAL_SECONDS)
    await world.notifier.step_cards()
    assert (await world.store.read(cards.find_card, operation_id)).message_ts is None
    await world.pass_time(200, step=5)
    assert (world.slack.kinds(), world.slack.count("chat.update")) == (["stopped"], 1)
    assert "has stopped on" in world.slack.messages[0]["text"]


@pytest.mark.parametrize("code", ["message_not_found", "edit_window_closed"])
async def test_a_stop_whose_card_is_lost_with_its_end_has_a_message_about_it(world, code):
    operation_id = await stopping(world)
    await work_unseen(world, operation_id)
    world.slack.fail("chat.update", SlackPermanent("chat.update", code))
    await world.pass_time(200, step=5)
    assert (world.slack.kinds(), world.slack.count("chat.update")) == (["card", "stopped"], 1)


async def test_an_end_that_a_card_has_shown_is_not_told_once_more_when_that_is_lost(world):
    operation_id = await stopping(world)
    await world.pass_time(200, step=5)
    assert "has stopped on" in world.slack.messages[0]["text"]
    world.slack.messages.clear()
    await world.store.write(notices.queue_lost_card, operation_id)
    await world.pass_time(200, step=5)
    assert world.slack.kinds() == []


async def test_an_end_whose_card_was_never_taken_has_a_message(world):
    operation_id = await world.begin(await world.own(state=State.RUNNING), OperationVerb.STOP)
    (card,) = await world.store.perform(notices.claim_notices, 10, 600.0)
    await work_unseen(world, operation_id)
    await world.store.write(notices.give_up_notice, card.id, "no_text")
    await world.pass_time(60, step=5)
    assert world.slack.kinds() == ["stopped"]


async def test_a_stop_that_ends_while_its_card_is_corrected_is_told_by_the_card_alone(world):
    operation_id = await stopping(world)
    card = await world.store.read(cards.find_card, operation_id)
    body = {"channel_id": card.channel_id, "message_ts": card.message_ts, "card": "card"}
    correction = NewNotice(operation_id, NoticeKind.CARD_UPDATE, "update:1", ALICE, body, due_in=100.0)
    await world.store.write(notices.add_notices, [correction])
    await world.store.write(cards.forget_location, operation_id)
    await world.pass_time(200, step=5)
    assert world.slack.kinds() == ["card"]
    assert "has stopped on" in world.slack.messages[0]["text"]


@pytest.mark.parametrize("is_taken", [True, False])
async def test_a_card_that_could_not_be_drawn_is_lost_if_its_correction_is(world, is_taken):
    operation_id = await stopping(world)
    await work_unseen(world, operation_id)
    card = await world.store.read(cards.find_card, operation_id)
    body = {"channel_id": card.channel_id, "message_ts": card.message_ts, "card": "card"}
    await world.store.write(
        notices.add_notices, [NewNotice(operation_id, NoticeKind.CARD_UPDATE, "update:1", ALICE, body)]
    )
    await world.store.write(cards.forget_location, operation_id)
    if not is_taken:
        world.slack.fail("chat.update", SlackPermanent("chat.update", "edit_window_closed"))
    await world.pass_time(200, step=5)
    assert world.slack.kinds() == (["card"] if is_taken else ["card", "stopped"])
    assert len(world.slack.told("stopped")) == 1
    await world.store.write(notices.queue_lost_card, operation_id)
    await world.pass_time(60, step=5)
    assert len(world.slack.told("stopped")) == 1


@pytest.mark.parametrize("code", ["token_revoked", "internal_error"])
async def test_an_update_that_fails_is_still_owed(world, code):
    workspace = await world.own(state=State.RUNNING)
    await world.begin(workspace, OperationVerb.STOP)
    await world.notifier.step_notices()
    error = SlackPermanent if code == "token_revoked" else SlackFailed
    world.slack.fail("chat.update", error("chat.update", code))
    await world.pass_time(200, step=5)
    assert len(world.slack.told("stopped")) == len(world.slack.messages) == 1


async def test_limited_card_is_updated_after_the_longest_pause(world):
    """Other cards wait no longer, even if Slack asks for an hour."""
    operation_id = await stopping(world)
    await work_unseen(world, operation_id)
    world.slack.fail("chat.update", SlackLimited("chat.update", 3600.0))
    await world.pass_time(MAX_PAUSE_SECONDS + 60, step=5)
    assert len(world.slack.told("stopped")) == len(world.slack.messages) == 1


@pytest.mark.parametrize("code", ["token_revoked", "internal_error"])
async def test_a_card_that_could_not_go_goes_later(world, code):
    await world.begin(await world.own())
    error = SlackPermanent if code == "token_revoked" else SlackFailed
    world.slack.fail("chat.delete", error("chat.delete", code))
    await world.pass_time(200, step=5)
    assert (world.slack.sent_kinds(), world.slack.kinds()) == (["card", "ready"], ["ready"])


async def test_a_card_that_slack_keeps_says_how_it_ended_and_is_left_alone(world):
    await world.begin(await world.own())
    error = SlackPermanent("chat.delete", "cant_delete_message")
    world.slack.fail("chat.delete", error, times=100)
    await world.pass_time(600, step=5)
    assert world.slack.kinds() == ["card", "ready"]
    assert "name-r1 is ready" in world.slack.messages[0]["text"]
    assert world.slack.count("chat.delete") == 1


async def test_the_same_drawing_is_not_sent_twice_whichever_process_sent_it(world):
    workspace = await world.own(state=State.RUNNING)
    await world.until_ended(await world.begin(workspace))
    await world.pass_time(60)
    before = len(world.slack.updates)
    for _ in range(2):
        world.reborn()
        for alias in ("other", None):
            await name_workspace(world.store, workspace.id, alias)
        world.clock.advance(60)
        assert await world.notifier.step_cards() > 0
        assert len(world.slack.updates) == before


async def test_what_an_update_of_unknown_outcome_showed_is_drawn_over(world):
    workspace = await world.own()
    world.provider.start_takes = 3600.0
    await world.begin(workspace)
    await world.pass_time(60)
    before = world.slack.messages[-1]["text"]
    world.slack.fail("chat.update", SlackUnknownOutcome("chat.update", "no_answer"), after=True)
    await name_workspace(world.store, workspace.id, "other")
    await world.notifier.step_cards()
    assert "other" in world.slack.messages[-1]["text"]
    await name_workspace(world.store, workspace.id, None)
    await world.pass_time(30)
    assert world.slack.messages[-1]["text"] == before


async def test_a_mistake_in_drawing_a_card_is_logged_and_drawn_later(world):
    await world.begin(await world.own())
    await world.notifier.step_notices()
    await world.pass_time(1)
    real = partial(world.store.read, operations.find_operation_view)

    async def broken(_operation_id):
        raise RuntimeError("a mistake")

    replace_function(world.store, operations.find_operation_view, broken)
    with capture_logs() as logs:
        for _ in range(20):
            world.clock.advance(1)
            await world.reconciler.reads.step()
            await world.notifier.step_cards()
    assert {entry["event"] for entry in logs if entry["log_level"] == "error"} == {"card failed"}
    replace_function(world.store, operations.find_operation_view, real)
    await world.pass_time(90, step=5)
    assert (world.slack.sent_kinds(), world.slack.kinds()) == (["card", "ready"], ["ready"])
