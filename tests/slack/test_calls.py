"""How it is noticed that Slack answers again, which releases what waits for it."""

from contextlib import suppress

import pytest

from bot.domain.installations import Installation
from bot.slack.calls import MIN_RELEASE_INTERVAL_SECONDS, UNREACHABLE_CODE, Budget, PacedSlack
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome
from tests.rigs.clock import FakeClock
from tests.rigs.slack import FakeSlack
from tests.rigs.store import memory_store

POST = "chat.postMessage"


class Line:
    """Call a Slack that fails when told to, some seconds apart."""

    def __init__(self, store, clock):
        self.clock = clock
        self.slack = FakeSlack(clock)
        self.paced = PacedSlack(self.slack, Budget(store, Installation("T1")), clock)

    async def call(self, error=None, after=60.0):
        self.clock.advance(after)
        if error is not None:
            self.slack.fail(POST, error)
        with suppress(SlackFailed):
            await self.paced.call(POST, {"channel": "U1"})
        return self.paced.claim_release()


@pytest.fixture
async def line():
    clock = FakeClock()
    async with memory_store(clock) as store:
        yield Line(store, clock)


async def test_the_first_success_of_a_process_counts_as_a_return(line):
    assert not await line.call(SlackUnknownOutcome(POST, "no_answer"))
    assert [await line.call(), await line.call()] == [True, False]


@pytest.mark.parametrize(
    ("error", "is_outage"),
    [
        (SlackUnknownOutcome(POST, "status_503"), True),
        (SlackFailed(POST, UNREACHABLE_CODE), True),
        (SlackPermanent(POST, "token_revoked"), True),
        # What is wrong with one call says nothing of the others.
        (SlackFailed(POST, "some_new_error"), False),
        (SlackPermanent(POST, "channel_not_found"), False),
        (SlackLimited(POST, 1.0), False),
    ],
    ids=lambda given: getattr(given, "code", ""),
)
async def test_a_success_after_an_outage_is_a_return_and_no_other(line, error, is_outage):
    assert await line.call()
    assert not await line.call(error)
    assert [await line.call(), await line.call()] == [is_outage, False]


async def test_a_call_that_fails_by_itself_does_not_release_what_waits_each_time(line):
    assert await line.call()
    found = []
    for _ in range(180):
        found.append(await line.call(SlackUnknownOutcome(POST, "internal_error"), after=1.0))
        found.append(await line.call(after=1.0))
    assert sum(found) == 360 // (MIN_RELEASE_INTERVAL_SECONDS + 1)
