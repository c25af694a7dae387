"""Results of one request: a single message reports how several operations ended, and each only once."""

import pytest

from bot.domain.notices import END, NewNotice, NoticeKind, NoticeState
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.store import cards as card_rows
from bot.store import notices
from bot.store import operations as operation_rows
from bot.store.notices import RESULTS_SECONDS, await_results
from tests.rigs.store import ALICE, accept_operation, linked


async def begun(store, *names):
    """Begin a start of each workspace, all by one request."""
    operations = []
    for workspace in (await linked(store, names=list(names))).workspaces:
        operation = (await accept_operation(store, workspace, reference="REF")).operation
        await store.carry_out(lambda tx, key=operation.id: await_results(tx, key, "REF"))
        operations.append(operation)
    return operations


async def ended(store, operation, outcome=Outcome.FULFILLED):
    kind = NoticeKind.READY if outcome is Outcome.FULFILLED else NoticeKind.FAILED
    body = {"workspace": operation.workspace_id, "connection": operation.connection}
    notice = NewNotice("", kind, END, ALICE, body)
    await store.write(operation_rows.save_step, Update(operation.id, 0.0, outcome=outcome, notices=[notice]))


@pytest.mark.both_engines
async def test_results_wait_for_each_other(store):
    """All results of a request are sent when the last operation ends, each with its own buttons."""
    first, second = await begun(store, "one", "two")
    await ended(store, first)
    assert await store.perform(notices.claim_notices, 10, 60.0) == []
    await ended(store, second, Outcome.FAILED)
    (results,) = await store.perform(notices.claim_notices, 10, 60.0)
    assert results.kind is NoticeKind.RESULTS
    held = await store.read(notices.list_combined_notices, results.id)
    assert {one.kind for one in held} == {NoticeKind.READY, NoticeKind.FAILED}
    await store.write(notices.mark_notice_sent, results, "D1", "1.1", said={"text": "both", "blocks": []})
    assert [one.state for one in await store.read(notices.list_combined_notices, results.id)] == [
        NoticeState.SENT
    ] * 2
    cards = [await store.read(card_rows.find_card, one.id) for one in held]
    assert {(card.message_ts, card.body["text"]) for card in cards} == {("1.1", "both")}
    assert [one.id for one in await store.read(card_rows.find_cards_of_same_message, cards[0])] == [
        cards[1].id
    ]
    assert await store.read(notices.end_state, first.id) == "sent"


async def test_late_result_is_told_after_the_others(store, clock):
    first, second = await begun(store, "one", "two")
    await ended(store, first)
    clock.advance(RESULTS_SECONDS)
    (results,) = await store.perform(notices.claim_notices, 10, 60.0)
    await ended(store, second)
    assert [one.subject for one in await store.read(notices.list_combined_notices, results.id)] == [first.id]
    await store.write(notices.mark_notice_sent, results, "D1", "1.1")
    (other,) = await store.perform(notices.claim_notices, 10, 60.0)
    assert [one.subject for one in await store.read(notices.list_combined_notices, other.id)] == [second.id]


@pytest.mark.both_engines
async def test_results_given_up_give_up_what_they_hold(store):
    (only,) = await begun(store, "one")
    await ended(store, only)
    (results,) = await store.perform(notices.claim_notices, 10, 60.0)
    await store.write(notices.give_up_notice, results.id, "channel_not_found")
    assert NoticeKind.READY in {one.kind for one in await store.read(notices.list_dead_notices)}
