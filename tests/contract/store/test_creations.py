"""Creations: the row comes first and gets the workspace's id later. Until then, the workspace isn't read."""

from dataclasses import replace
from functools import partial

import pytest

from bot.domain.courses import Participant
from bot.domain.forms import FreeName, Spec
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Created, Observed
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import PROVISIONAL, State, Workspace
from bot.store import cards, creations, discovered, gates, notices, operations, tasks, workspaces
from bot.store import courses as courses_store
from bot.store.cards import MIN_UPDATE_INTERVAL_SECONDS
from bot.store.tables import PARTICIPANTS
from bot.store.tasks import NewTask
from tests.contract.store.creations import SPEC, asked, provisional
from tests.rigs.store import (
    ALICE,
    INTERVAL,
    MARGIN,
    accept_creation,
    accept_operation,
    gate_key,
    hide_workspace,
    link_account,
    listed_workspace,
    name_workspace,
    observe,
    unlink,
    want_read,
    within,
)

CARD = NewNotice("", NoticeKind.CARD, "1", ALICE)
R1 = gate_key("posit", "r1")


async def reads(store):
    return await store.claim(gates.claim_reads, "posit", 10, INTERVAL, MARGIN)


async def test_nothing_is_read_before_it_exists(store, clock, account):
    accepted = await asked(store)
    await want_read(store, "ws1")
    await store.write(
        operations.save_step, Update(accepted.operation.id, 1.0, read_needed=True, wants_read=True)
    )
    await link_account(store, ALICE, "posit", secret="again")
    clock.advance(3600)
    assert await reads(store) == []


async def test_the_id_is_written_with_the_call_and_read_at_once(store, clock, account):
    accepted = await asked(store)
    (step,) = await store.claim(operations.claim_operations, 10, 60.0)
    calling = Update(accepted.operation.id, 30.0, start_call=Call.CALLING, called=True, claim=step.claim)
    assert await store.write(operations.save_step, calling)
    clock.advance(4)
    made = await store.write(
        creations.name_created, accepted.operation.id, Created("r1", "analysis-1"), R1, step.claim
    )
    assert (made.id, made.remote_id, made.gate_key, made.name) == ("ws1", "r1", R1, "analysis-1")
    assert not made.is_provisional
    assert (made.spec, made.verified_at, made.used_at) == (SPEC, clock.now(), clock.now() - 4)
    operation = await store.read(operations.find_operation, accepted.operation.id)
    assert (operation.start_call, operation.read_since, operation.called_at) == (
        Call.ACCEPTED,
        clock.now(),
        clock.now() - 4,
    )
    (claim,) = await reads(store)
    assert (claim.gate_key, claim.remote_id, claim.workspace_ids) == (R1, "r1", ("ws1",))
    # The step continues under its own lease.
    assert await store.claim(operations.claim_operations, 10, 60.0) == []
    assert await store.write(
        operations.save_step, Update(accepted.operation.id, 5.0, waits_for="read", claim=step.claim)
    )
    assert (await store.read(operations.find_operation, accepted.operation.id)).start_call is Call.ACCEPTED


async def test_naming_twice_changes_nothing(store, account):
    operation = (await asked(store)).operation
    first = await store.write(creations.name_created, operation.id, Created("r1", "analysis"), R1)
    assert await store.write(creations.name_created, operation.id, Created("r1", "analysis"), R1) == first
    assert len(await store.perform(workspaces.read_workspaces, ALICE)) == 1


async def test_a_name_from_a_step_that_lost_its_lease_wakes_the_one_that_has_it(store, clock, account):
    operation = (await asked(store)).operation
    (late,) = await store.claim(operations.claim_operations, 10, 5.0)
    clock.advance(6)
    (step,) = await store.claim(operations.claim_operations, 10, 60.0)
    assert await store.write(creations.name_created, operation.id, Created("r1", "analysis"), R1, late.claim)
    assert await store.write(operations.save_step, Update(operation.id, 600.0, claim=step.claim))
    assert [one.workspace.remote_id for one in await store.claim(operations.claim_operations, 10, 60.0)] == [
        "r1"
    ]


async def test_what_came_of_an_operation_that_ended_is_shown(store, account):
    operation = (await asked(store)).operation
    await hide_workspace(store, "ws1")
    assert (await store.read(operations.find_operation, operation.id)).outcome is Outcome.CANCELLED
    made = await store.write(creations.name_created, operation.id, Created("r1", "analysis"), R1)
    assert not made.hidden
    assert [row.remote_id for row in await store.perform(workspaces.read_workspaces, ALICE)] == ["r1"]
    assert (await store.read(operations.find_operation, operation.id)).outcome is Outcome.CANCELLED
    assert len(await reads(store)) == 1


async def test_nothing_is_kept_for_one_who_unlinked_meanwhile(store, account):
    operation = (await asked(store)).operation
    await unlink(store, ALICE, "posit")
    assert await store.write(creations.name_created, operation.id, Created("r1", "analysis"), R1) is None
    assert await store.perform(workspaces.read_workspaces, ALICE, hidden=True) == []
    assert (
        await store.write(creations.name_created, "no such operation", Created("r1", "analysis"), R1) is None
    )


@pytest.mark.both_engines
async def test_a_name_that_is_free_at_the_provider_differs_from_names_on_the_list(store, account):
    """A workspace without a name yet blocks no name, and neither does one that was removed from the list."""
    for number, name in enumerate(("box", "box-2", ""), 2):
        spec = Spec(name, stem="box")
        await asked(store, replace(provisional(number), name=name, spec=spec), f"i{number}")
    await hide_workspace(store, "ws3")
    operation = (await asked(store, replace(provisional(), name="", spec=Spec("", stem="box")))).operation
    await store.write(operations.save_step, Update(operation.id, 60.0, name=FreeName("box")))
    assert (await store.read(workspaces.find_workspace, "ws1")).name == "box-2"


@pytest.mark.both_engines
async def test_a_second_id_of_one_creation_gets_a_row_of_its_own(store, account):
    operation = (await asked(store, provisional(alias="mine"))).operation
    await store.write(creations.name_created, operation.id, Created("r1", "analysis"), R1)
    other = await store.write(
        creations.name_created, operation.id, Created("r2", "analysis"), gate_key("posit", "r2")
    )
    assert (other.remote_id, other.alias, other.spec, other.state) == ("r2", None, SPEC, State.UNKNOWN)
    assert {row.remote_id for row in await store.perform(workspaces.read_workspaces, ALICE)} == {"r1", "r2"}
    assert (await store.read(workspaces.find_workspace, "ws1")).remote_id == "r1"
    again = await store.write(
        creations.name_created, operation.id, Created("r2", "analysis"), gate_key("posit", "r2")
    )
    assert again.id == other.id


async def test_a_stop_replaces_a_creation_and_another_try_joins(store, account):
    first = (await asked(store)).operation
    begin = partial(accept_operation, store, provisional())
    assert (await begin(OperationVerb.STOP, interaction="i2")).replaced.id == first.id
    retried = await begin(OperationVerb.CREATE, interaction="i3")
    joined = await begin(OperationVerb.CREATE, interaction="i4")
    assert (joined.joined, joined.operation.id) == (True, retried.operation.id)
    assert await reads(store) == []


# -- a list may already include a workspace that is being created: in the end there is one row ---------------


LISTED = listed_workspace("r1", R1, "analysis", State.STARTING, "https://ide", "2 cores")
CREATED = Created("r1", "analysis")


@pytest.fixture
async def creating(store, account):
    key = gate_key("posit", "#new")
    workspace = Workspace("ws1", ALICE, "posit", f"{PROVISIONAL}ws1", key, "analysis", origin="discovered")
    return (await accept_creation(store, workspace, interaction="i1")).operation


async def listed(store, account):
    await store.perform(discovered.merge_discovered, account.id, [LISTED])
    (row,) = [row for row in await store.perform(workspaces.read_workspaces, ALICE) if not row.is_provisional]
    return row


async def asked_for(store, row, verb, **more):
    return (await accept_operation(store, row, verb, **more)).operation


async def test_a_list_leaves_alone_what_is_not_made_yet(store, account, creating):
    await hide_workspace(store, "ws1")
    await store.perform(discovered.merge_discovered, account.id, [])
    assert (await store.read(workspaces.find_workspace, "ws1")).state is State.UNKNOWN


async def test_the_listed_row_becomes_the_created_one(store, clock, account, creating):
    row = await listed(store, account)
    await name_workspace(store, row.id, "mine")
    clock.advance(3)
    made = await store.write(creations.name_created, creating.id, CREATED, R1)
    assert (made.id, made.alias, made.state) == ("ws1", "mine", State.STARTING)
    assert (made.url, made.detail, made.observed_at) == (LISTED.seen.url, LISTED.seen.detail, row.observed_at)
    assert [one.id for one in await store.perform(workspaces.read_workspaces, ALICE, hidden=True)] == ["ws1"]
    assert await store.read(workspaces.find_workspace, row.id) is None
    assert (await store.read(operations.find_operation, creating.id)).is_open
    await observe(store, clock, made, Observed(State.RUNNING))
    assert (await store.read(workspaces.find_workspace, "ws1")).state is State.RUNNING


async def test_what_was_read_as_a_candidate_and_is_listed_then_is_not_read_again_at_once(
    store, clock, account, creating
):
    assert await store.write(gates.close_gate, R1, "posit", "r1", INTERVAL)
    await listed(store, account)
    clock.advance(INTERVAL - 0.1)
    assert await reads(store) == []
    clock.advance(0.1)
    assert len(await reads(store)) == 1


@pytest.mark.both_engines
async def test_a_read_as_a_candidate_keeps_the_gate_closed_though_a_read_is_due(
    store, clock, account, creating
):
    await listed(store, account)
    assert await store.write(gates.close_gate, R1, "posit", "r1", INTERVAL)
    await store.write(creations.name_created, creating.id, CREATED, R1)
    clock.advance(INTERVAL - 0.1)
    assert await reads(store) == []
    clock.advance(0.1)
    assert len(await reads(store)) == 1


@pytest.mark.both_engines
async def test_a_candidate_and_its_listed_row_are_read_through_one_gate(store, clock, account, creating):
    await listed(store, account)
    assert len(await reads(store)) == 1
    key = (R1, "posit", "r1", INTERVAL)
    assert not await store.write(gates.close_gate, *key)
    clock.advance(INTERVAL + 1.0)
    assert await store.write(gates.close_gate, *key)
    assert await reads(store) == []
    clock.advance(INTERVAL - 1.0)
    assert await store.write(gates.close_gate, *key, is_answered=True)
    clock.advance(INTERVAL - 0.1)
    assert await reads(store) == []
    clock.advance(0.1)
    assert len(await reads(store)) == 1


async def test_a_listed_row_that_was_forgotten_hides_nothing(store, account, creating):
    row = await listed(store, account)
    await hide_workspace(store, row.id)
    assert not (await store.write(creations.name_created, creating.id, CREATED, R1)).hidden


@pytest.mark.both_engines
async def test_a_start_gives_way_to_the_creation(store, clock, account, creating):
    row = await listed(store, account)
    clock.advance(1)
    start = await asked_for(store, row, OperationVerb.START)
    await store.write(creations.name_created, creating.id, CREATED, R1)
    assert (await store.read(operations.find_operation, creating.id)).is_open
    ended = await store.read(operations.find_operation, start.id)
    assert (ended.outcome, ended.workspace_id) == (Outcome.REPLACED, "ws1")


async def test_a_younger_stop_replaces_the_creation(store, clock, account, creating):
    row = await listed(store, account)
    clock.advance(1)
    stop = await asked_for(store, row, OperationVerb.STOP)
    await store.write(creations.name_created, creating.id, CREATED, R1)
    assert (await store.read(operations.find_operation, creating.id)).outcome is Outcome.REPLACED
    moved = await store.read(operations.find_latest_operation, "ws1")
    assert (moved.id, moved.is_open) == (stop.id, True)
    assert [step.workspace.id for step in await store.claim(operations.claim_operations, 10, 60.0)] == ["ws1"]


async def test_notices_and_cards_of_the_listed_row_come_along(store, clock, account, creating):
    row = await listed(store, account)
    clock.advance(1)
    body = {"workspace": row.id, "connection": "posit"}
    card = NewNotice("", NoticeKind.CARD, "1", ALICE, body)
    stop = await asked_for(store, row, OperationVerb.STOP, notices=[card])
    await store.write(creations.name_created, creating.id, CREATED, R1)
    (notice,) = await store.perform(notices.claim_notices, 10, 60.0)
    assert (notice.subject, notice.body) == (stop.id, {**body, "workspace": "ws1"})
    await store.write(notices.mark_notice_sent, notice, "D1", "1.1")
    clock.advance(MIN_UPDATE_INTERVAL_SECONDS)
    pending = await store.claim(cards.claim_cards, 10, 60.0)
    assert [card.id for card in pending] == [stop.id]


async def test_a_press_that_was_about_the_listed_row_comes_along(store, clock, account, creating):
    row, press = await listed(store, account), {"card_id": "class_1", "principal": ALICE}
    await within(store, PARTICIPANTS.add, Participant(**press, joined_at=1.0, workspace_id=row.id))
    await store.write(creations.name_created, creating.id, CREATED, R1)
    assert (await store.read(courses_store.find_participant, "class_1", ALICE)).workspace_id == "ws1"


@pytest.mark.both_engines
async def test_a_list_from_before_the_creation_does_not_end_it(store, clock, account, creating):
    await store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
    await store.claim(tasks.claim_tasks, 10, 60.0)
    clock.advance(2)
    await store.write(creations.name_created, creating.id, CREATED, R1)
    await asked_for(store, await store.read(workspaces.find_workspace, "ws1"), OperationVerb.STOP)
    await store.perform(discovered.merge_discovered, account.id, [])
    assert (await store.read(workspaces.find_workspace, "ws1")).state is not State.GONE


async def test_a_later_list_knows_the_created_row(store, clock, account, creating):
    await store.write(creations.name_created, creating.id, CREATED, R1)
    clock.advance(2)
    assert await store.perform(discovered.merge_discovered, account.id, [LISTED]) == 0
    assert (await store.read(workspaces.find_workspace, "ws1")).state is State.STARTING
