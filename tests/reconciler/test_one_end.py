"""Each end is reported in a single message that stays, with no card repeating it, whichever process dies."""

import inspect
from operator import attrgetter

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from bot.slack.calls import UNREACHABLE_CODE
from bot.slack.methods import CHAT_POST_MESSAGE, CONVERSATIONS_HISTORY
from bot.store import cards, counts, notices, operations, slack_rate_limits
from bot.store import runs as run_rows
from bot.store.cards import CARD_DELAY_SECONDS, PROGRESS_INTERVAL_SECONDS
from bot.store.notices import SILENCE_SECONDS, add_card
from bot.support.errors import SlackFailed, SlackPermanent, SlackUnknownOutcome, StoreBusy
from tests.reconciler.fuse import Killed, Meanwhile, Proxy
from tests.reconciler.test_modes import labels
from tests.rigs.functions import is_call_of
from tests.rigs.store import ALICE, BOB, unlink, want_read

READY = "name-r1 is ready"


class Read:
    """A record of everything that messages have ever said, including those deleted since."""

    def __init__(self, slack):
        self._slack = slack
        self.said = {}

    def look(self):
        for one in [*self._slack.messages, *self._slack.deleted]:
            texts = self.said.setdefault(one["ts"], [])
            if one["text"] not in texts:
                texts.append(one["text"])

    def saying(self, words):
        """Return the messages that contained these words at any time."""
        return [ts for ts, texts in self.said.items() if any(words in text for text in texts)]


async def passes(world, read, seconds):
    for _ in range(round(seconds)):
        await world.pass_time(1)
        read.look()


async def until_over(world, operation_id):
    """Let an operation end while nothing is sent."""
    while (await world.store.read(operations.find_operation, operation_id)).is_open:
        world.clock.advance(1.0)
        await world.reconciler.operations.step()
        await world.reconciler.reads.step()


async def dies_sending(world, *, arrives):
    """Send what is due, and die before the answer arrives."""
    world.slack.fail(CHAT_POST_MESSAGE, Killed(), after=arrives)
    with pytest.raises(Killed):
        await world.notifier.step_notices()
    world.slack._faults.clear()
    world.reborn()


@pytest.mark.parametrize("end", ["end arrived", "end lost", "end not sent"])
@pytest.mark.parametrize("card", ["card arrived", "card lost", "card known", "card not sent"])
async def test_ready_is_read_once_after_a_kill(world, card, end):
    """A process dies between a post and its answer, while sending the card, the end, or both."""
    read = Read(world.slack)
    operation_id = await world.begin(await world.own())
    if card in ("card arrived", "card lost"):
        await dies_sending(world, arrives=card == "card arrived")
    elif card == "card known":
        await world.notifier.step_notices()
    await until_over(world, operation_id)
    world.clock.advance(6.0)
    if end != "end not sent":
        await dies_sending(world, arrives=end == "end arrived")
    await passes(world, read, 150)
    assert len(read.saying(READY)) == 1
    assert (world.slack.kinds(), READY in world.slack.messages[0]["text"]) == (["ready"], True)
    assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0


@pytest.mark.parametrize("arrives", [True, False], ids=["arrived", "lost"])
async def test_ready_is_read_once_while_searches_fail(world, arrives):
    """The outcomes of card and end are unknown, and for a while Slack doesn't show the conversation."""
    read = Read(world.slack)
    operation_id = await world.begin(await world.own())
    await dies_sending(world, arrives=arrives)
    await until_over(world, operation_id)
    world.clock.advance(6.0)
    await dies_sending(world, arrives=not arrives)
    error = SlackUnknownOutcome(CONVERSATIONS_HISTORY, "no_answer")
    world.slack.fail(CONVERSATIONS_HISTORY, error, times=8)
    await passes(world, read, 300)
    assert (len(read.saying(READY)), world.slack.kinds()) == (1, ["ready"])


async def test_card_of_two_processes_comes_after_its_end(world):
    """One process has rendered the card before the end; the other sends the message about the end."""
    read = Read(world.slack)
    operation_id = await world.begin(await world.own())
    (card,) = await world.store.perform(notices.claim_notices, 10, 60.0)
    await until_over(world, operation_id)
    await passes(world, read, 10)
    assert world.slack.kinds() == ["ready"]
    payload = {"event_type": "usher_notice", "event_payload": {"key": card.key}}
    sent = await world.slack.call(
        CHAT_POST_MESSAGE, {"channel": "UALICE", "text": "Starting", "metadata": payload}
    )
    await world.store.write(notices.mark_notice_sent, card, sent.data["channel"], sent.data["ts"])
    await passes(world, read, 30)
    assert (len(read.saying(READY)), world.slack.kinds()) == (1, ["ready"])


async def test_card_is_not_drawn_as_an_end_that_came_meanwhile(world):
    """The operation ends after its card has been claimed and before it is rendered."""
    operation_id = await world.begin(await world.own())

    async def ends():
        await until_over(world, operation_id)

    world.store = Meanwhile(world.store, operations.find_operation_view, ends, before=True)
    world.reborn()
    await world.pass_time(30)
    assert world.slack.sent_kinds() == ["ready"]


async def test_card_says_the_end_once_its_message_is_given_up(world):
    operation_id = await world.begin(await world.own())
    await world.notifier.step_notices()
    await until_over(world, operation_id)
    await world.notifier.step_cards()
    assert READY not in world.slack.messages[0]["text"]
    world.slack.fail(CHAT_POST_MESSAGE, SlackPermanent(CHAT_POST_MESSAGE, "no_text"))
    await world.pass_time(30)
    (card,) = [one for one in world.slack.messages if "/card/" in str(one["metadata"])]
    assert READY in card["text"]


@pytest.mark.parametrize("card", [True, False], ids=["card arrived", "card lost"])
@pytest.mark.parametrize("end", [True, False], ids=["end arrived", "end lost"])
async def test_end_of_a_run_is_read_once_after_a_kill(runs, card, end):
    await runs.world.pass_time(1)
    run_id = await runs.runs(is_watched=False)
    await dies_sending(runs.world, arrives=card)
    await runs.world.reconciler.runs.step()
    runs.cloud.ends("run1")
    while (await runs.store.read(run_rows.find_run, run_id)).is_open:
        runs.world.clock.advance(1.0)
        await runs.world.reconciler.runs.step()
    runs.world.clock.advance(10.0)
    await dies_sending(runs.world, arrives=end)
    await runs.world.pass_time(150)
    assert runs.slack.kinds() == ["job_ended"]
    assert runs.slack.sent_kinds() == (["job_card"] if card else []) + ["job_ended"]


# -- in time -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [65, 59])
async def test_ready_comes_with_the_read_that_shows_it(world, seconds):
    """A start's card is due after a minute. That is no silence, so nothing waits for another read."""
    workspace = await world.own()
    world.provider.start_takes = seconds - 5.0
    operation_id = await world.begin(workspace)
    await world.store.engine.write(
        lambda tx: tx.run("DELETE FROM notices WHERE subject = :subject", subject=operation_id)
    )
    card = NewNotice(operation_id, NoticeKind.CARD, "1", ALICE)
    await world.store.carry_out(lambda tx: add_card(tx, card, is_announced=True))
    asked, kinds = world.clock.now(), []
    while "ready" not in kinds:
        world.clock.advance(0.5)
        await world.work()
        kinds = world.slack.sent_kinds()
    operation = await world.store.read(operations.find_operation, operation_id)
    assert world.clock.now() - operation.ended_at < 1.0
    assert kinds == (["card", "ready"] if operation.ended_at - asked > CARD_DELAY_SECONDS else ["ready"])


async def test_notice_sent_as_text_is_read_first_after_a_silence(world):
    """A message whose blocks were refused long ago is like any other: its subject is read again first."""
    await world.begin(await world.own())
    await world.pass_time(5)
    world.slack.fail(CHAT_POST_MESSAGE, SlackPermanent(CHAT_POST_MESSAGE, "invalid_blocks"))
    world.slack.fail(CHAT_POST_MESSAGE, SlackFailed(CHAT_POST_MESSAGE, UNREACHABLE_CODE), times=10**9)
    await world.pass_time(5 * SILENCE_SECONDS)
    world.provider.put("r1", State.STOPPED)
    world.slack._faults.clear()
    await world.pass_time(30)
    told = [given for method, given in world.slack.calls if method == CHAT_POST_MESSAGE][-1]
    assert ("blocks" in told, "has since been stopped" in told["text"]) == (False, True)


# -- the database fails while messages are being sent --------------------------------------------------------


class Cut(Proxy):
    """Lose the connection to the database at a certain call, this many times."""

    def __init__(self, part, target, times=1):
        super().__init__(part)
        self._target, self.left = target, times

    def __getattr__(self, name):
        value = getattr(self._part, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def lost(*arguments, **keys):
            if self.left > 0 and is_call_of(self._target, name, arguments):
                self.left -= 1
                raise StoreBusy("the connection to the database was lost; nothing was done")
            return await value(*arguments, **keys)

        return lost


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    "method",
    [
        notices.mark_notice_sent,
        slack_rate_limits.take_slack_call,
        operations.find_operation_view,
        notices.retry_notice,
    ],
    ids=attrgetter("__name__"),
)
async def test_message_in_hand_goes_on_with_the_database(world, method, times):
    """The message is sent, or recorded as sent, within seconds; nobody has to search for it."""
    world.store = Cut(world.store, method, times)
    world.reborn()
    await world.store.write(
        notices.add_notices, [NewNotice("s", NoticeKind.FAILED, "1", ALICE, {"text": "x"})]
    )
    if method == notices.retry_notice:
        world.slack.fail(CHAT_POST_MESSAGE, SlackUnknownOutcome(CHAT_POST_MESSAGE, "no_answer"), after=True)
    await world.pass_time(6 + (method == notices.retry_notice) * world.timing.settles)
    assert world.slack.count(CHAT_POST_MESSAGE) == 1
    assert len(world.slack.messages) == 1
    assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0
    assert world.slack.count(CONVERSATIONS_HISTORY) == (method == notices.retry_notice)


@pytest.mark.parametrize("times", [1, 3])
async def test_post_without_an_answer_is_looked_for(world, times):
    """The connection is lost right after the post, so even the time of the post can't be read."""
    cut = Cut(world.store, "now", times=0)

    async def lose():
        cut.left = times

    world.store, world.slack = cut, Meanwhile(world.slack, "call", lose, before=True)
    world.reborn()
    await world.store.write(
        notices.add_notices, [NewNotice("s", NoticeKind.FAILED, "1", ALICE, {"text": "x"})]
    )
    world.slack.fail(CHAT_POST_MESSAGE, SlackUnknownOutcome(CHAT_POST_MESSAGE, "no_answer"), after=True)
    await world.pass_time(world.timing.settles + 10)
    assert (cut.left, world.slack.count(CHAT_POST_MESSAGE), len(world.slack.messages)) == (0, 1, 1)
    assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0


@pytest.mark.parametrize("change", ["unlinked", "stopped elsewhere"])
async def test_found_message_shows_what_changed_before_the_search(world, change):
    """Slack has the message that a workspace is ready, but its answer is lost. Then *Open* stops working."""
    workspace = await world.own()
    operation_id = await world.begin(workspace)
    await until_over(world, operation_id)
    world.slack.fail(CHAT_POST_MESSAGE, SlackUnknownOutcome(CHAT_POST_MESSAGE, "no_answer"), after=True)
    world.clock.advance(6.0)
    await world.notifier.step_notices()
    (ready,) = world.slack.messages
    assert "Open" in labels(ready)
    if change == "unlinked":
        await unlink(world.store, ALICE, "cloud")
    else:
        world.provider.machines["r1"].state = State.STOPPED
        await want_read(world.store, workspace.id)
    await world.pass_time(world.timing.settles + 30)
    found = next(one for one in world.slack.messages if one["ts"] == ready["ts"])
    assert "name-r1" in found["text"]
    assert "no longer exists" not in found["text"]
    assert not {"Open", "Stop", "Suspend"} & set(labels(found))
    assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0


async def test_card_in_hand_goes_on_with_the_database(world):
    operation_id = await world.begin(await world.own(state=State.STOPPED))
    await world.notifier.step_notices()
    world.store = Cut(world.store, notices.queue_lost_card)
    world.reborn()
    await world.until_ended(operation_id)
    await world.pass_time(10)
    assert (world.store.left, world.slack.kinds()) == (0, ["ready"])
    assert (await world.store.read(cards.find_card, operation_id)).message_ts is None


async def test_edit_of_who_stood_still_past_its_lease_is_dropped(world):
    """While the process was frozen, another one updated the card, so the older version is no longer true."""
    store = world.store
    await world.begin(await world.own(state=State.RUNNING), OperationVerb.STOP)
    await world.notifier.step_notices()
    while not world.provider.accepted_stops:
        world.clock.advance(1.0)
        await world.reconciler.operations.step()
        await world.reconciler.reads.step()

    async def stands_still():
        world.store = store
        world.reborn()
        await world.pass_time(100)

    world.store = Meanwhile(store, operations.find_operation_view, stands_still)
    world.reborn()
    world.clock.advance(PROGRESS_INTERVAL_SECONDS)
    assert await world.notifier.step_cards() == 1
    (card,) = world.slack.messages
    assert "has stopped on" in card["text"]


async def test_reply_ends_within_its_lease_however_many_ways_it_takes(world):
    """Each way is refused so late that the next one could end after the lease has expired."""
    body = {"text": "x", "blocks": [], "channel_id": "C1", "where": "mention"}
    refused = SlackPermanent("chat.postEphemeral", "restricted_action")
    ephemeral, real = [], world.slack._chat_postEphemeral

    def slow(arguments):
        ephemeral.append(real(arguments))
        world.clock.advance(world.timing.last_start + 1.0)
        raise refused

    world.slack._chat_postEphemeral = slow
    await world.store.write(notices.add_notices, [NewNotice("click", NoticeKind.REPLY, "1", BOB, body)])
    await world.notifier.step_notices()
    assert (len(ephemeral), world.slack.count(CHAT_POST_MESSAGE)) == (1, 0)


async def test_results_of_a_message_are_written_in_order(world):
    done = []

    async def write(number, *, fails):
        if fails and not done:
            done.append("lost")
            raise StoreBusy("not now")
        done.append(number)

    results = world.notifier._results
    await results.write("m", lambda: write(1, fails=True))
    await results.write("m", lambda: write(2, fails=False))
    assert (done, world.notifier.is_restless()) == (["lost"], True)
    await results.repeat()
    assert (done, results.is_waiting) == (["lost", 1, 2], False)
