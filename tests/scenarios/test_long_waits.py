"""Things that take long or happen elsewhere: deadlines, cards that follow them, and unused workspaces."""

import pytest
import pytest_asyncio

from tests.rigs.scenario import ID, world
from tests.scenarios.long_waits import PAST_DEADLINE, waiting


@pytest_asyncio.fixture
async def linked(tmp_path):
    """A world in which Olivia has linked her account."""
    async with world(tmp_path) as ready:
        await ready.alice.has_linked("alice")
        yield ready


async def test_after_the_deadline_it_says_still_waiting_once_and_goes_on_looking(linked):
    alice = linked.alice
    told = await waiting(linked)
    assert "I'm still starting *notebook* on Saturn Cloud. It's taking longer than usual." in told.text
    assert told.labels == ["Keep waiting", "Stop", "View on Saturn Cloud"]
    assert "Starting since" in alice.card.text
    await linked.pass_time(PAST_DEADLINE, step=30)
    assert alice.only("waiting")
    linked.resource("notebook").runs[-1].due_at = linked.clock.now()
    await linked.pass_time(60, step=5)
    assert alice.only("ready")
    assert not alice.told("card")
    assert alice.told("waiting") == []
    assert linked.calls("POST .*/start") == 1


async def test_keep_waiting_sets_a_new_deadline_and_starts_nothing(linked):
    alice = linked.alice
    told = await waiting(linked)
    (kept,) = [shown for shown in await alice.presses(told, "Keep waiting") if shown.is_private]
    assert "I'll keep checking on *notebook*" in kept.text
    await linked.pass_time(20, step=5)
    assert alice.told("waiting") == []
    await linked.pass_time(PAST_DEADLINE, step=30)
    assert alice.only("waiting")
    assert linked.calls("POST .*/start") == 1


async def test_stop_on_the_waiting_message_ends_it(linked):
    alice = linked.alice
    told = await waiting(linked)
    await alice.presses(told, "Stop")
    await linked.pass_time(60, step=5)
    assert alice.only("stopped")
    assert alice.told("waiting") == []


async def test_the_deadline_counts_while_the_bot_is_down(linked):
    linked.resource("notebook").start_seconds = 100_000
    await linked.alice.types("start notebook")
    await linked.stop_bot()
    linked.clock.advance(PAST_DEADLINE)
    await linked.start_bot()
    await linked.pass_time(40, step=5)
    assert linked.alice.only("waiting")


async def test_the_deadline_is_told_too_while_the_provider_is_away_or_the_link_is_refused(linked):
    linked.saturn.state.accounts.mark("alice", "revoked")
    await linked.alice.types("start notebook")
    await linked.pass_time(PAST_DEADLINE, step=30)
    assert linked.alice.only("waiting")
    assert linked.alice.only("sign_in_refused")


@pytest.mark.parametrize(
    ("elsewhere", "ends"),
    [
        ("stopped", ", and was stopped later."),
        ("error", ", and failed later."),
        ("removed", ". It no longer exists on Saturn Cloud."),
    ],
)
async def test_what_happens_elsewhere_leaves_no_button_that_needs_it_to_run_and_starts_nothing(
    linked, elsewhere, ends
):
    alice = linked.alice
    await alice.types("start training")
    await linked.pass_time(30)
    assert alice.only("ready").labels[0] == "Open"
    before = linked.calls("chat.update", linked.slack)
    if elsewhere == "removed":
        del linked.saturn.state.resources[ID["training"]]
    else:
        linked.resource("training").force(elsewhere, linked.clock.now())
    await linked.pass_time(400, step=10)
    assert alice.only("ready").short.startswith("training became ready at ")
    assert alice.only("ready").short.endswith(ends)
    assert alice.only("ready").labels == []
    assert linked.calls("chat.update", linked.slack) - before == 1
    assert linked.calls("POST .*/start") == 1
    assert ("No longer exists" in (await alice.types("status training")).text) == (elsewhere == "removed")


async def test_stopped_elsewhere_while_it_starts_is_told_and_not_started_again(linked):
    alice = linked.alice
    await alice.types("start notebook")
    await linked.pass_time(14)
    linked.resource("notebook").stop(linked.clock.now())
    await linked.pass_time(40)
    assert "It's stopped again on Saturn Cloud" in alice.only("failed").text
    await linked.pass_time(400, step=10)
    assert linked.calls("POST .*/start") == 1


async def test_a_start_under_way_elsewhere_is_joined_and_told(linked):
    linked.resource("notebook").start(linked.clock.now())
    linked.clock.advance(1)
    await linked.alice.types("start notebook")
    await linked.pass_time(60)
    assert linked.alice.only("ready")
    assert len(linked.resource("notebook").runs) == 1


async def test_a_running_workspace_is_looked_at_seldom_and_after_a_day_without_use_more_seldom(
    linked,
):
    await linked.alice.types("start training")
    await linked.pass_time(30)

    def reads():
        return linked.calls(f"GET /api/workspaces/{ID['training']}")

    before = reads()
    await linked.pass_time(3600, step=60)
    assert 9 <= reads() - before <= 12
    linked.clock.advance(86_400)
    await linked.pass_time(3600, step=60)
    before = reads()
    await linked.pass_time(2 * 3600, step=60)
    assert 3 <= reads() - before <= 5


async def test_two_people_who_share_a_resource_are_served_by_one_read(bare):
    bare.saturn.state.accounts.people["bob"].admin = True
    await bare.alice.has_linked("alice")
    await bare.bob.has_linked("bob")
    await bare.bob.types(f"add {ID['training']} borrowed")
    await bare.pass_time(12)
    await bare.alice.types("start training")
    for _ in range(10):
        await bare.bob.types("status borrowed")
        await bare.alice.types("status training")
        await bare.pass_time(1)
    assert bare.saturn.harness.smallest_gap >= 10.0
    await bare.pass_time(20)
    assert bare.alice.only("ready")
