"""Operations: accepted once per interaction, one open per workspace, joined or replaced."""

import asyncio
from functools import partial

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import AuditEntry
from bot.domain.runs import Update
from bot.domain.workspaces import OperationVerb, Outcome
from tests.rigs.store import ALICE, BOB, accept_operation, first_sight, keep_waiting, linked

CARD = NewNotice("", NoticeKind.CARD, "first", ALICE, {"share": False})
REPLY = NewNotice("", NoticeKind.REPLY, "i1", ALICE, {"text": "On it."})
ENTRY = AuditEntry(ALICE.key, "workspace.start", "notebook", "ok")


begin = partial(accept_operation, reference="R-1", deadline_seconds=1800.0)


async def test_an_operation_is_written_with_its_card_notices_audit_and_inbox_row(store, clock, workspace):
    accepted = await begin(store, workspace, interaction="i1", notices=[CARD, REPLY], audit=[ENTRY])
    operation = accepted.operation
    assert (accepted.joined, accepted.replaced, accepted.repeated) == (False, None, False)
    assert (operation.principal, operation.workspace_id, operation.verb, operation.reference) == (
        ALICE,
        workspace.id,
        OperationVerb.START,
        "R-1",
    )
    assert (operation.created_at, operation.deadline_at, operation.deadline_number) == (
        clock.now(),
        clock.now() + 1800,
        1,
    )
    assert await store.operation(operation.id) == operation
    assert await store.latest_operation(workspace.id) == operation
    assert await store.open_operations(ALICE) == [operation]
    card = await store.card(operation.id)
    assert (card.id, card.principal, card.message_ts, card.is_dirty) == (
        operation.id,
        ALICE,
        None,
        False,
    )
    notices = await store.claim_notices(10, 60.0)
    assert [(notice.subject, notice.kind, notice.body) for notice in notices] == [
        (operation.id, NoticeKind.REPLY, {"text": "On it."}),
        (operation.id, NoticeKind.CARD, {"share": False}),
    ]
    assert [row["action"] for row in await store.audit_entries()] == ["workspace.start"]
    assert await first_sight(store, "i1") is False


async def test_the_same_interaction_has_one_effect(store, workspace):
    first = await begin(store, workspace, interaction="i1", notices=[CARD], audit=[ENTRY])
    again = await begin(store, workspace, interaction="i1", notices=[REPLY], audit=[ENTRY])
    assert again.repeated
    assert again.operation == first.operation
    assert len(await store.audit_entries()) == 1
    assert len(await store.claim_notices(10, 60.0)) == 1


async def test_a_repetition_names_its_own_operation_even_when_a_newer_one_stands(store, clock, workspace):
    first = await begin(store, workspace, interaction="i1")
    clock.advance(1)
    await begin(store, workspace, OperationVerb.STOP, interaction="i2")
    again = await begin(store, workspace, interaction="i1")
    assert (again.repeated, again.operation.id, again.operation.outcome) == (
        True,
        first.operation.id,
        Outcome.REPLACED,
    )


async def test_a_second_start_joins_the_open_one(store, workspace):
    first = await begin(store, workspace, interaction="i1", notices=[CARD])
    second = await begin(
        store,
        workspace,
        reference="R-2",
        interaction="i2",
        notices=[NewNotice("", NoticeKind.CARD, "second", ALICE), REPLY],
        audit=[ENTRY],
    )
    assert second.joined
    assert second.operation.id == first.operation.id
    assert second.operation.reference == "R-1"
    kinds = [(notice.kind, notice.occasion) for notice in await store.claim_notices(10, 60.0)]
    assert kinds == [(NoticeKind.REPLY, "i1"), (NoticeKind.CARD, "first")]
    assert len(await store.audit_entries()) == 1


async def test_another_verb_replaces_the_open_one_and_owes_its_card(store, clock, workspace):
    first = await begin(store, workspace, interaction="i1", notices=[CARD])
    clock.advance(5)
    second = await begin(store, workspace, OperationVerb.STOP, interaction="i2")
    assert second.operation.verb is OperationVerb.STOP
    assert not second.joined
    replaced = await store.operation(first.operation.id)
    assert second.replaced == replaced
    assert (replaced.outcome, replaced.ended_at, replaced.is_open) == (Outcome.REPLACED, clock.now(), False)
    assert await store.open_operations(ALICE) == [second.operation]
    assert await store.latest_operation(workspace.id) == second.operation
    card = await store.card(first.operation.id)
    assert (card.is_dirty, card.changed_at) == (True, clock.now())


async def test_operations_at_one_instant_show_the_open_one_as_latest(store, workspace):
    await begin(store, workspace, interaction="i1")
    second = await begin(store, workspace, OperationVerb.RESTART, interaction="i2")
    assert await store.latest_operation(workspace.id) == second.operation


async def test_fifty_presses_at_once_are_one_operation(store, workspace):
    accepted = await asyncio.gather(
        *(begin(store, workspace, interaction=f"i{number}") for number in range(50))
    )
    assert len({one.operation.id for one in accepted}) == 1
    assert sum(not one.joined for one in accepted) == 1


async def test_fifty_deliveries_of_one_request_are_one_effect(store, workspace):
    accepted = await asyncio.gather(
        *(begin(store, workspace, interaction="i1", audit=[ENTRY]) for _ in range(50))
    )
    assert sum(not one.repeated for one in accepted) == 1
    assert len(await store.audit_entries()) == 1


async def test_an_operation_makes_the_gate_due_and_counts_as_use(store, clock, workspace):
    assert await store.claim_reads("saturn", 10, 10.0, 0.5) == []
    clock.advance(60)
    await begin(store, workspace, interaction="i1")
    claims = await store.claim_reads("saturn", 10, 10.0, 0.5)
    assert [(claim.has_open_operation, claim.used_at) for claim in claims] == [(True, clock.now())]
    assert (await store.workspace(workspace.id)).used_at == clock.now()


async def test_keep_waiting_sets_a_new_deadline(store, clock, workspace):
    operation = (await begin(store, workspace, interaction="i1")).operation
    (step,) = await store.claim_operations(10, 60.0)
    passed = Update(operation.id, next_in=3600.0, deadline_passed=True, claim=step.claim)
    await store.save_step(passed)
    assert (await store.operation(operation.id)).deadline_at is None
    clock.advance(100)
    kept = await keep_waiting(store, operation.id, 900.0)
    assert (kept.deadline_at, kept.deadline_number) == (clock.now() + 900, 2)
    assert [step.operation.id for step in await store.claim_operations(10, 60.0)] == [operation.id]
    card = await store.card(operation.id)
    assert card.is_dirty


async def test_keep_waiting_says_when_the_operation_has_ended(store, clock, workspace):
    operation = (await begin(store, workspace, interaction="i1")).operation
    await store.save_step(Update(operation.id, next_in=0.0, outcome=Outcome.FAILED, cause="gone"))
    assert await keep_waiting(store, operation.id, 900.0) is None
    assert await keep_waiting(store, "operation_none", 900.0) is None
    assert (await store.operation(operation.id)).deadline_number == 1


async def test_open_operations_are_a_persons_own_oldest_first(store, clock):
    alice = await linked(store, ALICE, ["one", "two"])
    bob = await linked(store, BOB, ["three"])
    operations = []
    for number, workspace in enumerate([alice.workspaces[1], alice.workspaces[0], bob.workspaces[0]]):
        clock.advance(1)
        operations.append((await begin(store, workspace, interaction=f"w{number}")).operation)
    assert await store.open_operations(ALICE) == operations[:2]
    assert await store.open_operations(BOB) == operations[2:]
