"""Planned stops with the whole bot: typed, shown, warned about, changed by a button, and carried out."""

import json


async def test_a_start_for_a_while_is_shown_warned_of_and_stopped(linked):
    alice = linked.alice
    await alice.types("start training for 20 min")
    await linked.pass_time(40)
    assert "I'll stop it at <!date^" in alice.only("ready").text
    assert "Stop later…" in alice.only("ready").labels

    await linked.pass_time(600, step=10)
    warning = alice.only("stop_warning")
    assert "*training* stops in 10 minutes" in warning.text
    assert warning.labels == ["Keep running", "1 hour more"]
    assert "Open" in alice.only("ready").labels
    assert linked.calls("POST .*/stop") == 0

    # A restart in between changes nothing.
    await linked.stop_bot()
    await linked.start_bot()
    await linked.pass_time(660, step=10)
    assert "This stop was planned." in alice.only("stopped").text
    assert linked.calls("POST .*/stop") == 1
    assert alice.only("stop_warning").ts == warning.ts, "the warning has become what says that"
    (stopped,) = await linked.audit("workspace.stop")
    assert stopped["actor"] == linked.principal().key


async def test_the_warning_is_answered_by_a_press_and_the_form_sets_another_time(linked):
    alice = linked.alice
    await alice.types("start training")
    await linked.pass_time(40)
    await alice.types("stop training in 15 min")
    await linked.pass_time(330, step=10)
    *_, answer = await alice.presses(alice.only("stop_warning"), "1 hour more")
    assert "I'll stop *training* at <!date^" in answer.text
    await linked.pass_time(1200, step=30)
    assert alice.told("stopped") == []

    await alice.presses(alice.only("ready"), "Stop later…")
    assert alice.modal()["title"]["text"] == "Stop later"
    assert (await alice.submits(when="", other="in 2 min"))["ok"]
    await linked.pass_time(180, step=10)
    assert alice.only("stopped")


async def test_what_is_stopped_at_the_provider_is_not_warned_of(linked):
    alice = linked.alice
    await alice.types("start training for 20 min")
    await linked.pass_time(40)
    linked.resource("training").force("stopped", linked.clock.now())
    await linked.pass_time(1300, step=10)
    assert alice.told("stop_warning") == []
    assert alice.told("stopped") == []
    assert linked.calls("POST .*/stop") == 0


async def test_planned_stop_that_meets_an_edit_comes_once_that_is_over(linked):
    """No failure is reported, neither at the planned time nor afterwards."""
    alice = linked.alice
    await alice.types("start training")
    await linked.pass_time(40)
    await alice.types("stop training in 2 min")
    busy = {"message": "The workspace is being edited right now."}
    linked.saturn_fails("/stop$", times=None, status=409, body=json.dumps(busy))
    await linked.pass_time(240, step=10)
    assert linked.resource("training").status(linked.clock.now()) == "running"
    linked.heal()
    await linked.pass_time(120, step=5)
    assert linked.resource("training").status(linked.clock.now()) == "stopped"
    assert alice.told("failed") == []
    assert "couldn't" not in "".join(shown.text for shown in alice.sees())


async def test_planned_stop_outlasts_a_read_that_finds_it_down(linked):
    """The warning comes once the workspace is up again."""
    alice = linked.alice
    await alice.types("start training for 30 min")
    await linked.pass_time(40)
    training = linked.resource("training")
    training.force("stopped", linked.clock.now())
    await alice.types("status training")
    await linked.pass_time(30, step=5)
    training.force("running", linked.clock.now())
    await alice.types("status training")
    await linked.pass_time(30, step=5)
    await linked.pass_time(1200, step=10)
    assert alice.only("stop_warning")
    await linked.pass_time(720, step=10)
    assert training.status(linked.clock.now()) == "stopped"
    assert alice.only("stopped")
