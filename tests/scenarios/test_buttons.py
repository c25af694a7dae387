"""Buttons: each does what it says, once, only for its owner, and in every place where it is shown."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

GENERAL = "C0GENERAL"
FOREIGN = "I can't find that workspace on your list."


async def test_the_list_starts_and_stops_by_its_buttons_in_a_channel(just_linked):
    alice = just_linked.alice
    shown = await alice.types("list")
    start = next(one for one in _buttons(shown) if one["text"]["text"] == "Start")
    told = await alice.clicks(shown, start["action_id"])
    assert "Starting *" in told[-1].text
    assert told[-1].is_private
    await just_linked.pass_time(60)
    assert [shown.kind for shown in alice.sees()] == ["linked", "failed"]


async def test_refresh_on_a_list_redraws_it_in_its_place(linked):
    alice = linked.alice
    shown = await alice.types("list")
    linked.resource("training").force("running", linked.clock.now())
    linked.clock.advance(120)
    (again,) = await alice.presses(shown, "Refresh")
    assert again.ts == shown.ts
    (again,) = await alice.presses(again, "Refresh")
    assert again.ts == shown.ts
    assert again.text.count("Running") == 2


async def test_refresh_on_a_card_passes_the_gate_and_says_how_old_the_news_are(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(3)
    for _ in range(5):
        told = await alice.presses(alice.card, "Refresh")
        assert "I'm checking again now. The card shows what I find." in told[-1].text
        await linked.pass_time(1)
    assert linked.calls(f"GET /api/workspaces/{linked.resource('notebook').id}") <= 2


async def test_status_buttons_and_see_its_page(linked):
    alice = linked.alice
    shown = await alice.types("status notebook")
    assert shown.address("View on Saturn Cloud") == (
        f"{linked.saturn_url}/dash/resources/workspace/{linked.resource('notebook').id}"
    )
    told = await alice.presses(shown, "Refresh")
    assert "*notebook*" in told[-1].text
    await alice.presses(shown, "Start")
    await linked.pass_time(45)
    assert alice.only("ready")


async def test_a_double_click_is_one_operation_and_one_start(linked):
    alice = linked.alice
    shown = await alice.types("status training")
    action = shown.button("Start")["action_id"]
    press = linked.slack.press
    await asyncio.gather(*(press(alice.id, GENERAL, shown.ts, action) for _ in range(2)))
    await linked.settle()
    await linked.pass_time(30)
    assert linked.calls("POST .*/start") == 1
    assert alice.only("ready")
    assert not alice.told("card")


async def test_fifty_replays_of_one_click_have_one_effect(linked):
    alice = linked.alice
    shown = await alice.types("status training")
    await linked.slack.press(alice.id, GENERAL, shown.ts, shown.button("Start")["action_id"])
    await asyncio.gather(*(linked.slack.dispatcher.replay() for _ in range(50)))
    await linked.settle()
    await linked.pass_time(30)
    assert linked.calls("POST .*/start") == 1
    assert (len(alice.told("card")), len(alice.told("ready"))) == (0, 1)
    assert len(await linked.audit("workspace.start")) == 1


async def test_replays_after_a_restart_of_the_bot_have_no_second_effect_either(linked):
    alice = linked.alice
    await alice.types("start training")
    sent = len(linked.slack.dispatcher.sent) - 1
    while b"start+training" not in linked.slack.dispatcher.sent[sent].body:
        sent -= 1
    await linked.pass_time(30)
    await linked.stop_bot()
    # A kill loses the signatures of the last second. The inbox still knows which interactions were handled.
    with closing(sqlite3.connect(linked.folder / "usher.db")) as database, database:
        database.execute("DELETE FROM signatures")
    await linked.start_bot()
    assert (await linked.slack.dispatcher.replay(sent)).ok
    await linked.pass_time(61)
    assert (await linked.slack.dispatcher.replay(sent)).status == 401
    await linked.pass_time(30)
    assert linked.calls("POST .*/start") == 1
    assert (len(alice.told("card")), len(alice.told("ready"))) == (0, 1)


async def test_an_event_that_slack_delivers_again_has_one_effect(linked):
    alice = linked.alice
    said = await linked.slack.say(alice.id, "@bot", "start training")
    await linked.settle()
    for number in (1, 2, 3):
        await linked.slack.events.redeliver(said["events"][0], number)
        await linked.pass_time(60, step=5)
    assert linked.calls("POST .*/start") == 1
    assert (len(alice.told("card")), len(alice.told("ready"))) == (0, 1)


async def test_an_event_that_slack_could_deliver_only_the_second_time_counts(linked):
    alice, app = linked.alice, linked.slack.state.app
    address, app.request_url = app.request_url, "http://127.0.0.1:9/slack/events"
    said = await linked.slack.say(alice.id, "@bot", "start training")
    app.request_url = address
    await linked.pass_time(62)
    assert linked.slack.events.deliveries[said["events"][0]].delivered
    await linked.pass_time(30)
    assert alice.only("ready")


async def test_a_stale_button_is_answered_honestly(linked):
    alice = linked.alice
    await alice.types("start broken")
    await linked.pass_time(40)
    failed = alice.only("failed")
    linked.resource("broken").fail = False
    await alice.types("start broken")
    await linked.pass_time(40)
    assert alice.only("ready")
    await alice.types("forget broken")
    told = await alice.presses_late(failed, "Try again")
    assert told[-1].text
    await linked.pass_time(40)
    assert len(alice.told("ready")) <= 2


async def test_a_button_of_a_workspace_that_is_gone_says_so_and_forgets_it(linked):
    alice = linked.alice
    shown = await alice.types("status training")
    del linked.saturn.state.resources[linked.resource("training").id]
    await alice.presses(shown, "Start")
    await linked.pass_time(30)
    failed = alice.only("failed")
    assert "It no longer exists on Saturn Cloud. Type `list` to see what's there." in failed.text
    linked.clock.advance(90)
    await alice.types("list")
    gone = await alice.types("status training")
    assert "No longer exists" in gone.text
    assert "no longer exists on Saturn Cloud" in (await alice.types("start training")).text
    told = await alice.presses(gone, "Forget")
    assert "*training* is off your list." in told[-1].text
    assert "training" not in (await alice.types("list")).text


async def test_old_buttons_and_made_up_keys_do_nothing(linked):
    alice = linked.alice
    shown = await alice.types("status training")
    message = linked.slack.state.message(GENERAL, shown.ts)
    element = next(one for one in _buttons(shown) if one["text"]["text"] == "Start")
    for action_id, value in (("teleport", element["value"]), ("start", "ws_invented"), ("stop", "")):
        forged = {**element, "action_id": action_id, "value": value or "x"}
        message.blocks = [{"type": "actions", "block_id": "forged", "elements": [forged]}]
        told = await alice.clicks(shown, action_id)
        assert told[-1].text
    await linked.pass_time(20)
    assert linked.calls("POST .*/(start|stop)") == 0


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
async def test_asking_twice_for_the_same_joins(linked, verb):
    alice = linked.alice
    name = "training" if verb == "start" else "report"
    await alice.types(f"{verb} {name}", then_settle=False)
    again = await alice.types(f"{verb} {name}")
    assert "already" in again.text
    await linked.pass_time(70)
    assert linked.calls("POST .*/start") == (0 if verb == "stop" else 1)
    assert linked.calls("POST .*/stop") == (0 if verb == "start" else 1)
    assert len([*alice.told("ready"), *alice.told("stopped")]) == 1


def _buttons(shown):
    return [
        element
        for block in shown.json["blocks"]
        for element in [*block.get("elements", ()), block.get("accessory") or {}]
        if element.get("type") == "button"
    ]
