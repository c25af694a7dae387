"""Tests that repeated deliveries from Slack have one effect, at 0, 1 and 5 minutes and after a restart."""

import json
from contextlib import asynccontextmanager, nullcontext
from urllib.parse import parse_qs

import pytest

from playground.demo.browser import Browser
from playground.slack.payloads import Retry


async def by_command(world, away):
    """Start a workspace with a command, and return the kind and payload of Slack's request."""
    async with away:
        await world.slack.say(world.alice.id, "C0GENERAL", "/workspace start training")
    fields = parse_qs(world.slack.dispatcher.sent[-1].body.decode(), keep_blank_values=True)
    return "command", {key: value[0] for key, value in fields.items()}


async def by_button(world, away):
    shown = await world.alice.types("status training")
    async with away:
        await world.slack.press(world.alice.id, shown.channel, shown.ts, shown.button("Start")["action_id"])
    (payload,) = parse_qs(world.slack.dispatcher.sent[-1].body.decode())["payload"]
    return "interactive", json.loads(payload)


async def by_message(world, away):
    async with away:
        await world.slack.say(world.alice.id, "@bot", "start training")
    sent = next(one for one in reversed(world.slack.dispatcher.sent) if b"event_callback" in one.body)
    return "event", json.loads(sent.body)


@pytest.mark.parametrize("way", [by_command, by_button, by_message])
async def test_a_redelivery_has_no_second_effect(linked, way):
    """Each delivery has a new signature, so only the inbox can recognise it."""
    alice = linked.alice
    kind, payload = await way(linked, nullcontext())
    for number, pause in enumerate((1, 60, 240, 5), 1):
        await linked.pass_time(pause, step=5)
        if pause == 5:
            await linked.stop_bot()
            await linked.start_bot()
        reply = await linked.slack.dispatcher.send(kind, payload, Retry(number, "http_timeout"))
        assert reply.ok
        await linked.settle()
    await linked.pass_time(60, step=5)
    assert linked.calls("POST .*/start") == 1
    assert (len(alice.told("card")), len(alice.told("ready"))) == (0, 1)
    assert len(await linked.audit("workspace.start")) == 1


async def repeat_everything(world):
    """Deliver each event again under another id, and each message as if its author's app had repeated it."""
    for name, delivery in list(world.slack.events.deliveries.items()):
        assert (await world.slack.events.repeat(name)).ok
        event = delivery.payload["event"]
        if "client_msg_id" in event:
            later = event | {"ts": f"{float(event['ts']) + 21.5:.6f}"}
            await world.slack.dispatcher.send("event", delivery.payload | {"event_id": "Ev0", "event": later})
    await world.settle()


@pytest.mark.parametrize("channel", ["@bot", "C0GENERAL"], ids=["direct", "mention"])
async def test_other_event_id_has_no_effect(linked, channel):
    """A stop that is delivered again after it was undone is neither carried out nor asked about."""
    alice, address = linked.alice, "" if channel == "@bot" else "@usher "
    await linked.slack.say(alice.id, channel, f"{address}stop report")
    await linked.pass_time(900, step=30)
    await linked.slack.say(alice.id, channel, f"{address}start report")
    await linked.pass_time(60, step=5)
    told = [(place, len(alice.hears(channel=place))) for place in ("@bot", "C0GENERAL")]
    for hours in (0.0, 0.1, 3.0, 20.0):
        linked.clock.advance(hours * 3600.0)
        await linked.settle()
        await repeat_everything(linked)
        if hours == 3.0:
            await linked.stop_bot()
            await linked.start_bot()
            await repeat_everything(linked)
    await linked.pass_time(60, step=5)
    assert (linked.calls("POST .*/stop"), linked.calls("POST .*/start")) == (1, 1)
    assert [(place, len(alice.hears(channel=place))) for place, _ in told] == told


async def test_a_redelivered_command_leaves_its_link_valid(bare):
    alice = bare.alice
    _, address = await alice.invited()
    fields = parse_qs(bare.slack.dispatcher.sent[-1].body.decode(), keep_blank_values=True)
    payload = {key: value[0] for key, value in fields.items()}
    await bare.stop_bot()
    await bare.start_bot()
    await bare.pass_time(2)
    assert (await bare.slack.dispatcher.send("command", payload, Retry(1, "http_timeout"))).ok
    await bare.settle()
    assert len(await bare.audit("link.invited")) == 1
    async with Browser() as browser:
        assert "Paste" in (await browser.get(address)).text


@asynccontextmanager
async def out_of_reach(app):
    """Make the bot unreachable for a block."""
    answered, app.request_url = app.request_url, "http://127.0.0.1:9/slack/events"
    yield
    app.request_url = answered


@pytest.mark.parametrize("way", [by_command, by_button, by_message])
async def test_first_sight_with_a_retry_number_counts(linked, way):
    """An event that never arrived comes later with Retry-Num 1, and is carried out then."""
    kind, payload = await way(linked, out_of_reach(linked.slack.state.app))
    assert linked.calls("POST .*/start") == 0
    assert (await linked.slack.dispatcher.send(kind, payload, Retry(1, "http_error"))).ok
    await linked.pass_time(30)
    assert linked.calls("POST .*/start") == 1
    assert linked.alice.only("ready")
