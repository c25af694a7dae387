"""Answers are history: no change owes them an edit. What administrators are asked is answered once."""

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Approval
from bot.domain.workspaces import Observed, State
from tests.rigs.store import (
    ALICE,
    BOB,
    ask_approval,
    decide_approval,
    linked,
    name_workspace,
    observe,
    unlink,
)

LATER = 3.0


async def owed(store, clock):
    """Return what is owed once presses have had their time, by message, and settle it."""
    clock.advance(LATER)
    cards = await store.claim_cards(20, 15.0, 60.0)
    for card in cards:
        await store.card_updated(card.id, card)
    return {card.message_ts: card.stage for card in cards}


async def test_nothing_that_changes_owes_an_answer_an_edit(store, clock, workspace):
    offered = {"blocks": [{"type": "actions", "elements": [{"type": "button", "value": workspace.id}]}]}
    for ts, kind in (("1", NoticeKind.REPLY), ("2", NoticeKind.MESSAGE)):
        await store.add_notices([NewNotice(f"event:{ts}", kind, "1", ALICE, offered)])
        (notice,) = await store.claim_notices(10, 60.0)
        await store.notice_sent(notice.id, "D1", ts)
        assert await store.card(notice.id) is None
    for state in (State.RUNNING, State.STOPPED, State.GONE):
        await observe(store, clock, workspace, Observed(state))
    await name_workspace(store, workspace.id, "thesis")
    await unlink(store, ALICE, "saturn")
    assert await owed(store, clock) == {}


async def test_what_administrators_are_asked_is_closed_by_the_decision_and_when_it_is_withdrawn(store, clock):
    await linked(store, names=["one"])
    for number, connection in enumerate(("posit", "saturn"), 1):
        request = Approval(f"a{number}", ALICE, connection, "alice", "asked", 100.0)
        asked = [NewNotice("", NoticeKind.APPROVAL_ASKED, who.user_id, who) for who in (ALICE, BOB)]
        await ask_approval(store, request, asked)
    for number, notice in enumerate(await store.claim_notices(10, 60.0)):
        await store.notice_sent(notice.id, "D1", f"{notice.subject}.{number}")
    assert await owed(store, clock) == {}
    await decide_approval(store, "a1", "denied", BOB.key)
    assert [(ts[:2], stage) for ts, stage in (await owed(store, clock)).items()] == [("a1", "closing")] * 2
    await unlink(store, ALICE, "saturn")
    assert [(ts[:2], stage) for ts, stage in (await owed(store, clock)).items()] == [("a2", "closing")] * 2
    assert await owed(store, clock) == {}
