"""Usage, from the button to the message: the runs, the picture, a class's total, and Monday's message."""

from tests.rigs.png import read_png

HOUR = 3600


async def test_week_from_home_to_monday(linked):
    alice = linked.alice
    await alice.types("start training")
    await linked.pass_time(60)
    await linked.pass_time(2 * HOUR, step=300)
    await alice.opens_home()
    home = await alice.presses_home("Show my week")
    assert "*This week* · Mon 11 Jan – Sun 17 Jan" in home.text
    assert "*training* on Saturn Cloud: 2 h" in home.text
    assert "still running" in home.text
    await linked.pass_time(10)
    (picture,) = [one for one in alice.sees() if "picture" in one.text]
    (file,) = picture.json["files"]
    assert (file["name"], file["mimetype"]) == ("usage.png", "image/png")
    assert "training: 2 h" in file["alt_txt"]
    assert read_png(linked.slack.state.files[file["id"]].content).width == 1_280

    said = await alice.types("usage")
    assert "ran" in said.text or "has been running" in said.text
    (on,) = await alice.presses(said, "Send it every Monday")
    assert "Every Monday at 9:00 AM" in on.text
    await alice.types("stop training")
    await linked.pass_time(60)
    await linked.pass_time(73 * HOUR, step=1800)
    week = alice.only("week")
    assert "*training* on Saturn Cloud: 2 h 1 min\n" in week.text
    # *report* was already running when Usher first saw it, and still is.
    assert "*report* on Saturn Cloud: at least 64 h · still running" in week.text
    assert week.labels == ["Stop", "Hours…", "Stop sending it"]
    await alice.presses(week, "Stop")
    await linked.pass_time(60)
    assert linked.calls("POST .*/stop") == 2
    await linked.pass_time(24 * HOUR, step=1800)
    assert alice.only("week")
