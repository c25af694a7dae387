"""Cards: posted once, updated when due, and the newest state wins. Answers are kept as they were."""

import pytest

from bot.domain.accounts import Approval
from bot.domain.holds import NOTHING, hold_by_cause
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import MAX_PROMPT_SECONDS, OperationVerb
from bot.domain.runs import ObservedRun, RunState
from bot.domain.steps import Update
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.store import cards as card_rows
from bot.store import notices as notice_rows
from bot.store import operations as operation_rows
from bot.store import runs as run_rows
from bot.store.cards import MIN_UPDATE_INTERVAL_SECONDS, OVER_AFTER_SECONDS
from bot.store.notices import SILENCE_SECONDS
from bot.store.sweeping import sweep
from bot.store.tables import CARDS
from tests.rigs.approvals import ask_approval, decide_approval
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    hide_workspace,
    keep_waiting,
    launched,
    linked,
    name_workspace,
    observe,
    unlink,
)


@pytest.fixture
async def operation(store, workspace, clock):
    made = await posted(store, workspace)
    clock.advance(MIN_UPDATE_INTERVAL_SECONDS)
    return made


async def posted(store, workspace):
    """Request the operation and post its card."""
    card = NewNotice("", NoticeKind.CARD, "first", ALICE)
    operation = (await accept_operation(store, workspace, notices=[card])).operation
    for notice in await store.perform(notice_rows.claim_notices, 10, 60.0):
        await store.write(notice_rows.mark_notice_sent, notice, "D1", f"{notice.subject}.1")
    return operation


async def test_the_first_card_finds_its_place(store, clock, operation):
    card = await store.read(card_rows.find_card, operation.id)
    assert (card.channel_id, card.message_ts, card.is_dirty, card.updated_at) == (
        "D1",
        f"{operation.id}.1",
        False,
        clock.now() - MIN_UPDATE_INTERVAL_SECONDS,
    )
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []
    assert await store.read(card_rows.find_card, "operation_none") is None


async def test_a_card_that_was_not_posted_yet_is_not_updated(store, workspace):
    operation = (await accept_operation(store, workspace)).operation
    await store.write(operation_rows.save_step, Update(operation.id, 1.0, card_dirty=True))
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []


async def test_a_change_of_state_is_owed_at_once(store, clock, workspace, operation):
    await observe(store, clock, workspace, Observed(State.STARTING))
    (card,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    assert (card.id, card.is_dirty, card.changed_at) == (operation.id, True, clock.now())
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []
    clock.advance(1)
    await store.write(card_rows.finish_update, operation.id, card)
    after = await store.read(card_rows.find_card, operation.id)
    assert (after.is_dirty, after.changed_at, after.updated_at) == (False, None, clock.now())
    clock.advance(100)
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []


async def test_progress_waits_for_the_interval(store, clock, workspace, operation):
    clock.advance(11)
    await observe(store, clock, workspace, Observed(State.STOPPED, progress=10))
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []
    clock.advance(4)
    (card,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    assert card.changed_at is None
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []


@pytest.mark.parametrize(
    ("age", "hold", "is_owed"),
    [(0, None, False), (MAX_PROMPT_SECONDS, None, True), (0, NOTHING, True)],
    ids=["new", "waited", "held"],
)
async def test_the_call_of_a_new_operation_changes_nothing_that_its_card_says(
    store, clock, operation, age, hold, is_owed
):
    if hold is not None:
        held = Update(operation.id, 1.0, block_reason=hold_by_cause("busy"))
        await store.write(operation_rows.save_step, held)
        (card,) = await store.claim(card_rows.claim_cards, 10, 60.0)
        await store.write(card_rows.finish_update, card.id, card)
    clock.advance(age + MIN_UPDATE_INTERVAL_SECONDS)
    calling = Update(operation.id, 1.0, start_call=Call.CALLING, called=True, block_reason=hold)
    await store.write(operation_rows.save_step, calling)
    assert len(await store.claim(card_rows.claim_cards, 10, 60.0)) == is_owed


@pytest.mark.both_engines
async def test_progress_is_shown_each_minute_after_the_first(store, clock, operation):
    """The first minute counts from the card's posting, or for a run from its start."""
    begin, shown = clock.now() - MIN_UPDATE_INTERVAL_SECONDS, []
    for _ in range(170):
        await store.write(operation_rows.save_step, Update(operation.id, 1.0, card_dirty=True))
        for card in await store.claim(card_rows.claim_cards, 10, 60.0):
            await store.write(card_rows.finish_update, card.id, card)
            shown.append(clock.now() - begin)
        clock.advance(1)
    assert shown == [15, 30, 45, 105, 165]


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("waited", "seconds"),
    [(3_600, [0, 15, 30, 45, 105, 165]), (6, [9, 24, 39, 99, 159])],
    ids=["late", "soon"],
)
async def test_output_is_shown_soon_after_a_start(store, clock, waited, seconds):
    """If a run waited for more than a minute, its card is again updated often in the run's first minute."""
    run = await launched(store, shows=True)
    await sent(store, "1.0")
    clock.advance(waited)
    started = ObservedRun(RunState.RUNNING, started_at=clock.now())
    await store.write(run_rows.save_run_step, Update(run.id, 1.0, observed=started))
    shown = []
    for second in range(180):
        await store.write(run_rows.queue_grown_outputs, [run.id])
        for card in await store.claim(card_rows.claim_cards, 10, 60.0):
            await store.write(card_rows.finish_update, card.id, card)
            shown.append(second)
        clock.advance(1)
    assert shown == seconds


async def test_changes_of_state_go_before_progress(store, clock):
    workspaces = (await linked(store, names=["one", "two", "three"])).workspaces
    operations = [await posted(store, workspace) for workspace in workspaces]
    await observe(store, clock, workspaces[0], Observed(State.STOPPED, progress=10))
    clock.advance(100)
    await observe(store, clock, workspaces[2], Observed(State.STARTING))
    clock.advance(1)
    await observe(store, clock, workspaces[1], Observed(State.STARTING))
    claimed = [card.id for card in await store.claim(card_rows.claim_cards, 2, 60.0)]
    assert claimed == [operations[2].id, operations[1].id]
    assert [card.id for card in await store.claim(card_rows.claim_cards, 2, 60.0)] == [operations[0].id]


async def test_what_came_after_the_claim_is_still_owed(store, clock, workspace, operation):
    await observe(store, clock, workspace, Observed(State.STARTING))
    (card,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    clock.advance(1)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    await store.write(card_rows.finish_update, operation.id, card)
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []
    clock.advance(MIN_UPDATE_INTERVAL_SECONDS)
    (again,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    assert again.changed_at > card.changed_at


@pytest.mark.both_engines
async def test_who_ends_late_leaves_what_another_claimed_owed(store, clock, workspace, operation):
    await observe(store, clock, workspace, Observed(State.STARTING))
    (late,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    clock.advance(60)
    (newer,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    await store.write(card_rows.finish_update, operation.id, late)
    assert (await store.read(card_rows.find_card, operation.id)).is_dirty
    await store.write(card_rows.finish_update, operation.id, newer)
    assert not (await store.read(card_rows.find_card, operation.id)).is_dirty
    # The late process may have drawn its update last, so the card is drawn once more.
    await store.write(card_rows.finish_update, operation.id, late)
    assert (await store.read(card_rows.find_card, operation.id)).is_dirty


async def test_progress_after_the_claim_is_owed_as_progress(store, clock, workspace, operation):
    await observe(store, clock, workspace, Observed(State.STARTING))
    (card,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    await observe(store, clock, workspace, Observed(State.STARTING, progress=50))
    await store.write(card_rows.finish_update, operation.id, card)
    left = await store.read(card_rows.find_card, operation.id)
    assert (left.is_dirty, left.changed_at) == (True, None)
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []


@pytest.mark.both_engines
async def test_a_message_is_looked_at_once_a_time_that_it_announced_has_passed(store, clock, operation):
    card = await store.read(card_rows.find_card, operation.id)
    moments = {"moments": [clock.now() + 600.0, clock.now() - 600.0]}
    await store.write(card_rows.finish_update, card.id, card, "drawn", moments)
    clock.advance(600.0 + OVER_AFTER_SECONDS - 1.0)
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []
    clock.advance(2.0)
    (found,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    await store.write(card_rows.finish_update, card.id, found, "drawn again", moments)
    clock.advance(3600.0)
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []


@pytest.mark.parametrize("is_press", [True, False])
@pytest.mark.both_engines
async def test_a_message_that_an_answer_is_about_to_replace_is_left_alone_for_a_while(
    store, clock, workspace, is_press
):
    start = await asked(store, workspace, OperationVerb.START, "1")
    body = {"workspace": workspace.id}
    await store.write(notice_rows.add_notices, [NewNotice(start, NoticeKind.READY, "end", ALICE, body)])
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.mark_notice_sent, notice, "D1", "2", "drawn", notice.body)
    await store.write(card_rows.queue_messages, workspace.id, changed=True)
    clock.advance(3600.0)
    answer = {"kind": NoticeKind.CARD, "id": "answer", "subject": "answer", "principal": ALICE.key}
    replacing = {"over": "2", "channel_id": "D1"} if is_press else {"becomes": start}
    await store.write(card_rows.add_notice, answer, replacing)
    due = []
    for seconds in (card_rows._REPLACEMENT_WAIT_SECONDS - 1.0, 2.0):
        clock.advance(seconds)
        claimed = await store.claim(card_rows.claim_cards, 10, 60.0)
        due.append("2" in {card.message_ts for card in claimed})
    assert due == [False, True]


async def test_a_lease_that_ran_out_and_a_retry_come_again(store, clock, operation):
    await store.write(operation_rows.save_step, Update(operation.id, 1.0, block_reason="Slow."))
    await store.claim(card_rows.claim_cards, 10, 60.0)
    clock.advance(60)
    assert len(await store.claim(card_rows.claim_cards, 10, 60.0)) == 1
    await store.write(card_rows.retry_card, operation.id, 5.0)
    clock.advance(4.9)
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []
    clock.advance(0.1)
    (card,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    assert card.is_dirty


async def test_a_lost_card_is_not_updated_any_more(store, clock, operation):
    await store.write(operation_rows.save_step, Update(operation.id, 1.0, block_reason="Slow."))
    await store.write(notice_rows.queue_lost_card, operation.id)
    await store.write(operation_rows.save_step, Update(operation.id, 1.0, block_reason="Slower."))
    clock.advance(100)
    assert await store.claim(card_rows.claim_cards, 10, 60.0) == []
    assert (await store.read(card_rows.find_card, operation.id)).message_ts is None


async def test_a_step_that_changes_nothing_visible_owes_nothing(store, operation):
    await store.write(operation_rows.save_step, Update(operation.id, 1.0, attempts=1))
    assert not (await store.read(card_rows.find_card, operation.id)).is_dirty
    await store.write(operation_rows.save_step, Update(operation.id, 1.0, card_dirty=True))
    card = await store.read(card_rows.find_card, operation.id)
    assert (card.is_dirty, card.changed_at) == (True, None)


async def asked(store, workspace, verb, ts):
    """Request an operation and post its card at ``ts``."""
    card = NewNotice("", NoticeKind.CARD, "first", ALICE, {"workspace": workspace.id})
    operation = (await accept_operation(store, workspace, verb, notices=[card])).operation
    await sent(store, ts)
    return operation.id


async def told(store, workspace, kind, subject, ts):
    body = {"workspace": workspace.id}
    await store.write(notice_rows.add_notices, [NewNotice(subject, kind, ts, ALICE, body)])
    await sent(store, ts)


async def sent(store, *all_ts):
    notices = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert len(notices) == len(all_ts)
    for notice, ts in zip(notices, all_ts, strict=True):
        await store.write(notice_rows.mark_notice_sent, notice, "D1", ts)


async def claimed(store, clock, seconds=15.0):
    """Wait for the interval between updates, claim what is pending, and finish it.

    Return the timestamps of the messages.
    """
    clock.advance(seconds)
    cards = await store.claim(card_rows.claim_cards, 20, 60.0)
    for card in cards:
        await store.write(card_rows.finish_update, card.id, card)
    return sorted(card.message_ts for card in cards)


async def ended(store, operation):
    await store.write(operation_rows.save_step, Update(operation, 0.0, outcome=Outcome.FULFILLED))


async def test_what_was_sent_before_about_the_same_is_looked_at_once_more(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await told(store, workspace, NoticeKind.WAITING, start, "2")
    assert await claimed(store, clock) == ["1"]
    await ended(store, start)
    await told(store, workspace, NoticeKind.READY, start, "3")
    assert await claimed(store, clock) == ["1", "2"]
    assert await claimed(store, clock) == []


async def test_what_was_sent_before_about_the_same_is_looked_at_by_one(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await told(store, workspace, NoticeKind.WAITING, start, "2")
    clock.advance(15)
    assert len(await store.claim(card_rows.claim_cards, 20, 60.0)) == 1
    assert await store.claim(card_rows.claim_cards, 20, 60.0) == []


async def test_a_look_at_buttons_waits_for_what_has_changed(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await told(store, workspace, NoticeKind.WAITING, start, "2")
    await claimed(store, clock)
    clock.advance(MIN_UPDATE_INTERVAL_SECONDS)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    clock.advance(card_rows.ENDS_WITHIN_SECONDS)
    found = [card.message_ts for _ in range(2) for card in await store.claim(card_rows.claim_cards, 1, 60.0)]
    assert found == ["1", "2"], "the card says what has changed"


async def test_the_card_of_what_has_ended_waits_for_the_message_that_says_so(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await ended(store, start)
    ready = NewNotice(start, NoticeKind.READY, "end", ALICE, {"workspace": workspace.id})
    await store.write(notice_rows.add_notices, [ready])
    assert await claimed(store, clock, 60.0) == [], "it goes then"
    assert await store.read(notice_rows.end_state, start) == "pending"
    await sent(store, "2")
    assert await claimed(store, clock, 0.0) == ["1"]
    assert await store.read(notice_rows.end_state, start) == "sent"


async def test_the_card_of_what_has_ended_says_so_itself_where_the_message_does_not_come(
    store, clock, workspace
):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await ended(store, start)
    await store.write(
        notice_rows.add_notices,
        [NewNotice(start, NoticeKind.READY, "end", ALICE, {"workspace": workspace.id})],
    )
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.give_up_notice, notice.id, "no_text")
    assert await claimed(store, clock, 0.0) == ["1"]


async def test_an_end_that_was_sent_nowhere_says_nothing(store, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await ended(store, start)
    await store.write(
        notice_rows.add_notices,
        [NewNotice(start, NoticeKind.READY, "end", ALICE, {"workspace": workspace.id})],
    )
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.mark_notice_sent, notice, "", "")
    assert await store.read(notice_rows.end_state, start) == ""


async def test_a_card_stays_above_the_file_that_was_sent_to_its_thread(store, clock):
    run = await launched(store, shows=True)
    await sent(store, "1")
    await store.write(notice_rows.add_notices, [NewNotice(run.id, NoticeKind.JOB_FILE, "file", ALICE)])
    await sent(store, "2")
    clock.advance(1)
    await store.write(notice_rows.add_notices, [NewNotice(run.id, NoticeKind.JOB_ENDED, "end", ALICE)])
    await sent(store, "3")
    assert await store.read(notice_rows.end_state, run.id) == ""


async def test_what_is_found_after_newer_messages_is_no_reason_to_keep_them(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await store.write(
        notice_rows.add_notices,
        [NewNotice(start, NoticeKind.WAITING, "w", ALICE, {"workspace": workspace.id})],
    )
    (late,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await told(store, workspace, NoticeKind.READY, start, "3")
    await store.write(notice_rows.mark_notice_sent, late, "D1", "2")
    assert await claimed(store, clock) == ["1", "3"]


async def test_what_is_over_is_never_owed_again(store, clock, workspace):
    first = await asked(store, workspace, OperationVerb.START, "1")
    await asked(store, workspace, OperationVerb.STOP, "2")
    for card in await store.claim(card_rows.claim_cards, 20, 60.0):
        await store.write(card_rows.finish_update, card.id, card, is_over=True)
    await keep_waiting(store, first)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    assert await claimed(store, clock) == ["2"]
    assert (await store.read(card_rows.find_card, first)).stage == "closed"


@pytest.mark.both_engines
async def test_a_card_that_was_closed_goes_once_the_end_is_known_to_be_in_slack(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await ended(store, start)
    for card in await store.claim(card_rows.claim_cards, 9, 60.0):
        await store.write(card_rows.finish_update, card.id, card, is_over=True)
    assert (await store.read(card_rows.find_card, start)).stage == "closed"
    await store.write(
        notice_rows.add_notices,
        [NewNotice(start, NoticeKind.READY, "end", ALICE, {"workspace": workspace.id})],
    )
    await sent(store, "2")
    assert await claimed(store, clock) == ["1"]


@pytest.mark.parametrize("is_over", [True, False])
async def test_a_card_goes_once_its_end_is_told_with_others(store, clock, is_over):
    workspaces = (await linked(store, names=["one", "two"])).workspaces
    starts = [await asked(store, one, OperationVerb.START, str(n)) for n, one in enumerate(workspaces)]
    for start in starts:
        await ended(store, start)
    for card in await store.claim(card_rows.claim_cards, 9, 60.0):
        await store.write(card_rows.finish_update, card.id, card, is_over=is_over)
    for start, one in zip(starts, workspaces, strict=True):
        body = {"workspace": one.id}
        await store.write(notice_rows.add_notices, [NewNotice(start, NoticeKind.READY, "end", ALICE, body)])
    clock.advance(SILENCE_SECONDS + 5.0)
    (summary,) = await store.perform(notice_rows.claim_notices, 9, 60.0)
    assert len(await store.read(notice_rows.list_combined_notices, summary.id)) == 2
    assert await claimed(store, clock) == []
    await store.write(notice_rows.mark_notice_sent, summary, "D1", "9")
    assert await claimed(store, clock) == ["0", "1"]


async def test_earlier_failure_is_updated_once_a_start_begins(store, clock, workspace):
    """The start may never send a message of its own that would remove *Try again* from the failed one."""
    stop = await asked(store, workspace, OperationVerb.STOP, "1")
    await store.write(operation_rows.save_step, Update(stop, 0.0, outcome=Outcome.FAILED))
    await told(store, workspace, NoticeKind.FAILED, stop, "2")
    await claimed(store, clock)
    await accept_operation(store, workspace)
    assert await claimed(store, clock) == ["1", "2"]


async def test_what_changes_while_a_message_is_closed_is_still_owed(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await told(store, workspace, NoticeKind.WAITING, start, "2")
    clock.advance(15.0)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    clock.advance(card_rows.ENDS_WITHIN_SECONDS)
    cards = await store.claim(card_rows.claim_cards, 9, 60.0)
    assert sorted(card.message_ts for card in cards) == ["1", "2"]
    await told(store, workspace, NoticeKind.READY, start, "3")
    for card in cards:
        await store.write(card_rows.finish_update, card.id, card, is_over=True)
    assert await claimed(store, clock) == ["1", "2"]


async def test_a_card_that_is_sent_nowhere_is_never_owed(store, clock, workspace):
    """However often a workspace is started and stopped, a change of its state writes few rows."""
    card = NewNotice("", NoticeKind.CARD, "first", ALICE, {"workspace": workspace.id})
    operation = (await accept_operation(store, workspace, notices=[card])).operation
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.mark_notice_sent, notice, "", "")
    await observe(store, clock, workspace, Observed(State.RUNNING))
    left = await store.read(card_rows.find_card, operation.id)
    assert (left.stage, left.is_dirty, left.message_ts) == ("closed", False, None)


async def test_what_a_message_says_for_good_is_kept_with_it(store, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    body, said = {"workspace": workspace.id}, {"text": "Ready.", "blocks": [{"type": "divider"}]}
    await store.write(notice_rows.add_notices, [NewNotice(start, NoticeKind.READY, "end", ALICE, body)])
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.mark_notice_sent, notice, "D1", "2", "drawn", notice.body | said)
    card = await store.read(card_rows.find_card, notice.id)
    assert card.body == body | said
    await store.write(card_rows.finish_update, card.id, card, "drawn", body | {"text": "", "blocks": []})
    assert (await store.read(card_rows.find_card, card.id)).body["blocks"] == []
    await store.write(card_rows.finish_update, card.id, card, is_over=True)
    assert await store.read(card_rows.find_card, card.id) is None


async def test_messages_about_an_unlinked_workspace_are_looked_at_and_keep_its_name(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await ended(store, start)
    await told(store, workspace, NoticeKind.READY, start, "2")
    await claimed(store, clock)
    await unlink(store, ALICE, "saturn")
    clock.advance(15)
    cards = await store.claim(card_rows.claim_cards, 20, 60.0)
    assert {(card.message_ts, card.name) for card in cards} == {
        ("1", workspace.title),
        ("2", workspace.title),
    }


async def test_a_notice_that_is_given_up_is_no_message(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await told(store, workspace, NoticeKind.WAITING, start, "2")
    await store.write(
        notice_rows.add_notices,
        [NewNotice(start, NoticeKind.READY, "end", ALICE, {"workspace": workspace.id})],
    )
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.give_up_notice, notice.id, "user_disabled")
    assert await store.read(card_rows.find_card, notice.id) is None
    assert await claimed(store, clock) == ["1"]


async def test_what_nobody_looks_at_any_more_is_looked_at_once_more(store, clock, workspace):
    start = await asked(store, workspace, OperationVerb.START, "1")
    await told(store, workspace, NoticeKind.WAITING, start, "2")
    await claimed(store, clock)
    await hide_workspace(store, workspace.id)
    assert await claimed(store, clock) == ["1", "2"]


async def test_messages_about_a_link_are_looked_at_once_there_is_another(store, clock, workspace):
    body = {"connection": "saturn"}
    for ts, kind in enumerate((NoticeKind.LINKED, NoticeKind.SIGN_IN_REFUSED, NoticeKind.LINKED)):
        await store.write(notice_rows.add_notices, [NewNotice(f"account_{ts}", kind, "1", ALICE, body)])
        await sent(store, str(ts))
    assert await claimed(store, clock) == ["0", "1"]
    assert workspace


async def test_of_questions_about_a_class_card_the_last_is_open(store, clock):
    await store.carry_out(lambda tx: card_rows.add(tx, NoticeKind.CLASS_CARD, "class_1", ALICE.key))
    await store.carry_out(lambda tx: card_rows.save_location(tx, "class_1", "C1", "0"))
    for ts in ("1", "2"):
        await store.write(
            notice_rows.add_notices, [NewNotice("class_1", NoticeKind.CLASS_POSTED, f"posted:{ts}", ALICE)]
        )
        await sent(store, ts)
    clock.advance(15)
    cards = await store.claim(card_rows.claim_cards, 20, 60.0)
    assert [(card.message_ts, card.stage) for card in cards] == [("1", "closed")]


async def test_a_question_that_was_to_change_when_it_was_asked_again_is_looked_at(store, clock, workspace):
    await told(store, workspace, NoticeKind.OUTCOME_QUESTION, "operation_1", "1")
    await store.carry_out(lambda tx: card_rows.queue_updates(tx, "operation_1", changed=True))
    await told(store, workspace, NoticeKind.OUTCOME_QUESTION, "operation_2", "2")
    assert await claimed(store, clock) == ["1"]


@pytest.mark.both_engines
async def test_what_an_earlier_release_left_half_done_waits_no_longer_than_a_day(store, clock, operation):
    """In an earlier release, messages followed by newer ones were to be shortened to one line."""
    left = {"stage": "closing", "is_dirty": True, "changed_at": clock.now()}
    await store.engine.write(lambda tx: CARDS.change(tx, {"id": operation.id}, **left))
    clock.advance(86_401)
    await sweep(store.engine)
    row = await store.engine.read(lambda tx: CARDS.row(tx, id=operation.id))
    assert row["is_dirty"] == 0


async def test_what_a_run_wrote_is_not_kept_for_its_message(store):
    run = await launched(store)
    notice = NewNotice(run.id, NoticeKind.JOB_ENDED, "end", ALICE, {"lines": ["secret"]})
    await store.write(notice_rows.add_notices, [notice])
    (claimed_,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert claimed_.body == {"lines": ["secret"]}
    assert (await store.read(card_rows.find_card, claimed_.id)).body == {}


async def pending(store, clock, workspace, state):
    """Change the state, and return the claim on the card's next update."""
    clock.advance(MIN_UPDATE_INTERVAL_SECONDS)
    await observe(store, clock, workspace, Observed(state))
    clock.advance(card_rows.ENDS_WITHIN_SECONDS)
    (card,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    return card


async def test_what_a_message_shows_is_known_to_all(database, store, clock, workspace, operation):
    card = await pending(store, clock, workspace, State.STARTING)
    assert card.claimed_digest == "", "it was posted by somebody who did not say"
    await store.write(card_rows.finish_update, operation.id, card, "starting")
    card = await pending(await database.open(), clock, workspace, State.RUNNING)
    assert card.claimed_digest == "starting"
    await store.write(card_rows.forget_location, operation.id)
    assert (await store.read(card_rows.find_card, operation.id)).message_ts is None


async def test_nobody_knows_what_an_update_without_an_end_has_shown(store, clock, workspace, operation):
    card = await pending(store, clock, workspace, State.STARTING)
    await store.write(card_rows.finish_update, operation.id, card, "starting")
    lost = await pending(store, clock, workspace, State.RUNNING)
    clock.advance(60)
    (again,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    assert (lost.claimed_digest, again.claimed_digest) == ("starting", "")
    # The late update finished after all, so nobody knows which of the two the message shows.
    await store.write(card_rows.finish_update, operation.id, lost, "running")
    assert (await pending(store, clock, workspace, State.STOPPED)).claimed_digest == ""
    await store.write(card_rows.retry_card, operation.id, 0.0)
    (again,) = await store.claim(card_rows.claim_cards, 10, 60.0)
    assert again.claimed_digest == "", "nor is it known after an attempt that failed"


async def test_what_was_posted_is_known_until_its_place_is_not(store, clock, workspace):
    notices = [NewNotice("", NoticeKind.CARD, "first", ALICE)]
    operation = (await accept_operation(store, workspace, notices=notices)).operation
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.mark_notice_sent, notice, "D1", "1.1", "posted")
    card = await pending(store, clock, workspace, State.STARTING)
    assert (card.id, card.claimed_digest) == (operation.id, "posted")
    await store.write(card_rows.finish_update, operation.id, card, "starting")
    await store.write(card_rows.forget_location, operation.id)
    await store.write(
        notice_rows.add_notices, [NewNotice(operation.id, NoticeKind.CARD_UPDATE, "again", ALICE)]
    )
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.mark_notice_sent, notice, "D1", "1.1")
    assert (await pending(store, clock, workspace, State.RUNNING)).claimed_digest == ""


# -- answers; administrators' questions are answered only once -----------------------------------------------


async def answered(store, kind, subject, ts, **body):
    said = {"text": "Said.", "blocks": [{"type": "divider"}], **body}
    await store.write(notice_rows.add_notices, [NewNotice(subject, kind, "1", ALICE, said)])
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.mark_notice_sent, notice, "D1", ts)
    return await store.read(card_rows.find_card, notice.id)


async def test_an_answer_that_offers_nothing_for_one_workspace_is_history(store, clock, workspace):
    offered = [{"type": "actions", "elements": [{"type": "button", "value": workspace.id}]}]
    for ts, kind in (("1", NoticeKind.REPLY), ("2", NoticeKind.MESSAGE)):
        assert await answered(store, kind, f"event:{ts}", ts, blocks=offered) is None
    for state in (State.RUNNING, State.STOPPED, State.GONE):
        await observe(store, clock, workspace, Observed(state))
    await name_workspace(store, workspace.id, "thesis")
    await unlink(store, ALICE, "saturn")
    assert await claimed(store, clock) == []


@pytest.mark.parametrize(
    "place",
    [{"response_url": "https://hooks.example.org/1"}, {"channel_id": "C1", "where": "channel"}],
)
async def test_an_answer_that_only_its_reader_sees_is_never_edited(store, workspace, place):
    assert await answered(store, NoticeKind.REPLY, "event:1", "1", offers=workspace.id, **place) is None


async def test_an_answer_that_offers_something_is_looked_at_when_that_changes(store, clock, workspace):
    place = {"channel_id": "D1", "where": "direct"}
    card = await answered(store, NoticeKind.REPLY, "event:1", "1", offers=workspace.id, **place)
    assert card.body == {"offers": workspace.id, "text": "Said.", "blocks": [{"type": "divider"}]}
    assert await claimed(store, clock) == []
    await observe(store, clock, workspace, Observed(State.RUNNING))
    assert await claimed(store, clock) == ["1"]


async def test_what_administrators_are_asked_is_drawn_by_the_decision_and_when_it_is_withdrawn(store, clock):
    await linked(store, names=["one"])
    for number, connection in enumerate(("posit", "saturn"), 1):
        request = Approval(f"a{number}", ALICE, connection, "alice", "requested", 100.0)
        asked = [NewNotice("", NoticeKind.APPROVAL_REQUEST, who.user_id, who) for who in (ALICE, BOB)]
        await ask_approval(store, request, asked)
    for number, notice in enumerate(await store.perform(notice_rows.claim_notices, 10, 60.0)):
        await store.write(notice_rows.mark_notice_sent, notice, "D1", f"{notice.subject}.{number}")
    assert await claimed(store, clock) == []
    await decide_approval(store, "a1", "denied", BOB.key)
    assert [ts[:2] for ts in await claimed(store, clock, 3.0)] == ["a1"] * 2
    await unlink(store, ALICE, "saturn")
    assert [ts[:2] for ts in await claimed(store, clock, 3.0)] == ["a2"] * 2
    assert await claimed(store, clock) == []
