"""Stops that nobody asked for are reported if wanted; a created workspace that isn't running is started."""

import pytest

from bot.domain.forms import Spec
from bot.domain.notices import NoticeKind
from bot.domain.observations import Created, Observed
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import PROVISIONAL, State, Workspace
from bot.store import accounts, counts, creations, discovered, operations, workspaces
from bot.store import notices as notice_rows
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_creation,
    accept_operation,
    found_workspace,
    gate_key,
    link_account,
    linked,
    notify,
    observe,
)


@pytest.fixture
async def notebook(store):
    found = await linked(store, ALICE, ("notebook",), state=State.RUNNING)
    return found.workspaces[0]


async def told(store):
    notices = await store.perform(notice_rows.claim_notices, 50, 10_000.0)
    return [(one.kind, one.subject, one.body.get("workspace")) for one in notices]


def stopped(workspace):
    return [(NoticeKind.STOPPED_ELSEWHERE, workspace.id, workspace.id)]


async def asked_for(store, workspace, verb=OperationVerb.STOP):
    return (await accept_operation(store, workspace, verb, interaction=f"{verb}")).operation


async def test_a_stop_is_told_once_and_only_where_it_is_wanted(store, clock, notebook):
    await observe(store, clock, notebook, Observed(State.STOPPED))
    assert await told(store) == []
    await notify(store, notebook.id, ready=None, stopped=True)
    await observe(store, clock, notebook, Observed(State.RUNNING))
    await observe(store, clock, notebook, Observed(State.STOPPED))
    await observe(store, clock, notebook, Observed(State.STOPPED))
    assert await told(store) == stopped(notebook)
    await observe(store, clock, notebook, Observed(State.RUNNING))
    await observe(store, clock, notebook, Observed(State.FAILED))
    assert await told(store) == stopped(notebook)


@pytest.mark.both_engines
@pytest.mark.parametrize("mode", ["stops", "stops_anyway"])
async def test_stop_that_its_provider_had_announced_is_named(store, clock, notebook, mode):
    await notify(store, notebook.id, ready=None, stopped=True)
    announced = Observed(State.RUNNING, expires_at=clock.now() + 300.0, expiry_mode=mode)
    await observe(store, clock, notebook, announced)
    await observe(store, clock, notebook, Observed(State.STOPPED))
    (early,) = await store.perform(notice_rows.claim_notices, 50, 10_000.0)
    assert "expired" not in early.body
    await observe(store, clock, notebook, announced)
    clock.advance(301.0)
    await observe(store, clock, notebook, Observed(State.STOPPED))
    (late,) = await store.perform(notice_rows.claim_notices, 50, 10_000.0)
    assert late.body["expired"] == mode


@pytest.mark.both_engines
@pytest.mark.parametrize("is_listed", [False, True], ids=["read", "list"])
async def test_announced_stop_that_is_first_seen_on_its_way_is_named(store, clock, notebook, is_listed):
    await notify(store, notebook.id, ready=None, stopped=True)
    await observe(
        store, clock, notebook, Observed(State.RUNNING, expires_at=clock.now() + 300.0, expiry_mode="stops")
    )
    clock.advance(301.0)
    if is_listed:
        account = await store.read(accounts.find_account, ALICE, "saturn")
        stopping = found_workspace("notebook", state=State.STOPPING)
        await store.perform(discovered.merge_discovered, account.id, [stopping])
    else:
        await observe(store, clock, notebook, Observed(State.STOPPING))
    clock.advance(60.0)
    await observe(store, clock, notebook, Observed(State.STOPPED))
    (notice,) = await store.perform(notice_rows.claim_notices, 50, 10_000.0)
    assert notice.body["expired"] == "stops"


@pytest.mark.both_engines
@pytest.mark.parametrize("is_over", [False, True], ids=["going on", "over"])
async def test_stop_that_another_person_asked_for_is_not_called_somebody_elses(
    store, clock, notebook, is_over
):
    account = (await linked(store, BOB, ())).account
    await store.perform(
        discovered.merge_discovered, account.id, [found_workspace("notebook", state=State.RUNNING)]
    )
    (theirs,) = await store.perform(workspaces.read_workspaces, BOB)
    await notify(store, notebook.id, ready=None, stopped=True)
    operation = await asked_for(store, theirs)
    await store.write(operations.save_step, Update(operation.id, 0.0, stop_call=Call.ACCEPTED))
    await observe(store, clock, notebook, Observed(State.STOPPING))
    if is_over:
        await store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))
    await observe(store, clock, notebook, Observed(State.STOPPED))
    notices = await store.perform(notice_rows.claim_notices, 50, 10_000.0)
    assert [one.body["expired"] for one in notices if one.kind is NoticeKind.STOPPED_ELSEWHERE] == ["others"]


@pytest.mark.parametrize("state", [State.STARTING, State.UNKNOWN, State.STOPPING, State.RUNNING])
async def test_what_is_not_down_is_not_told(store, clock, notebook, state):
    await notify(store, notebook.id, ready=None, stopped=True)
    await observe(store, clock, notebook, Observed(state))
    assert await told(store) == []


async def test_a_stop_on_its_way_is_told_when_it_is_down(store, clock, notebook):
    await notify(store, notebook.id, ready=None, stopped=True)
    await observe(store, clock, notebook, Observed(State.STOPPING))
    await observe(store, clock, notebook, Observed(State.STOPPED))
    assert await told(store) == stopped(notebook)


@pytest.mark.both_engines
async def test_what_a_list_finds_stopped_or_two_find_gone_is_told(store, clock, notebook):
    await notify(store, notebook.id, ready=None, stopped=True)
    account = await store.read(accounts.find_account, ALICE, "saturn")
    await store.perform(discovered.merge_discovered, account.id, [found_workspace("notebook")])
    assert await told(store) == stopped(notebook)
    clock.advance(60)
    await store.perform(
        discovered.merge_discovered, account.id, [found_workspace("notebook", state=State.RUNNING)]
    )
    clock.advance(60)
    await store.perform(discovered.merge_discovered, account.id, [])
    assert (await store.read(workspaces.find_workspace, notebook.id)).state is State.RUNNING
    assert await told(store) == []
    clock.advance(60)
    await store.perform(discovered.merge_discovered, account.id, [])
    assert (await store.read(workspaces.find_workspace, notebook.id)).state is State.GONE
    assert await told(store) == stopped(notebook)


async def test_what_its_person_stops_is_theirs_to_know(store, clock, notebook):
    await notify(store, notebook.id, ready=None, stopped=True)
    operation = await asked_for(store, notebook)
    await observe(store, clock, notebook, Observed(State.STOPPED))
    assert await told(store) == []
    await store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))
    # If the workspace comes up again afterwards and then goes down, somebody else did that.
    await observe(store, clock, notebook, Observed(State.RUNNING))
    await observe(store, clock, notebook, Observed(State.STOPPED))
    assert await told(store) == stopped(notebook)


async def test_a_stop_that_was_given_up_may_have_worked_after_all(store, clock, notebook):
    await notify(store, notebook.id, ready=None, stopped=True)
    operation = await asked_for(store, notebook)
    await store.write(
        operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FAILED, cause="gave_up")
    )
    await observe(store, clock, notebook, Observed(State.STOPPED))
    assert await told(store) == []


@pytest.mark.both_engines
async def test_refusals_of_rights_are_counted(store, clock, notebook):
    for number, cause in enumerate(("forbidden: an admin token is required", "limit: no", "forbidden")):
        operation = (
            await accept_operation(store, notebook, OperationVerb.STOP, interaction=f"i{number}")
        ).operation
        await store.write(
            operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FAILED, cause=cause)
        )
    assert await store.read(counts.count_refusals, "saturn", clock.now() - 60) == 2
    assert await store.read(counts.count_refusals, "saturn", clock.now() + 60) == 0
    assert await store.read(counts.count_refusals, "other", 0.0) == 0


async def creation(store):
    await link_account(store, BOB)
    row = Workspace("ws1", BOB, "saturn", f"{PROVISIONAL}ws1", "gate#new:ws1", "mine", spec=Spec("mine"))
    return (await accept_creation(store, row, interaction="c1")).operation


async def test_what_was_made_and_stands_still_is_to_be_started(store):
    operation = await creation(store)
    made = Created("r1", "mine", is_started=False)
    row = await store.write(creations.name_created, operation.id, made, gate_key("saturn", "r1"))
    assert row.remote_id == "r1"
    after = await store.read(operations.find_operation, operation.id)
    assert (after.verb, after.start_call, after.outcome) == (OperationVerb.START, Call.NONE, None)


@pytest.mark.both_engines
async def test_what_was_called_off_meanwhile_is_not(store):
    operation = await creation(store)
    await store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.CANCELLED))
    made = Created("r1", "mine", is_started=False)
    await store.write(creations.name_created, operation.id, made, gate_key("saturn", "r1"))
    after = await store.read(operations.find_operation, operation.id)
    assert (after.verb, after.start_call) == (OperationVerb.CREATE, Call.ACCEPTED)
