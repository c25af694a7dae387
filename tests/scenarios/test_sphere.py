"""Sphere Engine workspaces, used from Slack: created by form, opened in Usher's page, and removed."""

import re

import pytest_asyncio

from tests.rigs.scenario.sphere import ACCESS_TOKEN, PROJECTS, sphere_world


@pytest_asyncio.fixture
async def sphere(tmp_path):
    async with sphere_world(tmp_path) as ready:
        yield ready


async def test_from_the_form_to_the_open_button(sphere):
    alice = sphere.alice
    form = await sphere.opens_form(alice)
    assert form.words == ("On *Courses*. Only you can see what you create there.",)
    assert list(form.field("field:template").options) == list(PROJECTS.values())
    await sphere.slack.fill(alice.id, {"field:template": PROJECTS["Python"], "field:name": "homework"})
    assert (await sphere.slack.submit(alice.id))["response_action"] == "clear"
    await sphere.settle()
    assert "*homework* · Courses" in alice.only("card").text
    await sphere.pass_time(30)
    ready = alice.only("ready")
    assert ready.labels == ["Open", "Stop", "Stop later…", "Hours…"]
    assert re.search(r"/ide/[\w-]+$", ready.address("Open"))
    (machine,) = sphere.machines()
    assert (machine.project.id, machine.options.retention_time_stopped) == (PROJECTS["Python"], 1440)


async def test_stop_start_and_remove_by_words(sphere):
    alice = sphere.alice
    await sphere.makes(alice, name="homework")
    (machine,) = sphere.machines()
    await alice.types("stop homework")
    await sphere.pass_time(20)
    assert machine.phase == "stopped"
    await alice.types("start homework")
    await sphere.pass_time(30)
    assert machine.phase == "running"
    assert (await sphere.slack.say(alice.id, "C0GENERAL", "/workspace remove homework"))["ok"]
    assert "permanently delete *homework*" in str(alice.modal())
    answer = await alice.submits(name="something else")
    assert answer["response_action"] == "errors"
    assert machine.phase == "running"
    await alice.submits(name="homework")
    await sphere.pass_time(20)
    assert machine.phase == "removed"
    assert "has been removed" in alice.only("removed").text
    shown = await alice.types("list")
    assert "homework" not in shown.text


async def test_why_it_failed_is_said_in_the_status_without_a_page_that_nobody_has(sphere):
    alice = sphere.alice
    await sphere.makes(alice, name="homework")
    (machine,) = sphere.machines()
    await sphere.pass_time(30)
    machine.error("Not enough memory on node", sphere.clock.now())
    await sphere.pass_time(400)
    assert "Open" not in alice.only("ready").labels
    told = (await alice.types("status homework")).text
    assert "There was no room for it on Courses: not enough memory." in told
    assert "page" not in told


async def test_nobody_sees_anothers_and_a_list_asks_nobody(sphere):
    await sphere.makes(sphere.alice, name="homework")
    await sphere.makes(sphere.bob, name="exam")
    for person, own, others in ((sphere.alice, "homework", "exam"), (sphere.bob, "exam", "homework")):
        shown = await person.types("list")
        assert own in shown.text
        assert others not in shown.text
    shown = await sphere.bob.types("stop homework")
    assert shown.text.startswith("I can't find a workspace called *homework*.")
    await sphere.pass_time(10)
    assert {machine.phase for machine in sphere.machines()} == {"running"}
    assert "GET /api/v1/workspaces" not in sphere.sphere.harness.requests


async def test_it_warns_before_it_stops_and_is_removed_when_asked(sphere):
    alice = sphere.alice
    await sphere.makes(alice, name="homework")
    await sphere.pass_time(11 * 60, step=5)
    warning = alice.only("workspace_expiry")
    assert "stops *" in warning.text
    assert warning.labels == ["Open"]
    (asked,) = await alice.writes("remove homework")
    await alice.presses(asked, "Remove")
    await alice.submits(name="homework")
    await sphere.pass_time(20)
    assert sphere.machines()[0].phase == "removed"


async def test_a_used_up_quota_is_said_and_tried_again_by_hand(sphere):
    alice = sphere.alice
    sphere.sphere.state.switches.quota = 1
    await sphere.makes(alice, name="first")
    await sphere.makes(alice, name="second")
    failed = alice.only("failed")
    assert "There's no room on Courses right now." in failed.text
    assert "limit of running workspaces" in failed.text
    sphere.sphere.state.switches.quota = None
    await alice.presses(failed, "Try again")
    await sphere.pass_time(30)
    assert [one.text.partition("*")[2].partition("*")[0] for one in alice.told("ready")] == [
        "first",
        "second",
    ]


async def test_a_finished_scenario_is_in_the_status(sphere):
    alice = sphere.alice
    await sphere.makes(alice, name="homework")
    (machine,) = sphere.machines()
    sphere.sphere.state.webhook_url = f"http://127.0.0.1:{sphere.port}/hooks/courses"
    url = f"{sphere.sphere_url}/_playground/workspaces/{machine.id}/scenario"
    answer = await sphere.bot.http.request("POST", url, json_body={"scenario": "tests", "score": 90})
    assert answer.status == 200
    assert [one["status"] for one in sphere.sphere.webhooks.deliveries] == [204]
    await sphere.pass_time(20)
    assert "Scenario tests finished" in (await alice.types("status homework")).text


async def test_the_token_is_in_no_log_and_no_message(sphere):
    """At the end of every world, all messages and logs are searched for secrets.

    Here, they include a refusal.
    """
    alice = sphere.alice
    await sphere.makes(alice, name="homework")
    sphere.sphere.state.access_token = "changed"
    await alice.types("stop homework")
    await sphere.pass_time(90)
    assert "no longer accepts my own key" in alice.told("card")[-1].text
    sphere.sphere.state.access_token = ACCESS_TOKEN
    await sphere.pass_time(120)
    assert "has stopped" in alice.only("stopped").text


async def test_where_it_is_the_only_connection_the_bare_command_leads_to_a_workspace(tmp_path):
    async with sphere_world(tmp_path, alone=True) as sphere:
        alice = sphere.alice
        first = await alice.types("about")
        assert first.text.startswith("I start, stop and open cloud workspaces from Slack.\n")
        assert "*Courses*: nothing to link" in first.text
        for typed in ("start", "start homework", "link", "list", ""):
            shown = await alice.types(typed)
            assert shown.labels == ["New workspace"], typed
        await alice.presses(shown, "New workspace")
        await sphere.settle()
        await sphere.slack.fill(alice.id, {"field:template": PROJECTS["Python"], "field:name": "homework"})
        assert (await sphere.slack.submit(alice.id))["response_action"] == "clear"
        await sphere.settle()
        await sphere.pass_time(30)
        assert alice.only("ready").labels == ["Open", "Stop", "Stop later…", "Hours…"]
        assert "homework" in (await alice.types("")).text
        await alice.types("forget homework")
        # Because the person has created a workspace there before, an empty list still offers to create one.
        assert (await alice.types("")).labels == ["New workspace"]
        assert (await alice.types("about")).labels == ["Show my workspaces"]
