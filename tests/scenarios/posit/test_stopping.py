"""Ways to stop a session on a Workbench: ended after a confirmation, suspended, or created again."""

import pytest

from bot.domain.forms import Spec
from bot.services.operation_requests import create_workspace

LOST = "Anything unsaved or only in its memory is lost; the files you saved stay."
SPEC = Spec("paper", {"workbench": "JupyterLab", "cluster": "Local", "directory": "~/thesis"})


async def makes(world, spec=SPEC):
    """Create a session through Usher, and wait until it is running."""
    await world.bot.services.create_caller(world.principal(), "once").run(create_workspace, "wb", spec)
    await world.pass_time(20)
    return world.session(spec.name)


async def test_rstudio_restarts_by_being_suspended_and_resumed(linked):
    alice, before = linked.alice, linked.session("analysis")
    answer = await alice.types("restart analysis")
    assert "suspending and resuming it, so what's in its memory stays" in answer.text
    await linked.pass_time(40)
    assert alice.only("ready")
    after = linked.session("analysis")
    assert (after.id, after.state) == (before.id, "running")
    assert (linked.asked("stop_session"), linked.asked("resume_session")) == (1, 1)
    assert linked.asked("launch_session") == 0
    # *thesis* is already suspended, so a restart only resumes it.
    assert "Resuming *thesis* on Workbench." in (await alice.types("restart thesis")).text


async def test_what_was_made_here_is_ended_and_made_anew_once_its_person_agrees(linked):
    alice, first = linked.alice, await makes(linked)
    asked = await alice.types("restart paper")
    assert "will end it for good and start a new one with the same settings" in asked.text
    assert LOST in asked.text
    await linked.pass_time(20)
    assert (linked.asked("stop_session"), first.state) == (0, "running")

    await alice.presses(asked, "End it and start a new one")
    await linked.pass_time(40)
    second = linked.session("paper")
    assert second.id != first.id
    assert (second.workbench, second.working_directory, second.state) == ("JupyterLab", "~/thesis", "running")
    kinds = [shown.kind for shown in alice.sees() if shown.kind in {"card", "ready", "failed", "stopped"}]
    assert kinds == ["ready", "ready"]
    assert (linked.asked("stop_session"), linked.asked("launch_session")) == (1, 2)
    assert (await alice.types("list")).text.count("|paper>*") == 1
    assert await linked.audit("workspace.renew")


async def test_what_was_not_made_here_and_cant_come_back_is_not_restarted(linked):
    answer = await linked.alice.types("restart lab")
    assert "Workbench can't restart it" in answer.text
    assert "stop this one and type `/workspace new`" in answer.text
    await linked.pass_time(20)
    assert (linked.session("lab").state, linked.asked("stop_session")) == ("running", 0)


async def test_a_new_launch_that_fails_is_told_with_the_end_of_the_old_one(linked):
    alice, first = linked.alice, await makes(linked)
    linked.answers("launch_session", 16, "the licence allows no more sessions")
    await alice.types("restart paper --yes")
    await linked.pass_time(40)
    failed = alice.only("failed")
    assert "I couldn't restart *paper* on Workbench." in failed.text
    assert "The old one has ended, and I couldn't start a new one in its place." in failed.text
    assert "the licence allows no more sessions" in failed.text
    assert first.ended
    await alice.presses(failed, "Try again")
    await linked.pass_time(20)
    second = linked.session("paper")
    assert second.id != first.id
    assert (second.state, linked.asked("launch_session")) == ("running", 3)


@pytest.mark.parametrize(("words", "end"), [("stop", "finished"), ("stop --force", "killed")])
async def test_a_suspended_session_is_ended_once_its_person_agrees(linked, words, end):
    alice, verb = linked.alice, words.partition(" ")[0]
    session = linked.session("thesis")
    asked = await alice.types(words.replace(verb, f"{verb} thesis"))
    assert "This will end *thesis* for good" in asked.text
    assert f"it can't be started again. {LOST}" in asked.text
    await linked.pass_time(20)
    assert (linked.asked("stop_session"), session.state) == (0, "suspended")
    await alice.presses(asked, "End it")
    await linked.pass_time(20)
    assert "*thesis* on Workbench has ended." in alice.only("stopped").text
    assert (session.state, linked.asked("stop_session")) == (end, 1)


async def test_a_running_session_can_be_suspended_instead_or_ended_in_one_word(linked):
    alice = linked.alice
    asked = await alice.types("stop analysis")
    assert asked.labels == ["End it", "Suspend"]
    await alice.presses(asked, "Suspend")
    await linked.pass_time(20)
    assert linked.session("analysis").state == "suspended"
    assert "Ending *lab* on Workbench for good." in (await alice.types("stop lab --yes")).text
    await linked.pass_time(20)
    assert "*lab* on Workbench has ended." in alice.only("stopped").text
    assert linked.session("lab") is None or linked.session("lab").ended


async def test_a_button_that_has_asked_does_not_ask_again(linked):
    alice = linked.alice
    await alice.presses(await alice.types("status thesis"), "Stop")
    await linked.pass_time(20)
    assert linked.session("thesis").ended
    await alice.types("start lab")
    await linked.pass_time(5)
    dialog = alice.only("ready").button("Stop")["confirm"]
    assert dialog["text"]["text"] == f"This will end lab for good: it can't be started again. {LOST}"
    await alice.presses(alice.only("ready"), "Stop")
    await linked.pass_time(20)
    assert len(alice.told("stopped")) == 2
    assert linked.asked("stop_session") == 2


@pytest.mark.parametrize(
    ("name", "end", "told"),
    [("analysis", "suspended", "has been suspended"), ("lab", "finished", "has been ended for good")],
)
async def test_the_end_of_a_class_suspends_where_that_keeps_work(linked, name, end, told):
    alice = linked.alice
    await alice.types(f"card {name}@wb")
    await linked.pass_time(2)
    (card,) = [one for one in alice.sees("C0GENERAL") if one.kind == "class_card"]
    assert "It is suspended or ends for good when" in card.text
    assert LOST in card.text
    await alice.presses(card, "Get my workspace")
    await linked.pass_time(5)
    session = linked.session(name)
    await alice.presses(await alice.types("card"), "Stop all")
    # The workspace is read before its owner is warned, and again before it is stopped.
    await linked.pass_time(400, step=20)
    assert session.state == end
    ended = alice.only("stop_warning")
    assert told in ended.text
