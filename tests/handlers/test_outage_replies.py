"""Messages that couldn't be stored because the database was down get one reply each, without the database."""

import pytest

from bot.domain.people import Principal
from bot.messages.texts.problems import MESSAGE_NOT_RECORDED
from bot.store import notices, slack_rate_limits
from bot.support.errors import (
    SlackFailed,
    SlackLimited,
    SlackUnknownOutcome,
    StoreBusy,
    StoreUnavailable,
    StoreUnsure,
)
from tests.handlers.slack import LittleSlack, bolt_for, event, mention, message, send

POST, EPHEMERAL = "chat.postMessage", "chat.postEphemeral"


class Outage:
    """A bot whose database accepts no writes, and the messages that Slack gets meanwhile."""

    def __init__(self, bot):
        self.bot, self.slack = bot, LittleSlack()
        self.app = bolt_for(bot.services, self.slack)
        self.fail(StoreUnavailable("the disk is full"))

    def fail(self, error):
        for method in (
            notices.add_notices,
            slack_rate_limits.take_slack_call,
            slack_rate_limits.pause_slack_method,
        ):
            self.bot.store.fails[method] = error

    async def deliver(self, payload, retry=0):
        """Deliver a payload that Slack has to send again, and return the number of replies so far."""
        assert (await send(self.app, payload, retry=retry)).status == 503
        return len(self.slack.posts)


@pytest.fixture
def outage(bot):
    return Outage(bot)


@pytest.mark.parametrize(
    "error", [StoreUnavailable("the disk is full"), StoreBusy("2 s")], ids=["full", "busy"]
)
@pytest.mark.parametrize(
    ("payload", "method", "place"),
    [
        pytest.param(message("list"), POST, {"channel": "D1"}, id="direct"),
        pytest.param(
            message("list", thread_ts="2.2"), POST, {"channel": "D1", "thread_ts": "2.2"}, id="thread"
        ),
        pytest.param(
            mention("<@UBOT> list", thread_ts="2.2"),
            EPHEMERAL,
            {"channel": "C1", "user": "UALICE", "thread_ts": "2.2"},
            id="mention",
        ),
    ],
)
async def test_first_delivery_is_answered_where_it_was_asked(outage, payload, method, place, error):
    outage.fail(error)
    assert await outage.deliver(payload) == 1
    ((called, sent),) = outage.slack.posts
    assert (called, {name: sent.get(name) for name in place}) == (method, place)
    assert MESSAGE_NOT_RECORDED in str(sent["blocks"][0]["text"]["text"])
    for number in (1, 2, 3):
        assert await outage.deliver(payload, number) == 1


async def test_delivery_marked_as_later_is_not_answered(outage):
    """Another process may have answered the first delivery, or died while answering it."""
    assert await outage.deliver(message("list"), 1) == 0


async def test_message_under_another_event_id_is_answered_once(outage):
    assert [await outage.deliver(message("list", event_id=name)) for name in ("Ev1", "Ev2")] == [1, 1]
    assert await outage.deliver(message("list", event_id="Ev3", ts="1800000001.000100")) == 2


@pytest.mark.parametrize(
    ("error", "count"),
    [
        pytest.param(SlackLimited(POST, 30.0), 1, id="limited"),
        pytest.param(SlackFailed(POST, "channel_not_found"), 1, id="refused"),
        pytest.param(SlackUnknownOutcome(POST, "no_answer"), 0, id="unknown"),
        pytest.param(ValueError("a fault"), 0, id="fault"),
    ],
)
async def test_reply_that_slack_refused_comes_at_the_next_delivery(outage, error, count):
    outage.slack.fails = [error]
    assert await outage.deliver(message("list")) == 0
    outage.bot.clock.advance(60.0)
    assert [await outage.deliver(message("list"), number) for number in (1, 2)] == [count, count]


async def test_unknown_outcome_is_not_answered(outage):
    """A commit with an unknown outcome is reported once the outcome is known."""
    outage.fail(StoreUnsure("long"))
    assert await outage.deliver(message("list")) == 0


async def test_event_that_is_no_sentence_is_not_answered(outage):
    outage.bot.store.fails["save_people"] = StoreUnavailable("the disk is full")
    assert await outage.deliver(event("team_join", user={"id": "U5", "team_id": "T1"})) == 0


async def test_later_delivery_is_carried_out(outage):
    assert await outage.deliver(message("list")) == 1
    outage.bot.store.fails.clear()
    assert (await send(outage.app, message("list"), 1)).status == 200
    assert len(await outage.bot.notices()) == 1
    assert len(outage.slack.posts) == 1


async def test_replies_to_a_crowd_are_bounded(outage):
    """At most half of Slack's rate limit is used within a minute.

    Messages beyond that get their reply when Slack delivers them again later.
    """
    people = [Principal(None, "T1", f"U{number}") for number in range(300)]
    crowd = [message("list", who, channel=f"D{who.user_id}") for who in people]
    for payload in crowd:
        outage.bot.clock.advance(0.05)
        await outage.deliver(payload)
    assert len(outage.slack.posts) == 225
    outage.bot.clock.advance(62.0)
    assert await outage.deliver(crowd[-1], 1) == 226
    assert await outage.deliver(crowd[0], 1) == 226


async def test_reply_is_counted_if_the_database_counts(outage):
    """A busy database still counts the reply, so nobody else writes to the person within that second."""
    del outage.bot.store.fails[slack_rate_limits.take_slack_call]
    assert await outage.deliver(message("list")) == 1
    later = message("help", event_id="Ev2", ts="1800000001.000100")
    assert await outage.deliver(later) == 1
    outage.bot.clock.advance(2.0)
    assert await outage.deliver(later, 1) == 2
