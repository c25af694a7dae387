"""Hours set by the form from Home and by sentences, shown there, and kept: started, warned of, stopped."""


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
    """What hours haven't started goes on without an end, which is said with a button that sets one."""
    alice = linked.alice
    await alice.types("start training")
    await linked.pass_time(60)
    await alice.types("hours training every day -8:40")
    skipped = await alice.types("hours training skip today")
    assert "It's running, and I won't stop it before <!date" in skipped.text
    await alice.presses(skipped, "Stop it then")
    await linked.pass_time(2500, step=10)
    assert linked.calls("POST .*/stop") == 1
