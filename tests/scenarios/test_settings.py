"""Settings from the form to the message that comes, or doesn't, over signed HTTP."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/London")


def _clock(world, minutes):
    """Return the time of day in so many minutes, in the zone of the people here."""
    at = datetime.fromtimestamp(world.clock.now(), ZONE) + timedelta(minutes=minutes)
    return at.strftime("%H:%M")


async def test_settings_from_a_command_and_from_a_direct_message_and_what_they_change(linked):
    alice = linked.alice
    asked = (await alice.writes("settings"))[-1]
    assert "I'll message you when a workspace is ready or a run ends." in asked.text
    await alice.presses(asked, "Change settings")
    assert alice.modal()["title"]["text"] == "Settings"
    notebook = next(
        one["value"]
        for one in alice.modal()["blocks"][-2]["element"]["options"]
        if one["text"]["text"].startswith("notebook")
    )
    answer = await alice.submits(tell=["run_ended"], workspace=notebook)
    assert answer["ok"], answer
    assert "`/workspace start` without a name means *notebook*" in str(alice.modal())
    await linked.slack.close_view(alice.id)
    # The card alone tells it.
    await alice.types("start")
    await linked.pass_time(40)
    assert alice.told("ready") == []
    assert "*notebook*" in alice.card.text
    assert "unning" in alice.card.text
    # For one workspace it may differ; the slash command opens the form at once.
    await alice.types("notify training on")
    await alice.types("start training")
    await linked.pass_time(40)
    assert "*training* is ready" in alice.only("ready").text
    assert (await linked.slack.say(alice.id, "C0GENERAL", "/workspace settings"))["ok"]
    assert alice.modal()["title"]["text"] == "Settings"


async def test_quiet_hours_hold_back_what_was_not_asked_for_until_they_end(linked):
    alice = linked.alice
    assert (await linked.slack.say(alice.id, "C0GENERAL", "/workspace settings"))["ok"]
    quiet = {"begin": _clock(linked, -10), "end": _clock(linked, 30)}
    assert (await alice.submits(tell=["ready", "stopped"], hold=["on"], **quiet))["ok"]
    assert f"Quiet hours: {quiet['begin']} to {quiet['end']}" in str(alice.modal())
    await linked.slack.close_view(alice.id)
    report = next(one for one in linked.saturn.state.resources.values() if one.name == "report")
    report.force("stopped", linked.clock.now())
    await alice.types("status report")
    await linked.pass_time(20)
    assert alice.told("stopped_elsewhere") == []
    # What she asks for meanwhile is told at once.
    await alice.types("start training")
    await linked.pass_time(40)
    assert "*training* is ready" in alice.only("ready").text
    await linked.pass_time(1900, step=20)
    held = alice.only("held")
    assert "*report* on Saturn Cloud stopped at" in held.text
    shown = await alice.presses(held, "Show my workspaces")
    assert "Your workspaces" in shown[-1].text
