"""The first minute of a new user: Usher introduces itself once, and buttons lead from step to step."""

from tests.rigs.scenario.cloud import cloud_world

WHAT = "I start, stop and open your cloud workspaces and run your jobs from Slack"
GENERAL = "C0GENERAL"


async def test_from_the_first_words_to_a_workspace_by_buttons_alone(tmp_path):
    async with cloud_world(tmp_path) as world:
        alice = world.alice
        (first,) = await alice.writes("about")
        assert WHAT in first.text
        assert first.labels == ["Link Saturn Cloud"]
        (asked,) = await alice.writes("list")
        carries_on = "Link it here and I'll carry on with your request."
        assert asked.text.startswith(f"{WHAT}, always with your own account. {carries_on}\n")
        assert asked.labels == ["Link Saturn Cloud", "Enter code", "Ask to link Saturn Cloud"]
        await alice.links("alice", asked=asked)
        await world.pass_time(3)
        # The command that was waiting for the link continues by itself, and a button offers the next step.
        linked = alice.only("linked")
        assert linked.labels == ["Show my workspaces", "Unlink"]
        # The message says "If that wasn't you, unlink it", so the button must be visible and not in a menu.
        elements = [one for block in linked.json["blocks"] for one in block.get("elements", ())]
        seen = [one["text"]["text"] for one in elements if one["type"] == "button"]
        assert seen == ["Show my workspaces", "Unlink"]
        assert "style" not in linked.button("Unlink")
        assert any("*notebook* · Saturn Cloud\nStopped" in shown.text for shown in alice.sees())
        shown = (await alice.presses(linked, "Show my workspaces"))[-1]
        assert shown.ts != linked.ts
        assert {"Refresh", "New workspace"} <= set(shown.labels)
        await alice.presses(shown, "New workspace")
        assert alice.modal()["title"]["text"] == "New workspace"
        assert sum(WHAT in message.text for message in alice.sees()) == 1, "the empty list became *linked*"


async def test_each_person_is_told_once_wherever_they_begin_and_nobody_unasked(bare):
    assert bare.alice.sees() == bare.bob.sees() == []
    (mentioned,) = await bare.bob.mentions("about")
    assert "from Slack, always with your own account." in mentioned.text
    assert mentioned.is_private
    (again,) = await bare.bob.writes("about")
    assert "from Slack, always with your own account" not in again.text
    assert again.labels == ["Link Saturn Cloud"]
    await bare.stop_bot()
    await bare.start_bot()
    *_, later = await bare.bob.writes("about")
    assert "from Slack, always with your own account" not in later.text


async def test_what_is_taken_back_offers_the_way_back(linked):
    alice = linked.alice
    forgotten = await alice.types("forget report")
    (back,) = await alice.presses(forgotten, "Bring back")
    assert "*report* on Saturn Cloud is back on your list." in back.text
    assert "|report>*" in (await alice.types("list")).text
    ended = await alice.types("unlink saturn --yes")
    assert ended.labels == ["Link Saturn Cloud"]


async def test_whoami_names_people_and_places_and_no_ids(linked):
    shown = await linked.alice.types("about")
    assert shown.text.startswith("You are <@U0OLIVIA> in *Acme Research*.")
    assert "T0ACME" not in shown.text
