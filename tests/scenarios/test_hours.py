"""Hours that are set by the Home tab's form and by sentences, and then kept: start, warning and stop."""


async def test_a_day_of_hours_starts_warns_and_stops(linked):
    alice = linked.alice
    await alice.types("hours training every day 8:02-8:40")
    await linked.pass_time(240)
    assert "*training* is ready" in alice.only("ready").text
    assert alice.told("card") == [], "nobody asked just now"
    await linked.pass_time(1700, step=10)
    warning = alice.only("stop_warning")
    assert {"Keep running", "1 hour more"} <= set(warning.labels)
    await linked.pass_time(700, step=10)
    assert alice.only("stopped")
    assert linked.calls("POST .*/start") == linked.calls("POST .*/stop") == 1
    started, stopped = await linked.audit("workspace.start"), await linked.audit("workspace.stop")
    assert [one["actor"] for one in [*started, *stopped]] == [linked.principal().key] * 2


async def test_skipped_stop_offers_what_stops_the_workspace(linked):
    """A workspace that its hours didn't start keeps running.

    The message says so, with a button that sets an end.
    """
    alice = linked.alice
    await alice.types("start training")
    await linked.pass_time(60)
    await alice.types("hours training every day -8:40")
    skipped = await alice.types("hours training skip today")
    assert "Next stop: Sat 16 Jan at <!date" in skipped.text
    await alice.presses(skipped, "Stop it then")
    await linked.pass_time(2500, step=10)
    assert linked.calls("POST .*/stop") == 1


async def test_hours_by_form_and_command(linked):
    alice = linked.alice
    shown = await alice.types("status report")
    await alice.presses(shown, "Hours…")
    assert alice.modal()["callback_id"] == "hours"
    late = await alice.submits(days=["mon"], **{"from": "09:00"}, until="09:10")
    assert late["errors"] == {"until": "Choose a time at least 30 minutes after the start."}
    assert (await alice.submits(days=["mon", "tue"], **{"from": "09:00"}, until="18:00"))["ok"]
    assert "Hours: Mon, Tue 09:00–18:00" in (await alice.types("status report")).read
    said = await alice.types("hours notebook every day 21:00")
    assert "every day from 21:00" in said.read
    assert {"Skip Fri 15 Jan", "Pause until Mon 18 Jan", "Turn hours off"} <= set(said.labels)
    assert "Hours: every day from 21:00" in (await alice.opens_home()).read
    once = await alice.types("hours training today 8:03")
    assert "I'll start *training* on Saturn Cloud" in once.read
    assert "Hours: 15 Jan from 08:03" in (await alice.opens_home()).read

    await linked.pass_time(230)
    assert "*training* is ready" in alice.only("ready").text
    assert linked.calls("POST .*/start") == 1
