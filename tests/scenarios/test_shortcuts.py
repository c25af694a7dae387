"""The shortcut *Start a workspace* works from anywhere, for everybody who may use Usher."""

import pytest

from playground.slack.errors import SlackError
from playground.slack.kit.entities import read

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
    # The answer to a press in the form is shown in the form.
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
