"""Tests of individual guards on the path to Slack, in cases that an earlier guard normally catches."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from bot.domain.installations import Installation
from bot.domain.notices import Mark, NewNotice, NoticeKind, NoticeState
from bot.domain.runs import OutputChunk
from bot.domain.transcript import Board
from bot.services.message_context import Gatherer
from bot.slack.calls import MAX_METHOD_PAUSE_SECONDS, Budget, PacedSlack
from bot.slack.notifier import Notifier
from bot.slack.notifier.destinations import MAX_CARD_WAIT_SECONDS, Destination, Destinations
from bot.slack.notifier.rendering import MAX_PAUSE_SECONDS, render_update
from bot.store import cards, counts
from bot.store import notices as notice_rows
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome
from tests.rigs.clock import FakeClock
from tests.rigs.context import context
from tests.rigs.slack import FakeSlack
from tests.rigs.store import ALICE, launched, memory_store

POST, HISTORY, UPDATE = "chat.postMessage", "conversations.history", "chat.update"
THREADED = [kind for kind in NoticeKind if Mark.THREADED in kind.marks]
ASKED = "event/1"


@pytest.fixture
async def line():
    """A store, a Slack and a notifier. ``at`` replaces the Slack with one whose clock differs."""
    clock = FakeClock()
    async with memory_store(clock) as store:
        made = SimpleNamespace(clock=clock, store=store)

        def at(ahead=0.0):
            made.slack = FakeSlack(clock, ahead=ahead)
            made.paced = PacedSlack(made.slack, Budget(store, Installation("T1")), clock)
            given = context(store, clock=clock)
            made.notifier = Notifier(given, made.paced, SimpleNamespace(), Board(clock.monotonic))

        made.at = at
        at()
        yield made


def message(subject, text, kind=NoticeKind.MESSAGE, **more):
    return NewNotice(subject, kind, "1", ALICE, {"text": text, "blocks": [], **more})


# -- where output goes ---------------------------------------------------------------------------------------


async def place_of(store, kind, channel_id):
    """Return the place for a message about a run whose card is in a conversation, or not posted yet."""
    run = await launched(store, shows=True)
    (card,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    if channel_id is not None:
        await store.write(notice_rows.mark_notice_sent, card, channel_id, "1.1")
    await store.write(notice_rows.add_notices, [NewNotice(run.id, kind, "1", ALICE)])
    (notice,) = [one for one in await store.perform(notice_rows.claim_notices, 10, 60.0) if one.kind is kind]
    return Destinations(store), notice


@pytest.mark.parametrize("kind", THREADED)
@pytest.mark.parametrize("channel_id", ["C1", "G1"])
async def test_output_of_a_run_whose_card_others_read_goes_to_its_person_alone(line, kind, channel_id):
    destinations, notice = await place_of(line.store, kind, channel_id)
    assert await destinations.find(notice) == Destination(ALICE.user_id)


async def test_output_goes_below_a_card_that_only_its_person_reads_once_that_is_there(line):
    destinations, notice = await place_of(line.store, NoticeKind.JOB_FILE, None)
    assert await destinations.find(notice) is None
    line.clock.advance(MAX_CARD_WAIT_SECONDS)
    assert await destinations.find(notice) == Destination(ALICE.user_id)
    (card,) = [
        one
        for one in await line.store.perform(notice_rows.claim_notices, 10, 60.0)
        if one.kind is NoticeKind.JOB_CARD
    ]
    await line.store.write(notice_rows.mark_notice_sent, card, "D1", "1.1")
    assert await destinations.find(notice) == Destination("D1", "1.1")


@pytest.mark.parametrize(("channel_id", "is_shown"), [("C1", False), ("G1", False), ("D1", True)])
async def test_output_is_drawn_only_where_its_person_alone_reads_it(line, channel_id, is_shown):
    run = await launched(line.store, shows=True)
    (card,) = await line.store.perform(notice_rows.claim_notices, 10, 60.0)
    await line.store.write(notice_rows.mark_notice_sent, card, channel_id, "1.1")
    board = Board(line.clock.monotonic)
    await board.add(run.id).transcript.take(OutputChunk("stdout", "its output\n"))
    gatherer = Gatherer(context(line.store, clock=line.clock), board)
    answer = (await render_update(gatherer, await line.store.read(cards.find_card, run.id))).answer
    assert ("its output" in str(answer.blocks)) is is_shown


# -- what may have been sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [-3600.0, -200.0, 0.0, 3600.0])
async def test_a_message_under_later_ones_is_found_whatever_slacks_clock_says(line, ahead):
    line.at(ahead)
    line.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"), after=True)
    await line.store.write(notice_rows.add_notices, [message("sent", "sent")])
    await line.notifier.step_notices()
    assert [one["text"] for one in line.slack.messages] == ["sent"]
    for number in range(6):
        # Later messages fill the first pages of the search.
        line.clock.advance(2)
        await line.slack.call(POST, {"channel": ALICE.user_id, "text": f"later {number}"})
    line.clock.advance(15)
    await line.notifier.step_notices()
    assert line.slack.count(HISTORY) == 4
    assert [one["text"] for one in line.slack.messages].count("sent") == 1
    assert (await line.store.perform(counts.count_rows))["pending_notices"] == 0


@pytest.mark.parametrize("method", [POST, "conversations.open"])
@pytest.mark.parametrize(("ahead", "behind"), [(-3600.0, 3600.0), (-0.5, 0.5), (0.0, 0.0), (3600.0, 0.0)])
async def test_any_answer_tells_how_far_slacks_clock_is_behind(line, method, ahead, behind):
    line.at(ahead)
    assert line.paced.clock_lag == 0.0
    await line.paced.call(method, {"channel": ALICE.user_id, "users": ALICE.user_id, "text": "hello"})
    assert line.paced.clock_lag == pytest.approx(behind, abs=1e-3)


async def test_the_clock_that_is_further_behind_counts(line):
    # A proxy may set the header from its own clock. The time in the message comes from Slack.
    answers = [SimpleNamespace(data={"ts": f"{line.clock.now() - 90:.6f}"}, at=line.clock.now() + 5)]

    async def call(_method, _arguments):
        return answers.pop()

    line.slack.call = call
    await line.paced.call(POST, {"channel": ALICE.user_id, "text": "hello"})
    assert line.paced.clock_lag == pytest.approx(90, abs=1e-3)


# -- what is never sent, or not now --------------------------------------------------------------------------


async def claimed(line, *notices):
    await line.store.write(notice_rows.add_notices, notices)
    return await line.store.perform(notice_rows.claim_notices, 10, 60.0)


async def test_a_reply_that_may_have_been_sent_is_given_up_while_it_would_still_be_of_use(line):
    (reply,) = await claimed(line, message(ASKED, "Done.", NoticeKind.REPLY, channel_id="D1", where="direct"))
    await line.notifier._outbox._replies.send(replace(reply, unknown_since=line.clock.now()))
    assert line.slack.messages == []
    assert (await line.store.read(notice_rows.reply_to, ASKED)).error == "outcome_unknown"


@pytest.mark.parametrize(
    ("wanted", "pause"), [(30.0, 30.0), (3600.0, MAX_METHOD_PAUSE_SECONDS)], ids=["short", "long"]
)
async def test_a_pause_that_slack_asked_one_process_for_holds_at_the_others_too(line, wanted, pause):
    """A pause that Slack requests is shared for a minute at most, as everybody's messages wait for it."""
    other = PacedSlack(line.slack, Budget(line.store, Installation("T1")), line.clock)
    line.slack.fail(POST, SlackLimited(POST, wanted))
    for paced, calls in ((line.paced, 1), (other, 1)):
        with pytest.raises(SlackLimited):
            await paced.call(POST, {"channel": ALICE.user_id, "text": "hello"})
        assert line.slack.count(POST) == calls
    line.clock.advance(pause + 1)
    await other.call(POST, {"channel": ALICE.user_id, "text": "hello"})


async def test_what_slack_does_not_take_waits_longer_each_time(line):
    (notice,) = await claimed(line, message("1", "hello"))
    waits = []
    for _ in range(4):
        await line.notifier._outbox._postpone(notice, SlackFailed(POST, "fatal_error"))
        (row,) = await line.store.engine.read(lambda tx: tx.all("SELECT due_at FROM notices"))
        waits.append(row["due_at"] - line.clock.now())
        line.clock.advance(MAX_PAUSE_SECONDS)
        (notice,) = await line.store.perform(notice_rows.claim_notices, 10, 60.0)
    assert 0.0 < waits[0] < waits[1] < waits[2] < waits[3] <= MAX_PAUSE_SECONDS


async def test_limited_notice_is_retried_within_the_longest_pause(line):
    """Even if Slack asks for an hour, the notice waits only for ``MAX_PAUSE_SECONDS``."""
    (notice,) = await claimed(line, message("1", "hello"))
    await line.notifier._outbox._postpone_limited(notice, SlackLimited(POST, 3600.0))
    (row,) = await line.store.engine.read(lambda tx: tx.all("SELECT due_at FROM notices"))
    assert row["due_at"] - line.clock.now() == MAX_PAUSE_SECONDS


async def test_nothing_is_given_up_while_slack_does_not_let_the_app_in(line):
    (notice,) = await claimed(line, message("1", "hello"))
    line.clock.advance(7 * 86_400)
    line.paced.lock_out("account_inactive")
    await line.notifier._outbox._postpone(notice, SlackPermanent(POST, "account_inactive"))
    assert (await line.store.perform(counts.count_rows))["dead_notices"] == 0
    line.at()
    await line.notifier._outbox._postpone(notice, SlackFailed(POST, "fatal_error"))
    assert (await line.store.perform(counts.count_rows))["dead_notices"] == 1


async def test_of_many_messages_that_slack_refuses_for_one_reason_a_day_tells_once(line):
    for notice in await claimed(line, message("1", "one"), message("2", "two")):
        await line.notifier._outbox._give_up(notice, SlackPermanent(POST, "msg_too_long"))
    assert (await line.store.perform(counts.count_rows))["dead_notices"] == 2
    assert len(await line.store.perform(notice_rows.claim_notices, 10, 60.0)) == 1


# -- a promise -----------------------------------------------------------------------------------------------


async def test_an_answer_waits_for_the_promise_that_another_process_is_just_sending(line):
    promise = message(ASKED, "Checking …", NoticeKind.REPLY, where="direct", channel_id=f"D{ALICE.user_id}")
    await line.store.write(notice_rows.add_notices, [promise])
    (leased,) = await line.store.perform(notice_rows.claim_notices, 1, 60.0, {0: 1.0})
    await line.store.write(
        notice_rows.add_notices, [message(f"{ASKED}/replay", "Here it is.", becomes=ASKED)]
    )
    await line.notifier.step_notices()
    assert line.slack.messages == []
    assert (await line.store.read(notice_rows.reply_to, ASKED)).state is NoticeState.LEASED
    # Meanwhile the other process has sent it.
    sent = await line.slack.call(POST, {"channel": ALICE.user_id, "text": "Checking …"})
    await line.store.write(notice_rows.mark_notice_sent, leased, sent.data["channel"], sent.data["ts"])
    line.clock.advance(1)
    await line.notifier.step_notices()
    assert [one["text"] for one in line.slack.messages] == ["Here it is."]
    assert line.slack.count(UPDATE) == 1
