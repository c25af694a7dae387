"""Messages that can't be rendered: retried ever less often, sent as plain text, and dead after a day."""

from structlog.testing import capture_logs

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.preferences import Preferences
from bot.domain.workspaces import State
from bot.services import courses as courses_use_cases
from bot.store import cards, notices, operations
from bot.support.errors import SlackFailed, SlackPermanent
from tests.reconciler import classroom
from tests.reconciler.outbox import POST, message, outbox
from tests.rigs.functions import replace_function
from tests.rigs.providers import NO_GPU
from tests.rigs.store import ALICE, prefer, want_read


async def undrawable(world):
    """Add a notice about an operation whose rendering fails."""

    async def broken(_operation_id):
        raise RuntimeError("a mistake")

    replace_function(world.store, operations.find_operation_view, broken)
    await world.store.write(
        notices.add_notices, [NewNotice("operation_nowhere", NoticeKind.READY, "end", ALICE)]
    )


async def test_what_cannot_be_drawn_waits_longer_and_longer_and_is_then_said_plainly(world):
    await undrawable(world)
    with capture_logs() as logs:
        await world.pass_time(450, step=5)
    failed = [entry for entry in logs if entry["event"] == "notice not drawn"]
    assert 5 <= len(failed) <= 12
    # Nothing was sent, so nothing is searched for.
    assert world.slack.count("conversations.history") == 0
    [sent] = world.slack.messages
    assert failed[-1]["reference"] in sent["text"]
    assert "blocks" not in sent
    assert await outbox(world) == (0, 0)


async def test_what_can_be_neither_drawn_nor_sent_is_visibly_dead_after_a_day(world):
    await undrawable(world)
    world.slack.fail(POST, SlackFailed(POST, "internal_error"), times=9_999)
    with capture_logs():
        for _ in range(30):
            world.clock.advance(3600)
            await world.work()
    [dead] = await world.store.read(notices.list_dead_notices)
    assert (dead.error, dead.is_harmless) == ("internal_error", False)


async def undrawable_card(world):
    """Send the card of a start, and let its workspace become unreadable while an update is due."""
    await prefer(world.store, ALICE, Preferences(ready=False))
    operation_id = await world.begin(await world.own(state=State.RUNNING))
    await world.until_ended(operation_id)
    # If the workspace goes down earlier, that is reported in a message of its own.
    await world.pass_time(700, step=5)

    async def broken(*_subject):
        raise RuntimeError("a mistake")

    world.notifier._cards._gatherer.describe_card = broken
    await want_read(
        world.store, (await world.store.read(operations.find_operation, operation_id)).workspace_id
    )
    world.provider.put("r1", State.STOPPED)
    return await world.store.read(cards.find_card, operation_id)


async def test_a_card_that_cannot_be_drawn_is_said_plainly_where_it_stands(world):
    card = await undrawable_card(world)
    count = len(world.slack.messages)
    with capture_logs() as logs:
        await world.pass_time(450, step=5)
    failed = [entry for entry in logs if entry["log_level"] == "error" and "reference" in entry]
    assert 5 <= len(failed) <= 24
    shown = next(one for one in world.slack.messages if one["ts"] == card.message_ts)
    assert "something broke while I was putting it together" in shown["text"]
    assert any(entry["reference"] in shown["text"] for entry in failed)
    assert not shown.get("blocks")
    assert len(world.slack.messages) == count
    with capture_logs() as logs:
        await world.pass_time(3600, step=20)
    assert not [entry for entry in logs if entry["log_level"] == "error"]
    # The card's former content is rendered again once it is true again.
    del world.notifier._cards._gatherer.describe_card
    world.provider.put("r1", State.RUNNING)
    await want_read(world.store, (await world.store.read(operations.find_operation, card.id)).workspace_id)
    await world.pass_time(60)
    assert "is already running" in shown["text"]


async def test_a_class_card_that_cannot_be_drawn_keeps_its_button_and_is_visibly_dead(world):
    card = await classroom.post(world)

    async def broken(*_subject):
        raise RuntimeError("a mistake")

    world.notifier._cards._gatherer.describe_card = broken
    await classroom.ask(world).run(courses_use_cases.stop_all, card.id)
    with capture_logs():
        await world.pass_time(450, step=5)
    assert "Get my workspace" in str(classroom.shown(world)["blocks"])
    dead = await world.store.read(notices.list_dead_notices)
    assert [(one.error, one.is_harmless) for one in dead] == [("undrawable", False)]


async def test_a_card_that_can_be_neither_drawn_nor_updated_is_visibly_dead_after_a_day(world):
    await undrawable_card(world)
    update = "chat.update"
    world.slack.fail(update, SlackFailed(update, "internal_error"), times=9_999)
    with capture_logs():
        for _ in range(30):
            world.clock.advance(3600)
            await world.work()
    dead = await world.store.read(notices.list_dead_notices)
    assert {(one.error, one.is_harmless) for one in dead} == {("internal_error", False)}


async def test_a_mistake_after_the_drawing_is_looked_up_less_and_less_often_and_ends(world):
    await world.store.write(notices.add_notices, [message()])
    world.slack.fail(POST, RuntimeError("a mistake"), times=9_999)
    with capture_logs():
        await world.pass_time(3600, step=20)
        assert world.slack.count("conversations.history") <= 25
        for _ in range(26):
            world.clock.advance(3600)
            await world.work()
    assert [(one.subject, one.error) for one in await world.store.read(notices.list_dead_notices)] == [
        ("subject-1", "internal")
    ]


async def test_a_card_whose_blocks_slack_refuses_is_shown_as_text_and_drawn_again_when_it_changes(world):
    world.provider.start_takes = 3600.0
    operation_id = await world.begin(await world.own())
    await world.pass_time(5)
    card = await world.store.read(cards.find_card, operation_id)
    shown = next(one for one in world.slack.messages if one["ts"] == card.message_ts)
    world.slack.fail("chat.update", SlackPermanent("chat.update", "msg_blocks_too_long"), times=1)
    for reason, has_blocks in ((NO_GPU, False), ("Pulling the image", True)):
        world.provider.machines["r1"].reason = reason
        await world.pass_time(90)
        assert bool(shown["blocks"]) is has_blocks, reason
    assert (await world.store.read(cards.find_card, operation_id)).message_ts == card.message_ts
