"""Shortcuts: *Start a workspace* from anywhere, *Run as a job* on a message, with nothing run unasked."""

import pytest

from playground.slack.errors import SlackError
from playground.slack.kit.entities import read
from tests.rigs.scenario.workbench import workbench_world
from tests.security.forged import pressed

GENERAL = "C0GENERAL"
SCRIPT = 'set -e\nfor one in a b; do\n\techo "<$one> & co"\ndone\nRscript Test.R'
GUEST, STRANGER = "U0GRETA", "U0PAVEL"


def says(form) -> str:
    return read("\n".join(form.words))


async def test_a_workspace_is_started_from_anywhere(linked):
    alice = linked.alice
    assert (await linked.slack.shortcut(alice.id, "start_workspace"))["ok"]
    form = linked.slack.form(alice.id)
    assert (form.title, form.submit, form.callback_id) == ("Start a workspace", "Start", "start_workspace")
    options = form.field("workspace").options
    assert list(options.values()) == ["broken", "notebook", "report", "training"]
    described = alice.modal()["blocks"][0]["element"]["options"][2]["description"]["text"]
    assert described == "Running"
    (key,) = [value for value, name in options.items() if name == "notebook"]
    await linked.slack.fill(alice.id, {"workspace": key})
    assert linked.calls("POST .*/start") == 0
    assert (await linked.slack.submit(alice.id))["response_action"] == "update"
    await linked.settle()
    assert "Starting *notebook* on Saturn Cloud." in says(linked.slack.form(alice.id))
    await linked.pass_time(40)
    assert "*notebook* is ready" in alice.only("ready").text
    assert linked.calls("POST .*/start") == 1


async def test_somebody_new_finds_the_first_steps_there(bare):
    alice = bare.alice
    assert (await bare.slack.shortcut(alice.id, "start_workspace"))["ok"]
    form = bare.slack.form(alice.id)
    assert "I start, stop and open your cloud workspaces" in says(form)
    assert form.buttons == ("invite:0",)
    # What a press there answers is shown there.
    assert (await bare.slack.press(alice.id, None, None, "invite:0"))["ok"]
    await bare.settle()
    assert "link_url" in {one.partition(":")[0] for one in bare.slack.form(alice.id).buttons}
    assert alice.sees() == []


async def test_a_shortcut_that_comes_too_late_is_answered_in_words(linked):
    alice = linked.alice
    await linked.slack.close_view(alice.id, everything=True)
    linked.slack_fails("views.open", status=500)
    assert (await linked.slack.shortcut(alice.id, "start_workspace"))["ok"]
    await linked.settle()
    assert linked.slack.form(alice.id) is None
    assert "Start a workspace" in alice.sees()[-1].text


@pytest.mark.parametrize("who", [GUEST, STRANGER])
async def test_guests_and_strangers_start_nothing(linked, who):
    before = linked.calls("")
    try:
        await linked.slack.shortcut(who, "start_workspace")
    except SlackError:
        assert who == STRANGER, "Slack has no shortcuts for people of other organisations"
    else:
        form = linked.slack.form(who)
        assert "Guests can't use me." in says(form)
        assert (form.fields, form.submit) == ((), None)
    await linked.settle()
    assert linked.calls("") == before


async def test_the_message_shortcut_is_there_only_where_commands_run(linked):
    assert set(linked.slack.state.app.shortcuts) == {"start_workspace"}
    with pytest.raises(SlackError, match="no_such_shortcut"):
        await linked.slack.shortcut(linked.alice.id, "run_as_job", GENERAL, "1.1")


@pytest.fixture
async def workbench(tmp_path):
    async with workbench_world(tmp_path) as world:
        await world.alice.has_linked("alice", "wb")
        yield world


async def said(world, person, text):
    """Let somebody write in a channel; return the message's ts."""
    return (await world.slack.say(person.id, GENERAL, text))["ts"]


async def chosen(world, ts):
    """Let Olivia choose *Run as a job* on a message; return what she sees then."""
    assert (await world.slack.shortcut(world.alice.id, "run_as_job", GENERAL, ts))["ok"]
    await world.settle()
    return world.slack.form(world.alice.id)


async def test_the_command_of_a_colleagues_message_is_read_whole_and_runs_when_run_is_pressed(workbench):
    ts = await said(workbench, workbench.bob, f"try this:\n```\n{SCRIPT}\n```\nit works")
    form = await chosen(workbench, ts)
    assert (form.title, form.submit) == ("Run a job", "Run")
    assert form.field("field:command").value == SCRIPT
    assert form.field("field:command").type == "plain_text_input"
    assert "The command is from a message by <@U0CHEN>. Read it before you press *Run*" in says(form)
    await workbench.fills(workbench.alice, cluster="Slurm")
    form = workbench.form(workbench.alice)
    assert form.field("field:command").value == SCRIPT, "a redraw keeps it"
    assert "<@U0CHEN>" in says(form)
    assert workbench.jobs() == []
    assert (await workbench.sends(workbench.alice))["response_action"] == "clear"
    await workbench.until(lambda: len(workbench.jobs()) == 1, step=0.5)
    (job,) = workbench.jobs()
    assert (job.values["command"], job.owner) == (SCRIPT, "alice")
    assert [row["actor"] for row in await workbench.audit("job.run")] == [
        workbench.principal(workbench.alice.id).key
    ]


async def test_closing_the_form_runs_nothing(workbench):
    await chosen(workbench, await said(workbench, workbench.bob, "```rm -rf ~```"))
    await workbench.slack.close_view(workbench.alice.id)
    await workbench.pass_time(5)
    assert workbench.jobs() == []


@pytest.mark.parametrize(
    ("text", "says_so"),
    [
        ("no code here", "I can't find a command in that message."),
        ("``` ```", "I can't find a command in that message."),
        ("`ls` or `pwd`", "I can't find a command in that message."),
        ("```" + "x" * 2001 + "```", "That command has 2001 characters"),
        ("```ls \u202e txt.exe```", "characters in it that can't be seen"),
        ("```ls\u200b```", "characters in it that can't be seen"),
    ],
)
async def test_what_can_not_be_shown_whole_is_refused_in_a_sentence(workbench, text, says_so):
    form = await chosen(workbench, await said(workbench, workbench.bob, text))
    assert says_so in says(form)
    assert (form.fields, form.submit) == ((), None)


async def test_whoever_has_linked_nothing_links_first_and_runs_nothing_by_itself(tmp_path):
    async with workbench_world(tmp_path) as world:
        form = await chosen(world, await said(world, world.bob, "```ls```"))
        assert "You haven't linked Workbench yet. Link it, then choose *Run as a job* again." in says(form)
        await world.alice.has_linked("alice", "wb")
        await world.pass_time(10)
        assert world.jobs() == []


async def test_a_forged_choice_brings_no_command_of_its_own(workbench):
    """A press that names a command opens a form at most, which is read before *Run* is pressed."""
    forged = pressed(workbench, "run_code:0", type="button", value='wb\n["U0CHEN", "rm -rf ~"]')
    assert (await workbench.slack.dispatcher.send("interactive", forged)).ok
    await workbench.pass_time(5)
    assert workbench.jobs() == []
