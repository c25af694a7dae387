"""Cards: placed once, owed updates, the newest state wins."""

from __future__ import annotations

import pytest

from bot.domain.models import NewNotice, NoticeKind, Observed, OperationVerb, State, Update
from bot.store.records import NewOperation
from tests.rigs.store import ALICE, linked, observe


@pytest.fixture
async def operation(store, workspace):
    return await posted(store, workspace)


async def posted(store, workspace):
    """Ask for it, and let its card be posted."""
    new = NewOperation(ALICE, workspace.id, "saturn", OperationVerb.START, 60.0, "R")
    card = NewNotice("", NoticeKind.CARD, "first", ALICE)
    operation = (await store.accept_operation(new, interaction="", notices=[card])).operation
    for notice in await store.claim_notices(10, 60.0):
        await store.notice_sent(notice.id, "D1", f"{notice.subject}.1")
    return operation


async def test_the_first_card_finds_its_place(store, clock, operation):
    card = await store.card(operation.id)
    assert (card.channel_id, card.message_ts, card.is_dirty, card.updated_at) == (
        "D1",
        f"{operation.id}.1",
        False,
        clock.now(),
    )
    assert await store.claim_cards(10, 15.0, 60.0) == []
    assert await store.card("operation_none") is None


async def test_a_card_that_was_not_posted_yet_is_not_updated(store, workspace):
    new = NewOperation(ALICE, workspace.id, "saturn", OperationVerb.START, 60.0, "R")
    operation = (await store.accept_operation(new, interaction="")).operation
    await store.save_step(Update(operation.id, 1.0, card_dirty=True))
    assert await store.claim_cards(10, 0.0, 60.0) == []


async def test_a_change_of_state_is_owed_at_once(store, clock, workspace, operation):
    await observe(store, clock, workspace, Observed(State.STARTING))
    (card,) = await store.claim_cards(10, 15.0, 60.0)
    assert (card.id, card.is_dirty, card.changed_at) == (operation.id, True, clock.now())
    assert await store.claim_cards(10, 15.0, 60.0) == []
    clock.advance(1)
    await store.card_updated(operation.id, card)
    after = await store.card(operation.id)
    assert (after.is_dirty, after.changed_at, after.updated_at) == (False, None, clock.now())
    clock.advance(100)
    assert await store.claim_cards(10, 15.0, 60.0) == []


async def test_progress_waits_for_the_interval(store, clock, workspace, operation):
    clock.advance(11)
    await observe(store, clock, workspace, Observed(State.STOPPED, progress=10))
    assert await store.claim_cards(10, 15.0, 60.0) == []
    clock.advance(4)
    (card,) = await store.claim_cards(10, 15.0, 60.0)
    assert card.changed_at is None


async def test_changes_of_state_go_before_progress(store, clock):
    workspaces = (await linked(store, names=["one", "two", "three"])).workspaces
    operations = [await posted(store, workspace) for workspace in workspaces]
    await observe(store, clock, workspaces[0], Observed(State.STOPPED, progress=10))
    clock.advance(100)
    await observe(store, clock, workspaces[2], Observed(State.STARTING))
    clock.advance(1)
    await observe(store, clock, workspaces[1], Observed(State.STARTING))
    claimed = [card.id for card in await store.claim_cards(2, 15.0, 60.0)]
    assert claimed == [operations[2].id, operations[1].id]
    assert [card.id for card in await store.claim_cards(2, 15.0, 60.0)] == [operations[0].id]


async def test_what_came_after_the_claim_is_still_owed(store, clock, workspace, operation):
    await observe(store, clock, workspace, Observed(State.STARTING))
    (card,) = await store.claim_cards(10, 15.0, 60.0)
    clock.advance(1)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    await store.card_updated(operation.id, card)
    (again,) = await store.claim_cards(10, 15.0, 60.0)
    assert again.changed_at > card.changed_at


async def test_progress_after_the_claim_is_owed_as_progress(store, clock, workspace, operation):
    await observe(store, clock, workspace, Observed(State.STARTING))
    (card,) = await store.claim_cards(10, 15.0, 60.0)
    await observe(store, clock, workspace, Observed(State.STARTING, progress=50))
    await store.card_updated(operation.id, card)
    left = await store.card(operation.id)
    assert (left.is_dirty, left.changed_at) == (True, None)
    assert await store.claim_cards(10, 15.0, 60.0) == []


async def test_a_lease_that_ran_out_and_a_retry_come_again(store, clock, operation):
    await store.save_step(Update(operation.id, 1.0, hold="Slow."))
    await store.claim_cards(10, 15.0, 60.0)
    clock.advance(60)
    assert len(await store.claim_cards(10, 15.0, 60.0)) == 1
    await store.card_retry(operation.id, 5.0)
    clock.advance(4.9)
    assert await store.claim_cards(10, 15.0, 60.0) == []
    clock.advance(0.1)
    (card,) = await store.claim_cards(10, 15.0, 60.0)
    assert card.is_dirty


async def test_a_lost_card_is_not_updated_any_more(store, clock, operation):
    await store.save_step(Update(operation.id, 1.0, hold="Slow."))
    await store.card_lost(operation.id)
    await store.save_step(Update(operation.id, 1.0, hold="Slower."))
    clock.advance(100)
    assert await store.claim_cards(10, 15.0, 60.0) == []
    assert (await store.card(operation.id)).message_ts is None


async def test_a_step_that_changes_nothing_visible_owes_nothing(store, operation):
    await store.save_step(Update(operation.id, 1.0, attempts=1))
    assert not (await store.card(operation.id)).is_dirty
    await store.save_step(Update(operation.id, 1.0, progress_floor=10, card_dirty=True))
    card = await store.card(operation.id)
    assert (card.is_dirty, card.changed_at) == (True, None)
