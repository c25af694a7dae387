"""Workspaces that run without a planned stop: questions about them, and reports when people leave."""

import pytest

from bot.store import accounts
from tests.rigs.scenario import world

AMIR, DAY = "U0AMIR", 86_400.0


@pytest.fixture
async def administered(tmp_path):
    """A world with an administrator, in which Olivia has linked her account."""
    async with world(tmp_path, settings={"USHER_ADMINS": AMIR}) as ready:
        await ready.alice.has_linked("alice")
        yield ready


async def runs(ready, *names):
    for name in names:
        ready.resource(name).force("running", ready.clock.now())
        await ready.alice.types(f"status {name}")
    await ready.pass_time(30)


async def test_hours_without_a_stop_ahead_are_asked_about_each_day(linked):
    """Hours that only start a workspace don't prevent the question. *Keep* does, for that day."""
    alice = linked.alice
    await runs(linked, "notebook")
    await alice.types("hours notebook mon 9:05")
    await linked.pass_time(2 * DAY, step=1200)
    first = [one for one in alice.told("idle_prompt") if "*notebook* on Saturn Cloud" in one.text]
    assert "has been running since" in first[-1].text
    await alice.presses(first[-1], "Keep")
    assert [one for one in alice.told("idle_prompt") if "*notebook* on" in one.text] == []
    await linked.pass_time(2 * DAY, step=1200)
    assert [one for one in alice.told("idle_prompt") if "*notebook* on" in one.text]


async def test_unanswered_question_goes_when_it_is_asked_again(linked):
    asked = []
    for _ in range(2):
        await linked.pass_time(1.5 * DAY, step=1200)
        asked.append(linked.alice.only("idle_prompt"))
    assert [one.text.partition(" on ")[0] for one in asked] == ["*report*", "*report*"]
    assert asked[0].ts != asked[1].ts


async def test_leavers_plans_are_kept_and_administrators_hear_of_the_rest(administered):
    """The leaver's planned stop is carried out at once, with the leaver's own account.

    Then the account goes.
    """
    alice, amir = administered.alice, administered.person(AMIR)
    await runs(administered, "notebook")
    await alice.types("stop notebook in 5 hours")
    await administered.slack.change_person(alice.id, deleted=True)
    await administered.pass_time(240, step=5)
    assert administered.calls("POST .*/stop") == 1
    assert await administered.bot.store.read(accounts.list_accounts, administered.principal()) == []
    told = amir.only("left_running")
    assert "*report* on Saturn Cloud" in told.text
    assert "notebook" not in told.text
    assert told.labels == ["View on Saturn Cloud"]
    # Slack repeats the event.
    await administered.slack.change_person(alice.id, deleted=True)
    await administered.pass_time(240, step=5)
    assert amir.only("left_running")


async def test_unlinking_names_what_runs_on_before_and_after(linked):
    alice = linked.alice
    await runs(linked, "notebook")
    named = "I won't stop what's running there: *notebook*, *report*."
    asked = (await alice.types("unlink saturn")).text
    assert named in asked
    assert "Anything running" not in asked
    assert named in (await alice.types("unlink saturn --yes")).text
