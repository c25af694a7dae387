"""The outbox: each message is sent once, unknown outcomes are handled, and held-back news is combined."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from bot.domain.notices import NewNotice, NoticeKind, NoticeState
from bot.domain.operations import MAX_PROMPT_SECONDS
from bot.domain.people import Principal
from bot.domain.preferences import Preferences
from bot.domain.steps import Update
from bot.domain.work_items import DEADLINE_SECONDS, Outcome
from bot.domain.workspaces import State
from bot.store import counts, operations
from bot.store import notices as notice_rows
from bot.store.cards import CARD_DELAY_SECONDS, find_card
from bot.store.notices import CARD_FIRST_SECONDS, SILENCE_SECONDS, add_card, release_card
from tests.rigs.store import ALICE, BOB, accept_operation, linked, prefer


def message(subject="s", kind=NoticeKind.MESSAGE, occasion="1", principal=ALICE, **values):
    return NewNotice(subject, kind, occasion, principal, **values)


async def test_the_same_notice_is_written_once(store):
    await asyncio.gather(*(store.write(notice_rows.add_notices, [message(body={"n": n})]) for n in range(20)))
    await store.write(
        notice_rows.add_notices, [message(occasion="2"), message(kind=NoticeKind.READY), message(subject="t")]
    )
    assert len(await store.perform(notice_rows.claim_notices, 100, 60.0)) == 4


async def test_a_sent_notice_is_not_written_again(store):
    await store.write(notice_rows.add_notices, [message()])
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.mark_notice_sent, notice, "D1", "1.1")
    await store.write(notice_rows.add_notices, [message()])
    assert await store.perform(notice_rows.claim_notices, 10, 60.0) == []


async def test_claims_go_by_class_then_age(store, clock):
    kinds = [
        NoticeKind.WAITING,
        NoticeKind.CARD,
        NoticeKind.READY,
        NoticeKind.RELINK_PROMPT,
        NoticeKind.CARD,
        NoticeKind.FAILED,
    ]
    for number, kind in enumerate(kinds):
        await store.write(notice_rows.add_notices, [message(str(number), kind)])
        clock.advance(1)
    assert [notice.subject for notice in await store.perform(notice_rows.claim_notices, 4, 60.0)] == [
        "2",
        "5",
        "1",
        "4",
    ]
    assert await store.perform(notice_rows.claim_notices, 4, 60.0, {1: 1.0, 2: 1.0}) == []
    assert [
        notice.subject for notice in await store.perform(notice_rows.claim_notices, 4, 60.0, {3: 1.0})
    ] == ["0", "3"]


@pytest.mark.both_engines
async def test_what_is_owed_is_tried_in_turn_whatever_its_pause(store, clock):
    """A claim takes a message to send, or one to search for; a reply only if there is nothing else."""
    kinds = {"send": NoticeKind.MESSAGE, "later": NoticeKind.MESSAGE, "unsure": NoticeKind.MESSAGE}
    for subject, kind in (kinds | {"reply": NoticeKind.REPLY}).items():
        await store.write(
            notice_rows.add_notices, [NewNotice(subject, kind, "1", BOB if subject == "unsure" else ALICE)]
        )
        clock.advance(1)
    elsewhere = Principal(None, "T9", "U1")
    await store.write(notice_rows.add_notices, [NewNotice("elsewhere", NoticeKind.MESSAGE, "1", elsewhere)])

    async def tried(*, is_send):
        """Claim what is pending, put it off, and return its subjects."""
        clock.advance(1)
        found = await store.claim(notice_rows.claim_pending, ALICE.team_id, 60.0, is_send=is_send)
        for one in found:
            await store.write(notice_rows.retry_notice, one, 300.0, error="unreachable")
        return [one.subject for one in found]

    assert [await tried(is_send=True) for _ in range(2)] == [["send"], ["later"]]
    (unsure,) = [
        one for one in await store.perform(notice_rows.claim_notices, 9, 60.0) if one.subject == "unsure"
    ]
    clock.advance(1)
    await store.write(notice_rows.retry_notice, unsure, 300.0, error="no_answer", unknown_since=clock.now())
    # A message that may have been sent first gets time to show up.
    assert [await tried(is_send=False) for _ in range(2)] == [["send"], ["later"]]
    clock.advance(300)
    assert [await tried(is_send=False) for _ in range(2)] == [["unsure"], ["unsure"]]
    assert [await tried(is_send=True) for _ in range(3)] == [["send"], ["later"], ["send"]]
    for one in await store.perform(notice_rows.claim_notices, 9, 60.0):
        await store.write(notice_rows.give_up_notice, one.id, "superseded")
    clock.advance(600)
    for one in await store.perform(notice_rows.claim_notices, 9, 60.0, {1: 1.0}):
        await store.write(notice_rows.give_up_notice, one.id, "superseded")
    await store.write(notice_rows.add_notices, [NewNotice("reply", NoticeKind.REPLY, "2", ALICE)])
    assert await tried(is_send=True) == ["reply"]
    assert await store.claim(notice_rows.claim_pending, "T8", 60.0, is_send=True) == []


@pytest.mark.both_engines
async def test_what_waits_for_slack_is_due_once_that_is_back_in_the_order_of_its_age(store, clock):
    """Only messages for that Slack workspace are released, and only those that waited because of Slack."""
    far, settles = 300.0, 15.0
    elsewhere = Principal(None, "T2", "UALICE")
    named = {
        "young": {},
        "old": {},
        "urgent": {"kind": NoticeKind.READY},
        "elsewhere": {"principal": elsewhere},
    }
    errors = {"ours": "internal", "undrawn": "undrawable", "unknown": "no_answer", "looked": "no_answer"}
    for name in ("old", "urgent", "young", "elsewhere", *errors):
        kind = NoticeKind.WAITING
        await store.write(notice_rows.add_notices, [message(name, **{"kind": kind, **named.get(name, {})})])
        clock.advance(1)
    await store.write(notice_rows.add_notices, [message("planned", NoticeKind.WAITING, due_in=far)])
    claimed = {notice.subject: notice for notice in await store.perform(notice_rows.claim_notices, 20, 60.0)}
    for name, notice in claimed.items():
        since = await store.now() if name in ("unknown", "looked") else None
        # For one message it isn't known yet whether it arrived; for the other, the search has failed for a
        # long time.
        wait = settles if name == "unknown" else far
        error = errors.get(name, "unreachable")
        await store.write(notice_rows.retry_notice, notice, wait, error=error, unknown_since=since)
    await store.perform(notice_rows.release_notices, "T1", settles)
    due = [notice.subject for notice in await store.perform(notice_rows.claim_notices, 20, 60.0)]
    assert due == ["urgent", "old", "young", "looked"]
    assert claimed.keys() - due == {"elsewhere", "ours", "undrawn", "unknown"}


@pytest.mark.parametrize(
    ("card", "end"),
    [(NoticeKind.CARD, NoticeKind.READY), (NoticeKind.JOB_CARD, NoticeKind.JOB_ENDED)],
    ids=["workspace", "job"],
)
async def test_first_card_waits_for_its_end(store, clock, card, end):
    """A card that is just being sent comes first; the message about the end waits a few seconds for it."""
    await store.write(notice_rows.add_notices, [message("o", card)])
    (first,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.add_notices, [message("o", end)])
    assert await store.perform(notice_rows.claim_notices, 10, 60.0) == []
    clock.advance(CARD_FIRST_SECONDS + 1)
    (ready,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert ready.kind is end
    await store.write(notice_rows.retry_notice, first, 0.0, error="unreachable")
    await store.write(notice_rows.retry_notice, ready, 5.0, error="no_answer", unknown_since=clock.now())
    assert (
        await store.read(notice_rows.end_state, "o"),
        await store.perform(notice_rows.claim_notices, 10, 60.0),
    ) == ("pending", [])
    await store.write(notice_rows.mark_notice_sent, ready, "D1", "1.1")
    assert await store.read(notice_rows.end_state, "o") == "sent"
    assert [one.kind for one in await store.perform(notice_rows.claim_notices, 10, 60.0)] == [card]


async def test_first_card_comes_where_its_end_is_given_up(store):
    await store.write(
        notice_rows.add_notices, [message("o", NoticeKind.CARD), message("o", NoticeKind.READY)]
    )
    (ready,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.give_up_notice, ready.id, "no_text")
    assert await store.read(notice_rows.end_state, "o") == ""
    assert [one.kind for one in await store.perform(notice_rows.claim_notices, 10, 60.0)] == [NoticeKind.CARD]


async def test_a_card_beside_an_answer_waits_and_its_end_does_not_wait_for_it(store, clock):
    for name, is_answered in (("plain", False), ("ended", True), ("long", True), ("held", True)):
        card = message(name, NoticeKind.CARD)
        await store.carry_out(partial(add_card, card=card, is_announced=is_answered))
    assert [one.subject for one in await store.perform(notice_rows.claim_notices, 10, 60.0)] == ["plain"]
    # By now, something has happened that the answer didn't mention.
    await store.carry_out(lambda tx: release_card(tx, "held"))
    await store.write(notice_rows.add_notices, [message("ended", NoticeKind.READY)])
    found = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert {(one.subject, one.kind) for one in found} == {
        ("ended", NoticeKind.READY),
        ("held", NoticeKind.CARD),
    }
    for one in found:
        await store.write(notice_rows.mark_notice_sent, one, "D1", "1.1")
    clock.advance(CARD_DELAY_SECONDS - 1)
    assert {one.subject for one in await store.perform(notice_rows.claim_notices, 10, 60.0)} <= {"plain"}
    clock.advance(1)
    assert "long" in {one.subject for one in await store.perform(notice_rows.claim_notices, 10, 60.0)}


@pytest.mark.parametrize(
    ("slow", "wait"),
    [(None, CARD_DELAY_SECONDS), (900.0, 900.0 + MAX_PROMPT_SECONDS), (7200.0, DEADLINE_SECONDS)],
    ids=["unknown", "slow", "slower than the deadline"],
)
async def test_card_is_held_until_the_deadline_at_the_latest(store, clock, slow, wait):
    card = message("o", NoticeKind.CARD)
    await store.carry_out(partial(add_card, card=card, is_announced=True, slow_seconds=slow))
    clock.advance(wait - 1)
    assert await store.perform(notice_rows.claim_notices, 10, 60.0) == []
    clock.advance(1)
    assert len(await store.perform(notice_rows.claim_notices, 10, 60.0)) == 1


@pytest.mark.both_engines
@pytest.mark.parametrize("is_claimed", [False, True])
async def test_a_card_that_waited_is_closed_with_the_end(store, clock, notebook, is_claimed):
    made = (await accept_operation(store, notebook)).operation
    await store.carry_out(lambda tx: add_card(tx, message(made.id, NoticeKind.CARD), is_announced=True))
    if is_claimed:
        clock.advance(CARD_DELAY_SECONDS)
        (card,) = await store.perform(notice_rows.claim_notices, 10, 600.0)
    await store.write(notice_rows.add_notices, [message(made.id, NoticeKind.READY)])
    clock.advance(CARD_FIRST_SECONDS)
    (ready,) = await claimed(store)
    await store.write(notice_rows.mark_notice_sent, ready, "D1", "1.1")
    shown = await store.read(find_card, made.id)
    assert (shown.stage, shown.message_ts) == (("live", None) if is_claimed else ("closed", None))
    clock.advance(CARD_DELAY_SECONDS)
    assert await claimed(store) == []
    if is_claimed:
        # The process that claimed the card's notice still records where the card was posted.
        await store.write(notice_rows.mark_notice_sent, card, "D1", "1.2")
        assert (await store.read(find_card, made.id)).message_ts == "1.2"


async def test_a_notice_that_is_due_later_waits(store, clock):
    await store.write(notice_rows.add_notices, [message(due_in=30.0)])
    clock.advance(29.9)
    assert await store.perform(notice_rows.claim_notices, 10, 60.0) == []
    clock.advance(0.1)
    assert len(await store.perform(notice_rows.claim_notices, 10, 60.0)) == 1


async def test_every_notice_is_claimed_by_one(store):
    await store.write(notice_rows.add_notices, [message(str(number)) for number in range(40)])
    claims = await asyncio.gather(*(store.perform(notice_rows.claim_notices, 7, 60.0) for _ in range(8)))
    ids = [notice.id for claimed in claims for notice in claimed]
    assert len(ids) == len(set(ids)) == 40


async def test_a_lease_that_ran_out_is_an_attempt_of_unknown_outcome(store, clock):
    await store.write(notice_rows.add_notices, [message()])
    started = clock.now()
    (first,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    clock.advance(59.9)
    assert await store.perform(notice_rows.claim_notices, 10, 60.0) == []
    clock.advance(0.1)
    (second,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert (second.unknown_since, second.attempts) == (started, 2)
    # The first process stood still and only now notices that it is late; it takes nothing from the second.
    await store.write(notice_rows.retry_notice, first, 0.0, error="late")
    assert await store.perform(notice_rows.claim_notices, 10, 60.0) == []
    clock.advance(60)
    (third,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert (third.unknown_since, third.attempts) == (started, 3)


async def test_a_retry_comes_later_and_keeps_the_earliest_unknown_attempt(store, clock):
    await store.write(notice_rows.add_notices, [message()])
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.retry_notice, notice, 20.0, error="ratelimited")
    clock.advance(19.9)
    assert await store.perform(notice_rows.claim_notices, 10, 60.0) == []
    # Another notice that is due meanwhile doesn't make this one due.
    await store.write(notice_rows.add_notices, [message("beside")])
    (beside,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert beside.subject == "beside"
    clock.advance(0.1)
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert (notice.unknown_since, notice.error) == (None, "ratelimited")
    for given in (500.0, 400.0, 450.0):
        await store.write(notice_rows.retry_notice, notice, 0.0, error="timeout", unknown_since=given)
    await store.write(notice_rows.retry_notice, notice, 0.0, error="ratelimited")
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert notice.unknown_since == 400.0


async def test_the_dead_are_shown_newest_first_and_not_sent(store, clock):
    for number in range(3):
        await store.write(notice_rows.add_notices, [message(str(number))])
        clock.advance(1)
    for notice in await store.perform(notice_rows.claim_notices, 10, 60.0):
        await store.write(notice_rows.give_up_notice, notice.id, "account_inactive")
    dead = await store.read(notice_rows.list_dead_notices, 2)
    assert [(notice.subject, notice.error, notice.state) for notice in dead] == [
        ("2", "account_inactive", NoticeState.DEAD),
        ("1", "account_inactive", NoticeState.DEAD),
    ]
    await store.write(notice_rows.retry_notice, dead[0], 0.0, error="late")
    clock.advance(100)
    assert await store.perform(notice_rows.claim_notices, 10, 60.0) == []
    assert (await store.perform(counts.count_rows))["dead_notices"] == 3


@pytest.mark.both_engines
async def test_the_direct_message_of_a_person_is_remembered(store):
    assert await store.read(notice_rows.find_direct_channel, ALICE) is None
    await store.write(
        notice_rows.add_notices, [message("a"), message("b"), message("c"), message("d", principal=BOB)]
    )
    sent = {notice.subject: notice for notice in await store.perform(notice_rows.claim_notices, 10, 60.0)}
    await store.write(notice_rows.mark_notice_sent, sent["a"], "D1", "1.1")
    await store.write(notice_rows.mark_notice_sent, sent["b"], "C9", "1.2")
    assert await store.read(notice_rows.find_direct_channel, ALICE) == "D1"
    assert await store.read(notice_rows.find_direct_channel, BOB) is None
    await store.write(notice_rows.mark_notice_sent, sent["c"], "D2", "1.3")
    assert await store.read(notice_rows.find_direct_channel, ALICE) == "D2"
    await store.write(notice_rows.mark_notice_sent, replace(sent["d"], id="notice_none"), "D3", "1.4")
    # A reply is sent where the person typed, perhaps in a conversation with somebody else.
    await store.write(notice_rows.add_notices, [message("e", NoticeKind.REPLY)])
    (reply,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    await store.write(notice_rows.mark_notice_sent, reply, "D4", "1.5")
    assert await store.read(notice_rows.find_direct_channel, ALICE) == "D2"


# -- combined messages ---------------------------------------------------------------------------------------


NEWS, LATE = NoticeKind.OUTAGE, SILENCE_SECONDS + 1.0


async def told(store, notice):
    return [one.subject for one in await store.read(notice_rows.list_combined_notices, notice.id)]


async def test_news_that_waited_through_a_silence_is_told_together(store, clock):
    """Messages that may have been sent, are being sent, ask something or are for others are left out."""
    await store.write(notice_rows.add_notices, [message(name, NEWS) for name in ("unsure", "leased")])
    unsure, _ = await store.perform(notice_rows.claim_notices, 2, LATE)
    await store.write(notice_rows.retry_notice, unsure, LATE, error="no_answer", unknown_since=clock.now())
    await store.write(
        notice_rows.add_notices,
        [message("theirs", NEWS, principal=BOB), message("asked", NoticeKind.OUTCOME_QUESTION)],
    )
    await store.write(notice_rows.add_notices, [message("first", NEWS)])
    clock.advance(LATE)
    await store.write(notice_rows.add_notices, [message("later", NEWS), message("card", NoticeKind.CARD)])
    found = {one.subject: one for one in await store.perform(notice_rows.claim_notices, 20, 60.0)}
    assert found.keys() == {"unsure", "leased", "theirs", "asked", "card"}
    for name in ("unsure", "leased"):
        assert found[name].unknown_since is not None
        await store.write(notice_rows.mark_notice_sent, found[name], "D1", "1.1")
    (summary,) = await store.perform(notice_rows.claim_notices, 20, 60.0)
    assert (summary.kind, summary.principal) == (NoticeKind.SUMMARY, ALICE)
    assert await told(store, summary) == ["first", "later"]


async def test_what_is_told_together_was_sent_and_what_was_given_up_is_not_told(store, clock):
    await store.write(notice_rows.add_notices, [message(name, NEWS) for name in ("1", "2", "3")])
    clock.advance(LATE)
    (summary,) = await store.perform(notice_rows.claim_notices, 20, 60.0)
    await store.write(
        notice_rows.give_up_notice,
        (await store.read(notice_rows.list_combined_notices, summary.id))[1].id,
        "expired",
    )
    assert await told(store, summary) == ["1", "3"]
    await store.write(notice_rows.mark_notice_sent, summary, "D1", "1.0")
    assert [
        (one.state, one.body) for one in await store.read(notice_rows.list_combined_notices, summary.id)
    ] == [(NoticeState.SENT, {})] * 2
    assert (await store.perform(counts.count_rows))["pending_notices"] == 0


@pytest.mark.both_engines
async def test_what_tells_one_of_a_later_release_is_left_to_who_can_tell_it(store, clock):
    await store.write(notice_rows.add_notices, [message(name, NEWS) for name in ("1", "2")])
    clock.advance(LATE)
    (summary,) = await store.perform(notice_rows.claim_notices, 20, 60.0)
    await store.write(notice_rows.requeue_unsent_notices, [summary])
    await store.engine.write(lambda tx: tx.run("UPDATE notices SET kind = 'reported' WHERE subject = '2'"))
    clock.advance(LATE)
    assert [
        one for one in await store.perform(notice_rows.claim_notices, 20, 60.0) if one.id == summary.id
    ] == []


async def test_whoever_has_waited_longest_is_told_first_and_a_single_one_is_told_alone(store, clock):
    carol = Principal(None, "T1", "UCAROL")
    for person in (BOB, ALICE, carol):
        await store.write(notice_rows.add_notices, [message(f"{person.user_id} 1", NEWS, principal=person)])
        clock.advance(1.0)
    for person in (ALICE, BOB):
        await store.write(notice_rows.add_notices, [message(f"{person.user_id} 2", NEWS, principal=person)])
    assert [one.kind for one in await store.perform(notice_rows.claim_notices, 20, 1.0)] == [NEWS] * 5
    for one in await store.perform(notice_rows.claim_notices, 20, 1.0):
        await store.write(notice_rows.retry_notice, one, 0.0, error="unreachable")
    clock.advance(LATE)
    await store.write(
        notice_rows.requeue_unsent_notices, await store.perform(notice_rows.claim_notices, 20, 60.0)
    )
    one_by_one = [(await store.perform(notice_rows.claim_notices, 1, 60.0))[0] for _ in range(3)]
    assert [(one.kind, one.principal) for one in one_by_one] == [
        (NoticeKind.SUMMARY, BOB),
        (NoticeKind.SUMMARY, ALICE),
        (NEWS, carol),
    ]


async def test_what_tells_news_takes_in_more_until_it_is_claimed(store, clock):
    await store.write(
        notice_rows.add_notices, [message("unsure", NEWS), message("1", NEWS), message("2", NEWS)]
    )
    unsure, *_ = await store.perform(notice_rows.claim_notices, 1, 60.0)
    clock.advance(LATE)
    # The search for the other message is still running.
    (again,) = await store.perform(notice_rows.claim_notices, 20, 60.0)
    assert again.id == unsure.id
    await store.write(notice_rows.add_notices, [message("3", NEWS)])
    await store.write(notice_rows.requeue_unsent_notices, [again])
    (summary,) = await store.perform(notice_rows.claim_notices, 20, 60.0)
    assert await told(store, summary) == ["unsure", "1", "2", "3"]
    await store.write(notice_rows.add_notices, [message("4", NEWS)])
    (alone,) = await store.perform(notice_rows.claim_notices, 20, 60.0)
    assert alone.subject == "4"


async def test_what_tells_news_waits_for_the_search_for_others(store, clock):
    await store.write(notice_rows.add_notices, [message(str(number), NEWS) for number in range(3)])
    (unsure,) = await store.perform(notice_rows.claim_notices, 1, 60.0)
    await store.write(notice_rows.retry_notice, unsure, LATE, error="no_answer", unknown_since=clock.now())
    clock.advance(LATE)
    (searched,) = await store.perform(notice_rows.claim_notices, 20, 60.0)
    assert searched.id == unsure.id
    assert await store.perform(notice_rows.claim_notices, 20, 60.0) == []
    # A search that can't be made now doesn't hold up the others.
    await store.write(notice_rows.retry_notice, searched, 600.0, error="ratelimited")
    (summary,) = await store.perform(notice_rows.claim_notices, 20, 60.0)
    assert summary.kind is NoticeKind.SUMMARY


async def test_with_one_that_may_have_been_sent_come_all_of_its_person(store, clock):
    await store.write(notice_rows.add_notices, [message(str(number)) for number in range(5)])
    await store.write(
        notice_rows.add_notices, [message("theirs", principal=BOB), message("reply", NoticeKind.REPLY)]
    )
    await store.perform(notice_rows.claim_notices, 20, 60.0)
    clock.advance(60.0)
    found = await store.perform(notice_rows.claim_notices, 1, 60.0, {1: 1.0, 2: 1.0, 3: 1.0})
    assert len({one.principal for one in found}) == 1
    whose = ["0", "1", "2", "3", "4"] if found[0].principal == ALICE else ["theirs"]
    assert sorted(one.subject for one in found) == whose
    assert {one.unknown_since for one in found} == {clock.now() - 60.0}
    await store.write(notice_rows.requeue_unsent_notices, found)
    again = [
        one
        for one in await store.perform(notice_rows.claim_notices, 20, 60.0, {1: 1.0})
        if one.subject in whose
    ]
    assert [one.unknown_since for one in again] == [None] * len(whose)


# -- people's preferences for news and when to get it --------------------------------------------------------


END = 2 * 3600.0


@pytest.fixture
async def notebook(store):
    return (await linked(store, ALICE, ("notebook",), state=State.RUNNING)).workspaces[0]


async def claimed(store):
    return await store.perform(notice_rows.claim_notices, 50, 60.0)


async def test_what_is_off_is_not_written_where_a_card_tells_it(store, notebook):
    await prefer(store, ALICE, Preferences(ready=False))
    for number, notices in enumerate(([], [NewNotice("", NoticeKind.CARD, "1", ALICE)])):
        accepted = await accept_operation(store, notebook, interaction=f"i{number}", notices=notices)
        ready = NewNotice("", NoticeKind.READY, "end", ALICE)
        await store.write(
            operations.save_step,
            Update(accepted.operation.id, 0.0, outcome=Outcome.FULFILLED, notices=[ready]),
        )
    kinds = [one.kind for one in await claimed(store)]
    assert kinds == [NoticeKind.READY, NoticeKind.CARD]
