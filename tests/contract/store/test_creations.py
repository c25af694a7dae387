"""Creations: a row before the provider has anything, its id as soon as it tells it, nothing read before."""

import asyncio
from dataclasses import replace
from functools import partial

from bot.domain.forms import Spec
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import AuditEntry
from bot.domain.runs import Update
from bot.domain.workspaces import PROVISIONAL, Call, Created, OperationVerb, Outcome, State, Workspace
from tests.rigs.store import (
    ALICE,
    INTERVAL,
    MARGIN,
    accept_creation,
    accept_operation,
    gate_key,
    hide_workspace,
    link_account,
    unlink,
    want_read,
)

CARD = NewNotice("", NoticeKind.CARD, "1", ALICE)
SPEC = Spec("analysis", {"ide": "RStudio", "hooks": ("a", "b")})
R1 = gate_key("posit", "r1")


def provisional(number=1, *, principal=ALICE, **fields):
    remote_id = f"{PROVISIONAL}ws{number}"
    key = gate_key("posit", f"#{remote_id}")
    return Workspace(f"ws{number}", principal, "posit", remote_id, key, "analysis", spec=SPEC, **fields)


async def asked(store, workspace=None, interaction="i1", **more):
    workspace = workspace or provisional()
    return await accept_creation(store, workspace, interaction=interaction, channel_id="C1", **more)


async def reads(store):
    return await store.claim_reads("posit", 10, INTERVAL, MARGIN)


async def test_a_creation_is_a_row_an_operation_a_card_and_their_notices(store, clock, account):
    entry = AuditEntry("alice", "operation.create", "analysis", "accepted")
    accepted = await asked(store, provisional(alias="mine"), notices=[CARD], audit=[entry])
    assert (accepted.operation.verb, accepted.operation.workspace_id) == (OperationVerb.CREATE, "ws1")
    assert (accepted.joined, accepted.replaced, accepted.repeated) == (False, None, False)
    row = await store.workspace("ws1")
    assert row == replace(provisional(alias="mine"), used_at=clock.now())
    assert row.is_provisional
    (notice,) = await store.claim_notices(10, 60.0)
    assert notice.subject == accepted.operation.id
    assert await store.card(accepted.operation.id) is not None
    assert [row["action"] for row in await store.audit_entries()][-1] == "operation.create"
    (step,) = await store.claim_operations(10, 60.0)
    assert (step.workspace.spec, step.account.id) == (SPEC, account.id)


async def test_the_same_interaction_makes_one_workspace(store, account):
    first = await asked(store)
    second = await asked(store, provisional(2))
    assert (second.operation.id, second.repeated) == (first.operation.id, True)
    assert [row.id for row in await store.workspaces(ALICE)] == ["ws1"]


async def test_two_creations_stand_side_by_side(store, account):
    await asked(store)
    await asked(store, provisional(2), "i2")
    assert len(await store.workspaces(ALICE)) == 2
    assert len(await store.open_operations(ALICE)) == 2


async def test_nothing_is_read_before_it_exists(store, clock, account):
    accepted = await asked(store)
    await want_read(store, "ws1")
    await store.save_step(Update(accepted.operation.id, 1.0, read_needed=True, wants_read=True))
    await link_account(store, ALICE, "posit", secret="again")
    clock.advance(3600)
    assert await reads(store) == []


async def test_the_id_is_written_with_the_call_and_read_at_once(store, clock, account):
    accepted = await asked(store)
    (step,) = await store.claim_operations(10, 60.0)
    calling = Update(accepted.operation.id, 30.0, start_call=Call.CALLING, called=True, claim=step.claim)
    assert await store.save_step(calling)
    clock.advance(4)
    made = await store.name_created(accepted.operation.id, Created("r1", "analysis-1"), R1, step.claim)
    assert (made.id, made.remote_id, made.gate_key, made.name) == ("ws1", "r1", R1, "analysis-1")
    assert not made.is_provisional
    assert (made.spec, made.verified_at) == (SPEC, clock.now())
    operation = await store.operation(accepted.operation.id)
    assert (operation.start_call, operation.read_since, operation.called_at) == (
        Call.ACCEPTED,
        clock.now(),
        clock.now() - 4,
    )
    (claim,) = await reads(store)
    assert (claim.gate_key, claim.remote_id, claim.workspace_ids) == (R1, "r1", ("ws1",))
    # The step goes on with its own lease.
    assert await store.claim_operations(10, 60.0) == []
    assert await store.save_step(Update(accepted.operation.id, 5.0, waits_for="read", claim=step.claim))
    assert (await store.operation(accepted.operation.id)).start_call is Call.ACCEPTED


async def test_naming_twice_changes_nothing(store, account):
    operation = (await asked(store)).operation
    first = await store.name_created(operation.id, Created("r1", "analysis"), R1)
    assert await store.name_created(operation.id, Created("r1", "analysis"), R1) == first
    assert len(await store.workspaces(ALICE)) == 1


async def test_a_name_from_a_step_that_lost_its_lease_wakes_the_one_that_has_it(store, clock, account):
    operation = (await asked(store)).operation
    (late,) = await store.claim_operations(10, 5.0)
    clock.advance(6)
    (step,) = await store.claim_operations(10, 60.0)
    assert await store.name_created(operation.id, Created("r1", "analysis"), R1, late.claim)
    assert await store.save_step(Update(operation.id, 600.0, claim=step.claim))
    assert [one.workspace.remote_id for one in await store.claim_operations(10, 60.0)] == ["r1"]


async def test_what_came_of_an_operation_that_ended_is_shown(store, account):
    operation = (await asked(store)).operation
    await hide_workspace(store, "ws1")
    assert (await store.operation(operation.id)).outcome is Outcome.CANCELLED
    made = await store.name_created(operation.id, Created("r1", "analysis"), R1)
    assert not made.hidden
    assert [row.remote_id for row in await store.workspaces(ALICE)] == ["r1"]
    assert (await store.operation(operation.id)).outcome is Outcome.CANCELLED
    assert len(await reads(store)) == 1


async def test_nothing_is_kept_for_one_who_unlinked_meanwhile(store, account):
    operation = (await asked(store)).operation
    await unlink(store, ALICE, "posit")
    assert await store.name_created(operation.id, Created("r1", "analysis"), R1) is None
    assert await store.workspaces(ALICE, hidden=True) == []
    assert await store.name_created("no such operation", Created("r1", "analysis"), R1) is None


async def test_a_second_id_of_one_creation_gets_a_row_of_its_own(store, account):
    operation = (await asked(store, provisional(alias="mine"))).operation
    await store.name_created(operation.id, Created("r1", "analysis"), R1)
    other = await store.name_created(operation.id, Created("r2", "analysis"), gate_key("posit", "r2"))
    assert (other.remote_id, other.alias, other.spec, other.state) == ("r2", None, SPEC, State.UNKNOWN)
    assert {row.remote_id for row in await store.workspaces(ALICE)} == {"r1", "r2"}
    assert (await store.workspace("ws1")).remote_id == "r1"
    again = await store.name_created(operation.id, Created("r2", "analysis"), gate_key("posit", "r2"))
    assert again.id == other.id


async def test_a_stop_replaces_a_creation_and_another_try_joins(store, account):
    first = (await asked(store)).operation
    begin = partial(accept_operation, store, provisional())
    assert (await begin(OperationVerb.STOP, interaction="i2")).replaced.id == first.id
    retried = await begin(OperationVerb.CREATE, interaction="i3")
    joined = await begin(OperationVerb.CREATE, interaction="i4")
    assert (joined.joined, joined.operation.id) == (True, retried.operation.id)
    assert await reads(store) == []


async def test_of_two_at_once_by_one_interaction_one_is_written(database, clock):
    first, second = await database.open(), await database.open()
    await link_account(first, ALICE, "posit")
    accepted = await asyncio.gather(asked(first), asked(second, provisional(2)))
    assert {one.operation.id for one in accepted} == {accepted[0].operation.id}
    assert len(await first.workspaces(ALICE)) == 1
