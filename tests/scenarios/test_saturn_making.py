"""Workspaces from recipes at Saturn Cloud: created only once, whatever happens, and then started."""

CLONE = "POST /api/resource_recipes/clone"


async def makes(world, name="mine", **fields):
    """Open the form, fill it in, and send it. Return Slack's response."""
    await world.opens_form(world.alice, "new saturn")
    await world.fills(world.alice, name=name, **fields)
    return await world.sends(world.alice)


async def test_a_recipe_becomes_a_workspace_that_runs(cloud):
    alice = cloud.alice
    form = await cloud.opens_form(alice, "new saturn")
    assert list(form.field("field:template").options) == ["course"]
    await cloud.fills(alice, name="mine")
    assert (await cloud.sends(alice))["response_action"] == "clear"
    await cloud.pass_time(30)
    (made,) = cloud.made("mine")
    assert (made.spec["owner"], made.spec["instance_type"]) == ("acme/alice", "large")
    assert "*mine* is ready." in alice.only("ready").text
    assert "|mine>*" in (await alice.types("list")).text
    assert cloud.calls(CLONE) == 1
    assert cloud.calls(f"POST .*/{made.id}/start") == 1


async def test_a_start_beyond_the_quota_leaves_the_workspace_to_be_started_later(cloud):
    alice = cloud.alice
    cloud.saturn.state.limits.change({"running": 1})
    await makes(cloud)
    await cloud.pass_time(30)
    failed = alice.only("failed")
    assert "Quota exceeded: 1 running workspaces at most" in failed.text
    cloud.saturn.state.limits.change({"running": None})
    await alice.types("start mine")
    await cloud.pass_time(30)
    assert alice.only("ready")
    assert cloud.calls(CLONE) == 1


async def test_a_name_that_is_taken_stands_at_its_field_or_in_the_message(cloud):
    alice = cloud.alice
    answer = await makes(cloud, name="notebook")
    assert "You already have a workspace with that name" in str(answer["errors"])
    # A workspace of that name was created elsewhere while the form was open.
    await cloud.fills(alice, name="late")
    state = cloud.saturn.state
    state.clone(state.accounts.people["alice"], {"type": "workspace", "spec": {"name": "late"}})
    await cloud.sends(alice)
    await cloud.pass_time(20)
    assert "There's already a workspace with that name" in alice.only("failed").text
    assert len(cloud.made("late")) == 1
    assert cloud.calls(CLONE) == 0


async def test_a_stop_that_nobody_asked_for_is_told_where_that_is_wanted(cloud):
    alice = cloud.alice
    told = await alice.types("settings report on")
    assert (
        "I'll message you when *report* on Saturn Cloud is ready, and when it stops by itself." in told.text
    )
    cloud.resource("report").force("stopped", cloud.clock.now())
    await alice.types("status report")
    await cloud.pass_time(15)
    stopped = alice.only("stopped_elsewhere")
    assert "*report* was stopped on Saturn Cloud, not by me." in stopped.text
    # A stop by the person is reported once, as before, and not at all if they have turned that off.
    await alice.presses(stopped, "Start")
    await cloud.pass_time(30)
    await alice.types("stop report")
    await cloud.pass_time(30)
    assert len(alice.told("stopped")) == 1
    await alice.types("start report")
    await cloud.pass_time(30)
    await alice.types("settings report off")
    cloud.resource("report").force("stopped", cloud.clock.now())
    await alice.types("status report")
    await cloud.pass_time(20)
    assert (len(alice.told("stopped")), len(alice.told("stopped_elsewhere"))) == (1, 1)


async def test_a_workspace_deleted_elsewhere_is_not_told_as_stopped(cloud):
    alice = cloud.alice
    await alice.types("start report")
    await cloud.pass_time(30)
    await alice.types("settings report on")
    cloud.saturn.state.resources.pop(cloud.resource("report").id)
    await alice.types("status report")
    await cloud.pass_time(60, step=5)
    gone = alice.only("stopped_elsewhere")
    assert "*report* no longer exists on Saturn Cloud." in gone.text
    assert "stopped" not in gone.text
    assert "Start" not in gone.labels


async def test_a_stop_of_what_is_deleted_meanwhile_says_that_it_is_gone(cloud):
    alice = cloud.alice
    await alice.types("start report")
    await cloud.pass_time(30)
    await alice.types("stop report")
    await cloud.pass_time(1)
    cloud.saturn.state.resources.pop(cloud.resource("report").id)
    await cloud.pass_time(90, step=5)
    said = [shown.text for shown in alice.sees()]
    assert any("*report* no longer exists on Saturn Cloud." in text for text in said)
    assert not any("stopped" in text for text in said)
