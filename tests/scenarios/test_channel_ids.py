"""A channel whose id changes in Slack: its cards keep working, however late Slack reports the change."""

import pytest

from tests.rigs.scenario import BOB
from tests.rigs.scenario.people import GENERAL

NEW, NEWEST = "C0NEW", "C0NEWEST"


async def card_in(linked):
    """Post a class card. Return a function that reads it in the place where it currently is."""
    await linked.alice.types("card notebook --title Statistics --max 4")
    await linked.pass_time(2)

    def card():
        channel = next(name for name in (GENERAL, NEW, NEWEST) if name in linked.slack.state.channels)
        (shown,) = [one for one in linked.person(BOB).sees(channel) if one.kind == "class_card"]
        return shown

    return card


async def joins(linked, card):
    """Have a person press the card's button. Return the card's text once they have their workspace."""
    await linked.person(BOB).has_linked("bob")
    await linked.person(BOB).presses(card(), "Get my workspace")
    await linked.pass_time(90)
    return card().text


def told(linked, old, new, at):
    event = {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": new}
    return linked.slack.events.emit({**event, "event_ts": f"{linked.clock.now() + at:.6f}"})


async def test_class_card_follows_its_channel(linked):
    card = await card_in(linked)
    await linked.slack.control.change_channel(GENERAL, NEW)
    assert "1 of 1 ready" in await joins(linked, card)


async def test_class_card_follows_a_change_told_after_its_edit(linked):
    """An edit fails before Slack reports the change, and the event comes twice and very late."""
    card = await card_in(linked)
    await linked.slack.control.change_channel(GENERAL, NEW, notify=False)
    assert "ready" not in await joins(linked, card)
    for _ in range(2):
        await told(linked, GENERAL, NEW, -7200.0)
        await linked.pass_time(5)
    assert "1 of 1 ready" in card().text


@pytest.mark.parametrize("seconds", [1.0, 0.0], ids=["one-after-the-other", "at-once"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in-order", "reversed"])
async def test_class_card_follows_a_chain_of_changes(linked, order, seconds):
    card = await card_in(linked)
    for old, new in ((GENERAL, NEW), (NEW, NEWEST)):
        await linked.slack.control.change_channel(old, new, notify=False)
    for number in order:
        await told(linked, *((GENERAL, NEW), (NEW, NEWEST))[number], at=number * seconds - 2.0)
    assert "1 of 1 ready" in await joins(linked, card)


async def test_channel_is_not_renamed_while_slack_knows_its_id(linked):
    """This holds even if Slack can't be asked at first, because it delivers the event again."""
    card = await card_in(linked)
    await told(linked, GENERAL, NEW, 0.0)
    await told(linked, GENERAL, "C0SCIENCE", 0.0)
    assert "1 of 1 ready" in await joins(linked, card)
    linked.slack_fails("chat.getPermalink", status=503, times=1)
    await linked.slack.control.change_channel(GENERAL, NEW)
    await linked.pass_time(60)
    assert {row["channel_id"] for row in await linked.bot.store.engine.read(_classes)} == {NEW}


def _classes(tx):
    return tx.all("SELECT channel_id FROM class_cards")
