"""Cards: placed once, owed updates, the newest state wins; answers are history."""

import pytest

from bot.domain.accounts import Approval
from bot.domain.errands import Outcome
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observed import Observed
from bot.domain.operations import OperationVerb
from bot.domain.runs import Update
from bot.domain.workspaces import State
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    add_workspace,
    ask_approval,
    decide_approval,
    hide_workspace,
    keep_waiting,
    launched,
    linked,
    name_workspace,
    observe,
    unlink,
)


@pytest.fixture
async def operation(store, workspace):
    return await posted(store, workspace)


async def posted(store, workspace):
    """Ask for it, and let its card be posted."""
    card = NewNotice("", NoticeKind.CARD, "first", ALICE)
    operation = (await accept_operation(store, workspace, notices=[card])).operation
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
    operation = (await accept_operation(store, workspace)).operation
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


async def asked(store, workspace, verb, ts):
    """Ask for something, and let its card be posted at ``ts``."""
    card = NewNotice("", NoticeKind.CARD, "first", ALICE, {"workspace": workspace.id})
    operation = (await accept_operation(store, workspace, verb, notices=[card])).operation
    await sent(store, ts)
    return operation.id


async def told(store, workspace, kind, subject, ts):
    body = {"workspace": workspace.id}
    await store.add_notices([NewNotice(subject, kind, ts, ALICE, body)])
    await sent(store, ts)


async def sent(store, *all_ts):
    notices = await store.claim_notices(10, 60.0)
    assert len(notices) == len(all_ts)
    for notice, ts in zip(notices, all_ts, strict=True):
        await store.notice_sent(notice.id, "D1", ts)


async def claimed(store):
    """Claim what is owed; return it by message, with its stage, and settle it."""
    cards = await store.claim_cards(20, 15.0, 60.0)
    for card in cards:
        await store.card_updated(card.id, card)
    return {card.message_ts: card.stage for card in cards}


async def ended(store, operation):
    await store.save_step(Update(operation, 0.0, outcome=Outcome.FULFILLED))


async def test_what_was_sent_last_is_live_and_each_before_it_owes_one_update(store, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await told(store, workspace, NoticeKind.WAITING, start, "2")
    assert await claimed(store) == {"1": "closing"}
    await ended(store, start)
    await told(store, workspace, NoticeKind.READY, start, "3")
    assert await claimed(store) == {"2": "closing"}
    await asked(store, workspace, OperationVerb.STOP, "4")
    assert await claimed(store) == {"3": "closing"}
    assert await claimed(store) == {}


async def test_the_card_of_what_has_ended_waits_for_the_message_that_says_so(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await ended(store, start)
    ready = NewNotice(start, NoticeKind.READY, "end", ALICE, {"workspace": workspace.id})
    await store.add_notices([ready])
    assert await claimed(store) == {}, "the ready message takes its place, in one update"
    await sent(store, "2")
    assert await claimed(store) == {"1": "closing"}


async def test_the_card_of_what_has_ended_says_so_itself_where_the_message_does_not_come(
    store, clock, workspace
):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await ended(store, start)
    await store.add_notices([NewNotice(start, NoticeKind.READY, "end", ALICE, {"workspace": workspace.id})])
    clock.advance(6)
    assert await claimed(store) == {"1": "live"}


async def test_a_question_about_a_creation_stands_beside_the_live_message(store, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await told(store, workspace, NoticeKind.ASKED, start, "2")
    await told(store, workspace, NoticeKind.FAILED, start, "3")
    assert await claimed(store) == {"1": "closing"}


async def test_what_is_found_after_newer_messages_takes_nobodys_place(store, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await store.add_notices([NewNotice(start, NoticeKind.WAITING, "w", ALICE, {"workspace": workspace.id})])
    (late,) = await store.claim_notices(10, 60.0)
    await told(store, workspace, NoticeKind.READY, start, "3")
    await store.notice_sent(late.id, "D1", "2")
    assert await claimed(store) == {"1": "closing", "2": "closing"}


async def test_a_change_of_a_workspace_owes_one_message_however_many_there_were(store, clock, workspace):
    for number in range(5):
        for place, verb in enumerate((OperationVerb.START, OperationVerb.STOP)):
            operation = await asked(store, workspace, verb, f"{number}.{place}.1")
            await ended(store, operation)
            await told(store, workspace, NoticeKind.READY, operation, f"{number}.{place}.2")
    await claimed(store)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    assert await claimed(store) == {"4.1.2": "live"}


async def test_live_cards_come_before_what_they_took_the_place_of(store, clock, workspace):
    (other,) = (await linked(store, BOB, ["other"])).workspaces
    first = await asked(store, workspace, OperationVerb.START, "1")
    await posted_for(store, BOB, other, "2")
    clock.advance(60)
    await asked(store, workspace, OperationVerb.STOP, "3")
    clock.advance(1)
    await observe(store, clock, other, Observed(State.STARTING))
    found = [card.message_ts for _ in range(2) for card in await store.claim_cards(1, 15.0, 60.0)]
    assert found == ["2", "1"]
    assert (await store.card(first)).stage == "closing"


async def posted_for(store, principal, workspace, ts):
    card = NewNotice("", NoticeKind.CARD, "first", principal)
    await accept_operation(store, workspace, notices=[card])
    await sent(store, ts)


async def test_progress_is_not_held_up_by_what_is_closing(store, clock):
    workspaces = (await linked(store, names=["one", "two", "three"])).workspaces
    await asked(store, workspaces[0], OperationVerb.START, "1")
    await asked(store, workspaces[1], OperationVerb.START, "2")
    await asked(store, workspaces[2], OperationVerb.START, "3")
    clock.advance(60)
    await observe(store, clock, workspaces[0], Observed(State.STOPPED, progress=10))
    for workspace, ts in zip(workspaces[1:], ("4", "5"), strict=True):
        await asked(store, workspace, OperationVerb.STOP, ts)
        clock.advance(1)
    # What was replaced last is what people still see.
    assert {card.message_ts for card in await store.claim_cards(2, 15.0, 60.0)} == {"1", "3"}
    assert [card.message_ts for card in await store.claim_cards(2, 15.0, 60.0)] == ["2"]


async def test_what_is_closed_is_never_owed_again(store, clock, workspace):
    first = await asked(store, workspace, OperationVerb.START, "1")
    await asked(store, workspace, OperationVerb.STOP, "2")
    await claimed(store)
    await keep_waiting(store, first)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    assert set(await claimed(store)) == {"2"}
    assert (await store.card(first)).stage == "closed"


async def test_a_closing_that_was_not_sent_comes_again(store, clock, workspace):
    first = await asked(store, workspace, OperationVerb.START, "1")
    await asked(store, workspace, OperationVerb.STOP, "2")
    (card,) = await store.claim_cards(20, 15.0, 60.0)
    await store.card_retry(card.id, 5.0)
    assert await claimed(store) == {}
    clock.advance(5)
    assert await claimed(store) == {"1": "closing"}
    assert (await store.card(first)).stage == "closed"


async def test_messages_about_an_unlinked_workspace_are_closed_and_keep_its_name(store, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await ended(store, start)
    await told(store, workspace, NoticeKind.READY, start, "2")
    await claimed(store)
    await unlink(store, ALICE, "saturn")
    cards = await store.claim_cards(20, 15.0, 60.0)
    assert {(card.message_ts, card.stage, card.name) for card in cards} == {("2", "closing", workspace.title)}


async def test_the_card_of_what_an_unlink_cancels_says_so(store, workspace):
    await asked(store, workspace, OperationVerb.START, "1")
    await unlink(store, ALICE, "saturn")
    (card,) = await store.claim_cards(20, 15.0, 60.0)
    assert (card.stage, card.name) == ("live", workspace.title)


async def test_a_notice_that_is_given_up_takes_no_place(store, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await told(store, workspace, NoticeKind.WAITING, start, "2")
    await store.add_notices([NewNotice(start, NoticeKind.READY, "end", ALICE, {"workspace": workspace.id})])
    (notice,) = await store.claim_notices(10, 60.0)
    await store.notice_dead(notice.id, "user_disabled")
    assert await store.card(notice.id) is None
    assert await claimed(store) == {"1": "closing"}, "what was sent last is live still"


async def test_what_nobody_looks_at_any_more_is_offered_nowhere(store, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await told(store, workspace, NoticeKind.WAITING, start, "2")
    await hide_workspace(store, workspace.id)
    assert await claimed(store) == {"1": "closing", "2": "closing"}
    await add_workspace(store, workspace)
    assert await claimed(store) == {}


async def test_what_is_gone_stays_gone_when_it_is_forgotten(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await store.save_step(Update(start, 0.0, outcome=Outcome.FULFILLED))
    await observe(store, clock, workspace, Observed(State.GONE))
    await hide_workspace(store, workspace.id)
    assert await claimed(store) == {"1": "live"}


async def test_messages_about_a_link_take_each_others_place(store, workspace):
    body = {"connection": "saturn"}
    for ts, kind in enumerate((NoticeKind.LINKED, NoticeKind.SIGN_IN_REFUSED, NoticeKind.LINKED)):
        await store.add_notices([NewNotice(f"account_{ts}", kind, "1", ALICE, body)])
        await sent(store, str(ts))
    assert await claimed(store) == {"0": "closing", "1": "closing"}
    assert workspace


async def test_a_question_about_a_class_card_takes_the_place_of_the_one_before(store):
    for ts in ("1", "2"):
        await store.add_notices([NewNotice("class_1", NoticeKind.CLASS_POSTED, f"posted:{ts}", ALICE)])
        await sent(store, ts)
    assert await claimed(store) == {"1": "closing"}


async def test_what_a_run_wrote_is_not_kept_for_its_message(store):
    run = await launched(store)
    notice = NewNotice(run.id, NoticeKind.JOB_ENDED, "end", ALICE, {"lines": ["secret"]})
    await store.add_notices([notice])
    (claimed_,) = await store.claim_notices(10, 60.0)
    assert claimed_.body == {"lines": ["secret"]}
    assert (await store.card(claimed_.id)).body == {}


async def owed(store, clock, workspace, state):
    """Return what a message shows, as its claim after another change says."""
    clock.advance(1)
    await observe(store, clock, workspace, Observed(state))
    (card,) = await store.claim_cards(10, 15.0, 60.0)
    return card


async def test_what_a_message_shows_is_known_to_all(database, store, clock, workspace, operation):
    card = await owed(store, clock, workspace, State.STARTING)
    assert card.claimed_drawn == "", "it was posted by somebody who did not say"
    await store.card_updated(operation.id, card, "starting")
    card = await owed(await database.open(), clock, workspace, State.RUNNING)
    assert card.claimed_drawn == "starting"
    await store.unplace_card(operation.id)
    assert (await store.card(operation.id)).message_ts is None


async def test_nobody_knows_what_an_update_without_an_end_has_shown(store, clock, workspace, operation):
    card = await owed(store, clock, workspace, State.STARTING)
    await store.card_updated(operation.id, card, "starting")
    lost = await owed(store, clock, workspace, State.RUNNING)
    clock.advance(60)
    (again,) = await store.claim_cards(10, 15.0, 60.0)
    assert (lost.claimed_drawn, again.claimed_drawn) == ("starting", "")
    # It ended after all, and late: what it showed isn't what the other one shows.
    await store.card_updated(operation.id, lost, "running")
    assert (await owed(store, clock, workspace, State.STOPPED)).claimed_drawn == ""
    await store.card_retry(operation.id, 0.0)
    (again,) = await store.claim_cards(10, 15.0, 60.0)
    assert again.claimed_drawn == "", "nor is it known after an attempt that failed"


async def test_what_was_posted_is_known_until_its_place_is_not(store, clock, workspace):
    notices = [NewNotice("", NoticeKind.CARD, "first", ALICE)]
    operation = (await accept_operation(store, workspace, notices=notices)).operation
    (notice,) = await store.claim_notices(10, 60.0)
    await store.notice_sent(notice.id, "D1", "1.1", "posted")
    card = await owed(store, clock, workspace, State.STARTING)
    assert (card.id, card.claimed_drawn) == (operation.id, "posted")
    await store.card_updated(operation.id, card, "starting")
    await store.unplace_card(operation.id)
    await store.add_notices([NewNotice(operation.id, NoticeKind.CARD_UPDATE, "again", ALICE)])
    (notice,) = await store.claim_notices(10, 60.0)
    await store.notice_sent(notice.id, "D1", "1.1")
    assert (await owed(store, clock, workspace, State.RUNNING)).claimed_drawn == ""


# -- answers are history; what administrators are asked is answered once -------------------------------------


LATER = 3.0


async def settled(store, clock):
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
    assert await settled(store, clock) == {}


async def test_what_administrators_are_asked_is_closed_by_the_decision_and_when_it_is_withdrawn(store, clock):
    await linked(store, names=["one"])
    for number, connection in enumerate(("posit", "saturn"), 1):
        request = Approval(f"a{number}", ALICE, connection, "alice", "asked", 100.0)
        asked = [NewNotice("", NoticeKind.APPROVAL_ASKED, who.user_id, who) for who in (ALICE, BOB)]
        await ask_approval(store, request, asked)
    for number, notice in enumerate(await store.claim_notices(10, 60.0)):
        await store.notice_sent(notice.id, "D1", f"{notice.subject}.{number}")
    assert await settled(store, clock) == {}
    await decide_approval(store, "a1", "denied", BOB.key)
    assert [(ts[:2], stage) for ts, stage in (await settled(store, clock)).items()] == [("a1", "closing")] * 2
    await unlink(store, ALICE, "saturn")
    assert [(ts[:2], stage) for ts, stage in (await settled(store, clock)).items()] == [("a2", "closing")] * 2
    assert await settled(store, clock) == {}
