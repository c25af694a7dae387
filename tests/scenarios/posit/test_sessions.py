"""Sessions on a Workbench, used from Slack: the form, opening, suspending, and each kind of stop."""

import pytest

from playground.demo.browser import Browser
from tests.rigs.scenario.workbench import workbench_world


async def visits(world, account, url):
    """Open an address in a browser that is signed in to the Workbench."""
    async with Browser() as browser:
        page = await browser.get(f"{world.posit_url}/auth-sign-in")
        await browser.submit(page, username=account, password=f"pw-{account}")
        return await browser.get(url)


async def test_a_session_is_made_with_the_form_and_opens_for_its_owner(linked):
    alice = linked.alice
    assert (await linked.slack.say(alice.id, "C0GENERAL", "/workspace new wb"))["ok"]
    assert "Checking what Workbench offers." in linked.form(alice).words[0]
    await linked.settle()
    form = linked.form(alice)
    assert form.words == ("On *Workbench*, with your own account.",)
    # The options are in the server's order, without those that the server reports as unavailable.
    assert list(form.field("field:ide").options) == ["RStudio", "JupyterLab", "Jupyter Notebook"]
    await linked.fills(alice, ide="RStudio", name="paper", environment="STAGE=draft")
    assert (await linked.sends(alice))["response_action"] == "clear"
    assert "*paper* · Workbench" in alice.only("card").text
    await linked.pass_time(20)

    ready = alice.only("ready")
    assert ready.text.startswith("🟢 *paper* is ready.")
    assert ready.labels == ["Open", "Suspend", "Stop later…", "Hours…", "Stop"]
    url = ready.address("Open")
    assert url.startswith(f"{linked.posit_url}/s/")
    page = await visits(linked, "alice", url)
    assert (page.status, "RStudio of alice is running" in page.text) == (200, True)
    assert (await visits(linked, "bob", url)).status == 403
    made = linked.session("paper")
    assert made.environment == [{"name": "STAGE", "value": "draft"}]
    assert linked.asked("launch_session") == 1
    assert [entry["target"] for entry in await linked.audit("operation.create")]


async def test_the_form_follows_the_cluster_and_searches_what_it_offers(linked):
    alice = linked.alice
    form = await linked.opens_form(alice, "new wb")
    names = {field.action_id.removeprefix("field:") for field in form.fields}
    assert names == {"ide", "name", "cluster", "directory", "file", "environment"}
    form = await linked.fills(alice, ide="RStudio", cluster="Kubernetes")
    assert form.field("field:name").value == "RStudio"
    names = {field.action_id.removeprefix("field:") for field in form.fields}
    assert names >= {"image", "profile", "constraints"}
    assert not names & {"queue", "cpus"}
    form = await linked.fills(alice, profile="My own limits")
    assert (form.field("field:cpus").hint, form.field("field:memory").hint) == (
        "At most 8.",
        "At most 32768.",
    )
    found = await linked.slack.options(alice.id, None, None, "field:image", value="gpu")
    assert [one["value"] for one in found["options"]] == ["ghcr.io/acme/gpu:2024.12"]
    found = await linked.slack.options(alice.id, None, None, "field:cluster", value="")
    assert [one["value"] for one in found["options"]] == ["Local", "Kubernetes", "Slurm"]
    assert form.field("field:memory").value == "2048"
    form = await linked.fills(alice, name="mine", cpus="3", cluster="Slurm")
    # Proposed values change with the selected cluster. Typed values stay.
    held = {name.removeprefix("field:"): value for name, value in form.values.items()}
    assert (held["name"], held["cpus"], held["memory"]) == ("mine", "3", "4096")
    names = {field.action_id.removeprefix("field:") for field in form.fields}
    assert "queue" in names
    assert not names & {"image", "profile", "constraints"}
    await linked.fills(alice, ide="JupyterLab")
    assert "file" not in {field.action_id.removeprefix("field:") for field in linked.form(alice).fields}


async def test_what_is_wrong_stands_at_its_field_and_the_rest_stays(linked):
    alice = linked.alice
    await linked.opens_form(alice, "new wb")
    await linked.fills(alice, ide="RStudio", cluster="Kubernetes", profile="My own limits")
    await linked.fills(alice, name="thesis", cpus="2", environment="1=2")
    await linked.fills(alice, constraints=("Zone: west", "Zone: east"))
    answer = await linked.sends(alice)
    said = {block.partition("~")[0]: text for block, text in answer["errors"].items()}
    assert set(said) == {"name", "constraints", "environment"}
    assert said["name"].startswith("You already have a session with that name. Choose another name.")
    assert said["constraints"].startswith("Choose one value for each kind of placement.")
    assert "NAME=value" in said["environment"]
    assert linked.form(alice).field("field:cpus").value == "2"
    # Slack itself refuses a value above the field's maximum.
    await linked.fills(alice, cpus="9")
    assert (await linked.sends(alice))["error"] == "invalid_input"
    assert linked.asked("launch_session") == 0


async def test_the_form_remembers_what_was_chosen_and_proposes_a_name_that_is_free(linked):
    alice = linked.alice
    await linked.opens_form(alice, "new wb")
    await linked.fills(alice, ide="RStudio", cluster="Kubernetes", profile="large", directory="~/paper")
    assert (await linked.sends(alice))["ok"]
    await linked.pass_time(20)
    linked.clock.advance(400)
    await linked.opens_form(alice, "new wb")
    await linked.pass_time(5)
    await linked.slack.close_view(alice.id)
    form = await linked.opens_form(alice, "new wb")
    held = {name.removeprefix("field:"): value for name, value in form.values.items()}
    assert (held["ide"], held["cluster"], held["profile"]) == ("RStudio", "Kubernetes", "large")
    assert held["directory"] == "~/paper"
    assert held["name"] == "RStudio 2"


async def test_where_there_is_no_launcher_sessions_are_launched_all_the_same(linked):
    linked.switch(launcher_sessions=False)
    form = await linked.opens_form(linked.alice, "new wb")
    names = {field.action_id.removeprefix("field:") for field in form.fields}
    assert names == {"ide", "name", "directory", "file", "environment"}
    await linked.fills(linked.alice, ide="JupyterLab", name="paper")
    assert (await linked.sends(linked.alice))["ok"]
    await linked.pass_time(20)
    assert linked.alice.only("ready")
    assert linked.session("paper").state == "running"


TEMPLATES = [
    {
        "name": "gpu",
        "title": "A machine with a GPU",
        "session": {
            "workbench": "RStudio",
            "launch_parameters": {
                "cluster": "Kubernetes",
                "container_image": "ghcr.io/acme/gpu:2024.12",
                "resource_profile": "large",
                "aws_role_arn": "arn:aws:iam::1:role/research",
            },
            "start_hooks": [{"exe": "/opt/hooks/mount"}],
        },
    },
    {"name": "secret", "title": "Not for you", "session": {}, "who": ["U0CHEN"]},
]


async def test_a_template_brings_what_no_form_asks_for(tmp_path):
    async with workbench_world(tmp_path, workbench={"templates": TEMPLATES}) as world:
        alice = world.alice
        await alice.has_linked("alice", "wb")
        form = await world.opens_form(alice, "new wb gpu")
        assert form.field("field:template").options == {"gpu": "A machine with a GPU"}
        names = {field.action_id.removeprefix("field:") for field in form.fields}
        assert not names & {"ide", "cluster", "image", "profile"}
        await world.fills(alice, name="training")
        assert (await world.sends(alice))["ok"]
        await world.pass_time(20)
        assert alice.only("ready")
        made = world.session("training")
        assert made.launch_parameters["aws_role_arn"] == "arn:aws:iam::1:role/research"
        assert made.start_hooks[0]["exe"] == "/opt/hooks/mount"
        assert made.launch_parameters["container_image"] == "ghcr.io/acme/gpu:2024.12"


async def test_rstudio_is_suspended_and_goes_on_where_it_was(linked):
    alice = linked.alice
    await alice.types("start analysis")
    await linked.pass_time(5)
    (answer, *_) = await alice.presses(alice.only("ready"), "Suspend")
    assert answer
    await linked.pass_time(20)
    suspended = alice.only("suspended")
    assert "*analysis* was suspended on Workbench, just as you left it." in suspended.text
    assert linked.session("analysis").state == "suspended"
    assert "Suspended" in (await alice.types("status analysis")).text
    await alice.presses(suspended, "Resume")
    await linked.pass_time(20)
    assert len(alice.told("ready")) == 2
    assert linked.session("analysis").state == "running"
    assert (linked.asked("resume_session"), linked.asked("stop_session")) == (1, 1)
    await alice.types("suspend analysis")
    await linked.pass_time(15)
    await alice.types("start analysis")
    await linked.pass_time(15)
    assert linked.session("analysis").state == "running"
    assert (linked.asked("resume_session"), linked.asked("stop_session")) == (2, 2)


async def test_a_session_that_is_busy_or_unsaved_is_suspended_and_ended_only_by_who_knows_that(linked):
    alice, busy = linked.alice, "It was busy and had unsaved changes when I last checked."
    await alice.types("start analysis")
    await linked.pass_time(5)
    session = linked.session("analysis")
    session.executing = session.save_prompt_required = True
    await alice.types("status analysis")
    await linked.pass_time(5)
    status = await alice.types("status analysis")
    assert "Last used at" in status.text
    suspend = status.button("Suspend")["confirm"]["text"]["text"]
    assert suspend.startswith(f"{busy} Suspending keeps")
    # *Stop* is in a menu, so its question appears in a form. They close the form.
    await alice.chooses(status, "Stop")
    assert busy in str(alice.modal())
    await alice.world.slack.hands.close(alice.id)
    asked = await alice.types("suspend analysis")
    assert f"{busy} Suspending keeps what's in its memory" in asked.text
    assert f"it can't be started again. {busy} Anything unsaved" in (await alice.types("stop analysis")).text
    assert linked.asked("stop_session") == 0
    await alice.presses(asked, "Suspend")
    await linked.pass_time(20)
    assert session.state == "suspended"
    # A suspended session isn't busy, even if it was before.
    assert busy not in (await alice.types("stop analysis")).text


async def test_what_became_busy_since_the_question_is_asked_about_again(linked):
    alice, session = linked.alice, linked.session("lab")
    await alice.types("start lab")
    await linked.pass_time(5)
    asked = await alice.types("stop lab")
    session.executing = True
    # Usher hasn't read it since. It reads a session before it does something irreversible.
    await alice.presses(asked, "End it")
    await linked.pass_time(20)
    failed = alice.only("failed")
    assert (
        "By the time I checked, it was busy or had unsaved changes, so I've left it running." in failed.text
    )
    assert (linked.asked("stop_session"), session.state) == (0, "running")
    assert "It was busy when I last checked." in (await alice.types("status lab")).text
    # Now Usher knows that it is busy, and says so in a new question. The old question is gone.
    again = await alice.types("stop lab")
    assert "it can't be started again. It was busy when I last checked." in again.text
    await alice.presses(again, "End it")
    await linked.pass_time(20)
    assert (linked.asked("stop_session"), session.state) == (1, "finished")


async def test_to_stop_all_says_what_is_busy_and_ends_only_that(linked):
    alice, busy, idle = linked.alice, linked.session("analysis"), linked.session("lab")
    for name in ("analysis", "lab"):
        await alice.types(f"start {name}")
        await linked.pass_time(5)
    busy.executing = True
    await alice.types("status analysis")
    await linked.pass_time(5)
    asked = await alice.types("stop all")
    rows = {line.split("*")[1]: line for line in asked.text.splitlines() if line.startswith("•")}
    assert "This will end it for good. It was busy when I last checked.".lower() in rows["analysis"].lower()
    assert "busy" not in rows["lab"]
    idle.executing = True
    await alice.presses(asked, "Stop 2 workspaces")
    await linked.pass_time(20)
    assert (busy.state, idle.state) == ("finished", "running")


async def test_a_planned_end_of_a_busy_session_asks_for_more_time_instead(linked):
    alice, session = linked.alice, linked.session("lab")
    await alice.types("start lab")
    await linked.pass_time(5)
    await alice.presses(await alice.types("stop lab in 30 min"), "End it then")
    session.executing = session.save_prompt_required = True
    await linked.pass_time(22 * 60)
    warning = alice.told("stop_warning")[-1]
    assert "It can't be started again after that. It was busy and had unsaved changes" in warning.text
    await linked.pass_time(10 * 60)
    assert (linked.asked("stop_session"), session.state) == (0, "running")
    asked = alice.told("stop_warning")[-1]
    assert "is busy, so I haven't stopped it as planned. Do you need more time?" in asked.text
    assert asked.labels == ["Keep running", "1 hour more", "Stop"]
    # An hour later, the session isn't busy any more.
    session.executing = False
    await linked.pass_time(61 * 60)
    assert (linked.asked("stop_session"), session.state) == (1, "finished")


async def test_only_rstudio_is_offered_to_be_suspended(linked):
    alice = linked.alice
    await alice.types("start lab")
    await linked.pass_time(5)
    assert alice.only("ready").labels == ["Open", "Stop", "Stop later…"]
    assert "Workbench doesn't offer that for it right now." in (await alice.types("suspend lab")).text
    assert linked.asked("stop_session") == 0
    assert "*lab* is already running" in (await alice.types("start lab")).text
    assert linked.session("lab").state == "running"


async def test_suspension_of_jupyterlab_is_refused_after_an_old_read(linked):
    """Which sessions can be suspended doesn't change, so no newer read is needed to refuse it."""
    alice = linked.alice
    await alice.types("status lab")
    await linked.pass_time(40, step=5)
    assert "Workbench doesn't offer that for it right now." in (await alice.types("suspend lab")).text
    assert await linked.audit("workspace.suspend") == []


async def test_a_session_that_was_stopped_is_gone_and_a_new_one_is_made_like_it(linked):
    alice = linked.alice
    await linked.opens_form(alice, "new wb")
    await linked.fills(alice, ide="RStudio", name="paper")
    await linked.sends(alice)
    await linked.pass_time(20)
    await alice.presses(alice.only("ready"), "Stop")
    await linked.pass_time(20)
    stopped = alice.only("stopped")
    assert "It can't be started again." in stopped.text
    first = linked.session("paper")
    await alice.presses(stopped, "Start a new one")
    await linked.pass_time(20)
    assert len(alice.told("ready")) == 2
    second = linked.session("paper")
    assert second is not first
    assert second.state == "running"
    assert linked.asked("launch_session") == 2
    assert (await alice.types("list")).text.count("|paper>*") == 1


async def test_a_stop_that_nothing_comes_of_can_be_forced(linked):
    alice = linked.alice
    linked.session("analysis").stuck = True
    await alice.writes("stop analysis --yes")
    await linked.pass_time(55, step=5)
    assert "Force quit" not in alice.card.labels
    await linked.pass_time(15, step=5)
    assert "Force quit" in alice.card.labels
    await alice.presses(alice.card, "Force quit")
    await linked.pass_time(20)
    first, second = alice.told("card")
    assert "The stop of *analysis* had already been sent to Workbench." in first.text
    assert first.labels == []
    assert alice.only("stopped").ts == second.ts, (
        "the card of the force quit says how it ended, and nothing else"
    )
    assert "It can't be started again." in second.text
    assert linked.asked("stop_session") == 2
    assert getattr(linked.session("analysis"), "state", "gone") in {"killed", "gone"}


async def test_a_session_is_forced_to_quit_at_once_by_its_word(linked):
    alice = linked.alice
    linked.session("analysis").stuck = True
    assert "Ending *analysis* on Workbench" in (await alice.types("stop analysis --force --yes")).text
    await linked.pass_time(20)
    assert alice.only("stopped")
    assert linked.asked("stop_session") == 1


@pytest.mark.parametrize("form", ["prefix", "absolute", "double_slash"])
async def test_every_spelling_of_its_own_address_opens(linked, form):
    linked.switch(url_form=form, url_prefix="")
    alice = linked.alice
    await alice.types("start analysis")
    await linked.pass_time(5)
    url = alice.only("ready").address("Open")
    assert url.startswith(linked.posit_url)
    assert (await visits(linked, "alice", url)).status == 200


@pytest.mark.parametrize("form", ["other_host", "other_host_double_slash"])
async def test_an_address_on_another_host_is_not_passed_on(linked, form):
    linked.switch(url_form=form)
    alice = linked.alice
    # The address of *analysis*, which was running before, was already known. Its button disappears once the
    # address stops working.
    await alice.types("start analysis")
    await linked.pass_time(20)
    assert "Open" not in alice.only("ready").labels
    await alice.types("start thesis")
    await linked.pass_time(20)
    ready = alice.told("ready")[-1]
    assert "*thesis* is ready. Workbench didn't give me a link that I can pass on." in ready.text
    assert "Open it from its page there." in ready.text
    assert ready.address("View on Workbench") == f"{linked.posit_url}/home"
    assert "Open" not in ready.labels
    assert "elsewhere.example" not in str([shown.json for shown in alice.sees()])
    opened = await alice.types("open analysis")
    assert "didn't give me a link that I can pass on" in opened.text
    assert "elsewhere.example" not in str(opened.json)


async def test_what_is_there_already_is_listed_and_somebody_elses_is_not(linked):
    alice = linked.alice
    listed = (await alice.types("list")).text
    assert all(name in listed for name in ("analysis", "thesis", "lab"))
    assert "secret" not in listed
    other = linked.session("secret", "bob")
    await alice.types(f"add {other.id} theirs")
    await linked.pass_time(10)
    assert "Not in your account" in (await alice.types("status theirs")).text
    for words in ("stop theirs", "stop theirs --force", "start theirs", "suspend theirs"):
        told = await alice.types(words)
        assert told.is_private
        await linked.pass_time(20, step=5)
    assert other.state == "running"
    assert not [shown for shown in alice.sees() if shown.kind in {"ready", "stopped", "suspended"}]
