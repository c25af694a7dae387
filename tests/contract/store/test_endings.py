"""Workspaces that their provider ends, messages about that, and ids that no creation has claimed."""

from dataclasses import replace

import pytest

from bot.domain.forms import Spec
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Created, Observed
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import PROVISIONAL, State, Workspace
from bot.store import accounts, creations, gates, notices, operations, workspaces
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_creation,
    accept_operation,
    first_sight,
    gate_key,
    hide_workspace,
    linked,
    observe,
    refuse,
    unlink,
    within,
)


@pytest.fixture
async def workspace(store):
    return (await linked(store, state=State.STOPPED)).workspaces[0]


def running(at=None, lasts=None):
    return Observed(State.RUNNING, expires_at=at, expiry_mode="stops", expires_after=lasts)


def stopped(lasts=None):
    return Observed(State.STOPPED, expiry_mode="removed", expires_after=lasts)


async def ends(store, workspace):
    row = await store.read(workspaces.find_workspace, workspace.id)
    return row.expires_at, row.expiry_mode


async def test_a_time_is_counted_from_when_the_state_was_found(store, clock, workspace):
    long_ago = clock.now() - 5000
    await observe(store, clock, workspace, running(long_ago, 900.0))
    began = clock.now()
    assert await ends(store, workspace) == (began + 900, "stops")
    clock.advance(300)
    await observe(store, clock, workspace, running(long_ago, 900.0))
    assert await ends(store, workspace) == (began + 900, "stops")
    used = clock.now() + 850
    await observe(store, clock, workspace, running(used, 900.0))
    assert await ends(store, workspace) == (used, "stops")


async def test_what_stopped_for_want_of_use_did_so_when_it_was_foreseen(store, clock, workspace):
    await observe(store, clock, workspace, running(clock.now() + 100, 100.0))
    foreseen, _ = await ends(store, workspace)
    clock.advance(400)
    await observe(store, clock, workspace, stopped(3600.0))
    assert await ends(store, workspace) == (foreseen + 3600, "removed")
    clock.advance(100)
    await observe(store, clock, workspace, stopped(3600.0))
    assert await ends(store, workspace) == (foreseen + 3600, "removed")


async def test_what_was_stopped_sooner_did_so_when_it_was_found(store, clock, workspace):
    await observe(store, clock, workspace, running(clock.now() + 5000, 5000.0))
    await observe(store, clock, workspace, stopped(3600.0))
    assert await ends(store, workspace) == (clock.now() + 3600, "removed")


@pytest.mark.parametrize("state", [State.RUNNING, State.STOPPED], ids=str)
@pytest.mark.parametrize("lasts", [900.0, None], ids=["counted", "not counted"])
async def test_removal_in_any_case_is_the_end_if_it_is_earlier(store, clock, workspace, state, lasts):
    seen = running(None, lasts) if state is State.RUNNING else stopped(lasts)
    removed_at = clock.now() + 600
    for _ in range(2):
        await observe(store, clock, workspace, replace(seen, removed_at=removed_at))
        assert await ends(store, workspace) == (removed_at, "removed")
        clock.advance(10)
    if lasts is not None:
        await observe(store, clock, workspace, replace(seen, removed_at=removed_at + 5000))
        assert (await ends(store, workspace))[0] < removed_at + 5000


async def test_removal_that_did_not_come_hides_no_end_that_will(store, clock, workspace):
    ends_at = clock.now() + 600
    outlived = replace(running(ends_at), removed_at=clock.now() - 60)
    await observe(store, clock, workspace, outlived)
    assert await ends(store, workspace) == (ends_at, "stops")


async def soon(store, clock, workspace, seconds=200.0):
    await observe(store, clock, workspace, running(clock.now() + seconds))
    return (await store.read(workspaces.find_workspace, workspace.id)).expires_at


async def ending(store, seconds, limit=100):
    """Claim workspaces that end within this time and must be announced. They can be claimed again at once."""
    return await within(store, workspaces.claim_ending, seconds, limit, 0.0)


async def test_an_end_is_claimed_by_one_process_at_a_time(store, clock, workspace):
    await soon(store, clock, workspace)
    assert len(await within(store, workspaces.claim_ending, 1000.0, 9, 20.0)) == 1
    assert await within(store, workspaces.claim_ending, 1000.0, 9, 20.0) == []
    clock.advance(20)
    assert len(await within(store, workspaces.claim_ending, 1000.0, 9, 20.0)) == 1


async def test_only_what_ends_within_the_time_is_found_the_soonest_first(store, clock):
    rows = (await linked(store, names=("a", "b", "c"), state=State.RUNNING)).workspaces
    for row, seconds in zip(rows, (290.0, 90.0, 900.0), strict=True):
        await soon(store, clock, row, seconds)
    assert [row.id for row in await ending(store, 300.0)] == [rows[1].id, rows[0].id]
    assert len(await ending(store, 300.0, limit=1)) == 1
    clock.advance(300)
    assert await ending(store, 300.0) == []


async def told(store, workspace, at):
    await store.write(
        notices.add_notices,
        [NewNotice(workspace.id, NoticeKind.WORKSPACE_EXPIRY, f"{at:.0f}", workspace.principal)],
    )


async def test_who_was_told_is_told_again_only_of_another_end(store, clock, workspace):
    at = await soon(store, clock, workspace)
    await told(store, workspace, at)
    assert await ending(store, 1000.0) == []
    await observe(store, clock, workspace, running(at + 55))
    assert await ending(store, 1000.0) == []
    await observe(store, clock, workspace, running(at + 65))
    assert [row.id for row in await ending(store, 1000.0)] == [workspace.id]


@pytest.mark.both_engines
async def test_nobody_is_told_whom_it_does_not_concern(store, clock, workspace):
    await soon(store, clock, workspace, 5000.0)
    assert len(await ending(store, 9000.0)) == 1
    operation = await accept_operation(store, workspace, OperationVerb.STOP)
    assert await ending(store, 9000.0) == []
    await hide_workspace(store, workspace.id)
    assert await ending(store, 9000.0) == []
    assert operation.operation.is_open


async def test_without_an_account_nothing_ends_for_anybody(store, clock, workspace):
    await soon(store, clock, workspace, 5000.0)
    account = await store.read(accounts.find_account, ALICE, "saturn")
    await refuse(store, account)
    assert await ending(store, 9000.0) == []


async def test_a_read_for_nobody_in_particular_is_no_use(store, clock, workspace):
    used = (await store.read(workspaces.find_workspace, workspace.id)).used_at
    await store.write(gates.request_read_now, workspace.id)
    (claim,) = await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
    assert claim.remote_id == workspace.remote_id
    assert (await store.read(workspaces.find_workspace, workspace.id)).used_at == used
    await store.write(gates.request_read_now, "nobody's")


@pytest.mark.both_engines
async def test_what_is_told_is_written_once_and_read(store, clock, workspace):
    assert await store.write(workspaces.note_event, "saturn", workspace.gate_key, "hook:1", "passed")
    assert not await store.write(workspaces.note_event, "saturn", workspace.gate_key, "hook:1", "failed")
    assert (await store.read(workspaces.find_workspace, workspace.id)).event_message == "passed"
    assert len(await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)) == 1
    assert not await store.write(workspaces.note_event, "other", workspace.gate_key, "hook:2", "failed")
    assert not await store.write(workspaces.note_event, "saturn", "https://nowhere|x", "hook:3", "failed")
    # A delivery that found no owner doesn't count against the person who has the workspace later.
    assert await first_sight(store, "hook:3")


@pytest.mark.both_engines
async def test_an_entry_is_of_the_row_as_it_is(store, workspace):
    await store.write(workspaces.save_entry, workspace.id, "another gate", "sealed")
    assert (await store.read(workspaces.find_workspace, workspace.id)).entry is None
    await store.write(workspaces.save_entry, workspace.id, workspace.gate_key, "sealed")
    assert (await store.read(workspaces.find_workspace, workspace.id)).entry == "sealed"


# -- what explains a creation --------------------------------------------------------------------------------


async def creation(store, principal, number, *, is_called=True):
    workspace_id = f"workspace_{number}"
    row = Workspace(
        workspace_id,
        principal,
        "saturn",
        f"{PROVISIONAL}{workspace_id}",
        f"gate#{PROVISIONAL}{workspace_id}",
        "lab",
        origin="added",
        spec=Spec("lab"),
    )
    operation = (await accept_creation(store, row)).operation
    if is_called:
        await store.write(operations.save_step, Update(operation.id, 0.0, called=True))
    return operation.id


GATES = [gate_key("saturn", name) for name in ("x", "y")]


async def test_what_no_row_knows_is_left(store, clock):
    await linked(store)
    mine = await creation(store, ALICE, 1)
    await store.write(creations.name_created, mine, Created("y", "lab"), GATES[1])
    assert await store.read(creations.find_unexplained_gates, mine, "saturn", GATES, clock.now() - 60) == [
        GATES[0]
    ]


async def test_another_that_was_called_and_is_nameless_leaves_nothing(store, clock):
    await linked(store)
    await linked(store, BOB)
    mine, theirs = await creation(store, ALICE, 1), await creation(store, BOB, 2)
    since = clock.now() - 60
    assert await store.read(creations.find_unexplained_gates, mine, "saturn", GATES, since) == []
    assert await store.read(creations.find_unexplained_gates, mine, "elsewhere", GATES, since) == GATES
    assert await store.read(creations.find_unexplained_gates, mine, "saturn", GATES, clock.now() + 1) == GATES
    await store.write(creations.name_created, theirs, Created("x", "lab"), GATES[0])
    assert await store.read(creations.find_unexplained_gates, mine, "saturn", GATES, since) == [GATES[1]]


async def test_one_that_was_not_called_yet_can_have_made_nothing(store, clock):
    await linked(store)
    await linked(store, BOB)
    mine = await creation(store, ALICE, 1)
    await creation(store, BOB, 2, is_called=False)
    assert (
        await store.read(creations.find_unexplained_gates, mine, "saturn", GATES, clock.now() - 60) == GATES
    )


async def test_one_that_was_refused_has_made_nothing(store, clock):
    await linked(store)
    await linked(store, BOB)
    mine, theirs = await creation(store, ALICE, 1), await creation(store, BOB, 2)
    await store.write(operations.save_step, Update(theirs, 0.0, start_call=Call.CALLING))
    assert await store.read(creations.find_unexplained_gates, mine, "saturn", GATES, clock.now() - 60) == []
    await store.write(operations.save_step, Update(theirs, 0.0, start_call=Call.NONE, outcome=Outcome.FAILED))
    assert (
        await store.read(creations.find_unexplained_gates, mine, "saturn", GATES, clock.now() - 60) == GATES
    )


async def test_what_was_unlinked_explains_still(store, clock):
    await linked(store)
    await linked(store, BOB)
    mine, theirs = await creation(store, ALICE, 1), await creation(store, BOB, 2)
    since = clock.now() - 60
    await store.write(creations.name_created, theirs, Created("x", "lab"), GATES[0])
    await unlink(store, BOB)
    # The row that says what Bob's creation made is gone, and nothing is concluded by guessing.
    assert await store.read(creations.find_unexplained_gates, mine, "saturn", GATES, since) == []
    assert await store.read(creations.find_unexplained_gates, mine, "saturn", GATES, clock.now() + 1) == [
        GATES[1]
    ]
