"""Tests that each call is made as the account of the person who asked, and never after they have left."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.people import Principal
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import accounts, tasks, workspaces
from bot.store import operations as operation_rows
from tests.reconciler.world import new_world
from tests.rigs.store import ALICE, BOB, want_read

CAROL = Principal(None, "T1", "UCAROL")
PEOPLE = {ALICE: "alice", BOB: "bob", CAROL: "carol"}


@pytest.fixture
async def engine():
    async with new_world() as made:
        yield made


def check_calls(world):
    """Fail if a call's token belongs to somebody else, or if it is about somebody else's workspace."""
    for call in world.provider.calls:
        assert call.token == f"token-of-{call.username}", call
        if call.remote_id and not call.remote_id.startswith("shared"):
            assert call.remote_id.partition(":")[0] == call.username, call


async def everybody(world):
    """Link three people with different names. Each has two workspaces, and all of them share a third."""
    owned = {}
    for principal, name in PEOPLE.items():
        await world.link(principal, token=f"token-of-{name}", username=name)
        for remote_id in (f"{name}:one", f"{name}:two", "shared"):
            owned[name, remote_id] = await world.own(principal, remote_id)
    return owned


async def test_the_provider_sees_the_linked_name_on_every_call(engine):
    owned = await everybody(engine)
    for verb in (OperationVerb.START, OperationVerb.RESTART, OperationVerb.STOP):
        operations = [
            await engine.begin(workspace, verb)
            for (name, remote_id), workspace in owned.items()
            if remote_id != "shared" or name == "bob"
        ]
        await engine.pass_time(120, step=2)
        for operation_id in operations:
            assert (
                await engine.store.read(operation_rows.find_operation, operation_id)
            ).outcome is Outcome.FULFILLED
    for principal in PEOPLE:
        for row in await engine.store.perform(workspaces.read_workspaces, principal):
            await want_read(engine.store, row.id)
    await engine.pass_time(400, step=5)
    assert {call.username for call in engine.provider.calls} == set(PEOPLE.values())
    assert {call.method for call in engine.provider.calls} == {"status", "start", "stop"}
    check_calls(engine)
    changed = [
        call
        for call in engine.provider.calls
        if call.method in {"start", "stop"} and call.remote_id == "shared"
    ]
    assert {call.username for call in changed} == {"bob"}


async def test_a_relinked_person_acts_as_the_new_account_only(engine):
    workspace = await engine.own(ALICE, "alice:one")
    await engine.link(ALICE, token="token-of-other", username="other")
    before = len(engine.provider.calls)
    await engine.begin(workspace)
    await engine.pass_time(60)
    assert {call.username for call in engine.provider.calls[before:]} == {"other"}
    assert {call.token for call in engine.provider.calls[before:]} == {"token-of-other"}


async def test_after_a_lost_event_the_link_ends_and_what_was_under_way_with_it(engine):
    """Slack's event about the departure was lost.

    At night Usher reads all people, and the open operation ends.
    """
    workspace = await engine.own(ALICE, "alice:one")
    engine.provider.start_takes = 10_000.0
    operation_id = await engine.begin(workspace)
    await engine.pass_time(30)
    assert engine.provider.accepted_starts == ["alice:one"]
    engine.slack.add_user(ALICE.user_id, deleted=True)
    await engine.store.write(tasks.add_tasks, [_everybody()])
    await engine.work()
    # When a workspace comes up, it is read once more to decide whether that is worth a message.
    await engine.pass_time(120, step=5)
    operation = await engine.store.read(operation_rows.find_operation, operation_id)
    assert (operation.outcome, operation.cause) == (Outcome.CANCELLED, "unlinked")
    assert await engine.store.read(accounts.find_account, ALICE, "cloud") is None
    calls = len(engine.provider.calls)
    await engine.pass_time(600, step=10)
    assert len(engine.provider.calls) == calls


async def test_a_guest_by_a_lost_event_is_refused_at_the_next_step(engine):
    workspace = await engine.own(ALICE, "alice:one", State.STOPPED)
    operation_id = await engine.begin(workspace)
    # Slack has just reported the change, and nothing that follows from it has been done yet.
    await engine.know(ALICE, is_guest=True)
    assert await engine.until_ended(operation_id) is Outcome.REFUSED
    assert [call for call in engine.provider.calls if call.method == "start"] == []
    engine.slack.add_user(ALICE.user_id, is_restricted=True)
    await engine.store.write(tasks.add_tasks, [_everybody()])
    await engine.work()
    assert await engine.store.read(accounts.find_account, ALICE, "cloud") is None


def _everybody():
    from bot.domain.tasks import TaskKind
    from bot.store.tasks import NewTask

    return NewTask(TaskKind.SYNC_PEOPLE, "everybody")


async def test_a_click_after_a_lost_event_is_refused(linked):
    """The table of people was updated at night. A session that is still open can't do anything any more."""
    alice = linked.alice
    shown = await alice.types("status training")
    linked.slack.state.people[alice.id].deleted = True
    await linked.know_everybody()
    linked.slack.state.people[alice.id].deleted = False  # so that the local Slack lets them press
    before = linked.calls("")
    (told,) = await alice.presses(shown, "Start")
    assert "deactivated" in told.text
    assert "deactivated" in (await alice.types("start training")).text
    assert linked.calls("") == before
