"""Tests of whom a refusal by Slack affects, and of noticing that Slack works again."""

from contextlib import suppress

import pytest

from bot.domain.installations import Installation
from bot.slack.calls import MIN_RELEASE_INTERVAL_SECONDS, UNREACHABLE_CODE, Budget, PacedSlack
from bot.slack.errors import SHUT_OUT_SECONDS, Meaning, classify, read_table
from bot.support.errors import (
    SlackFailed,
    SlackLimited,
    SlackPermanent,
    SlackRefusedHere,
    SlackUnknownOutcome,
)
from tests.rigs.clock import FakeClock
from tests.rigs.slack import FakeSlack
from tests.rigs.store import memory_store

POST, AUTH_TEST = "chat.postMessage", "auth.test"
#: By method: arguments for one person or conversation, and arguments for another.
PLACES = {
    POST: ({"channel": "U1"}, {"channel": "U2"}),
    "chat.update": ({"channel": "D1", "ts": "1.1"}, {"channel": "D2", "ts": "1.1"}),
    "chat.postEphemeral": ({"channel": "C1", "user": "U1"}, {"channel": "C1", "user": "U2"}),
    "conversations.open": ({"users": "U1"}, {"users": "U2"}),
    "users.info": ({"user": "U1"}, {"user": "U2"}),
    "users.list": ({"team_id": "T1"}, {"team_id": "T2"}),
    "usergroups.users.list": ({"usergroup": "S1"}, {"usergroup": "S2"}),
    "views.publish": ({"user_id": "U1"}, {"user_id": "U2"}),
}
SHUT_OUT_CODES = sorted(
    {
        code
        for by_meaning in read_table().values()
        for meaning in (Meaning.TOKEN, Meaning.SHUT_OUT)
        for code in by_meaning.get(meaning, ())
    }
)


class Line:
    """A client for a fake Slack that fails on demand. By default, calls are a minute apart."""

    def __init__(self, store, clock):
        self.clock = clock
        self.slack = FakeSlack(clock)
        self.paced = PacedSlack(self.slack, Budget(store, Installation("T1")), clock)

    async def call(self, error=None, after=60.0):
        self.clock.advance(after)
        if error is not None:
            self.slack.fail(POST, error)
            if classify(error).is_shut_out:
                self.slack.fail(AUTH_TEST, SlackPermanent(AUTH_TEST, error.code))
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
        # What is wrong with a single call doesn't affect the others.
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


async def refused(line, method, arguments, code="team_access_not_granted"):
    """Have Slack refuse a call, unless it is on hold, and return the error."""
    line.slack.fail(method, SlackPermanent(method, code))
    with pytest.raises(SlackFailed) as raised:
        await line.paced.call(method, arguments)
    line.slack._faults.clear()
    return raised.value


@pytest.mark.parametrize("code", SHUT_OUT_CODES)
async def test_refusal_of_one_person_leaves_others_served(line, code):
    error = await refused(line, POST, {"channel": "U1"}, code)
    assert isinstance(error, SlackRefusedHere)
    assert (line.paced.lockout_code, line.paced.is_locked_out) == (None, False)
    await line.paced.call(POST, {"channel": "U2"})


@pytest.mark.parametrize("code", SHUT_OUT_CODES)
async def test_refusal_counts_for_the_app_if_auth_test_is_refused(line, code):
    line.slack.fail(AUTH_TEST, SlackPermanent(AUTH_TEST, code))
    error = await refused(line, POST, {"channel": "U1"}, code)
    assert isinstance(error, SlackPermanent)
    assert (line.paced.lockout_code, line.paced.is_locked_out) == (code, True)
    line.clock.advance(SHUT_OUT_SECONDS + 1)
    await line.paced.call(POST, {"channel": "U2"})
    assert line.paced.lockout_code is None


@pytest.mark.parametrize("method", PLACES)
async def test_refused_place_rests_by_itself(line, method):
    here, elsewhere = PLACES[method]
    await refused(line, method, here)
    calls = line.slack.count(method)
    line.clock.advance(SHUT_OUT_SECONDS - 1)
    assert isinstance(await refused(line, method, here), SlackRefusedHere)
    assert line.slack.count(method) == calls
    for arguments, method_there in ((elsewhere, method), ({"channel": "U3"}, POST)):
        line.slack.fail(method_there, SlackFailed(method_there, "reached"))
        with pytest.raises(SlackFailed, match="reached"):
            await line.paced.call(method_there, arguments)
    line.clock.advance(2)
    line.slack.fail(method, SlackFailed(method, "reached"))
    with pytest.raises(SlackFailed, match="reached"):
        await line.paced.call(method, here)


@pytest.mark.parametrize("form", [{"trigger_id": "1.2"}, {"view_id": "V1"}])
async def test_refused_form_lets_the_next_one_open(line, form):
    method = "views.update"
    assert isinstance(await refused(line, method, form), SlackRefusedHere)
    await line.paced.call(method, form)


async def test_several_people_refused_and_nobody_served_is_the_app(line):
    for number in range(3):
        assert line.paced.lockout_code is None
        await refused(line, POST, {"channel": f"U{number}"})
    assert line.paced.lockout_code == "team_access_not_granted"
    # Other calls are still tried. If another person's call succeeds, the refusal only concerned the first
    # one.
    await line.paced.call("users.list", {"limit": 1})
    assert line.paced.lockout_code is not None
    await line.paced.call(POST, {"channel": "U9"})
    assert line.paced.lockout_code is None


async def test_several_refused_among_others_who_are_served_are_no_lockout(line):
    for number in range(9):
        await refused(line, POST, {"channel": f"U{number}"})
        await line.paced.call(POST, {"channel": "U9"})
        line.clock.advance(3)
    assert line.paced.lockout_code is None


async def test_one_persons_calls_are_no_several_people(line):
    for method in (POST, "chat.update", "chat.postEphemeral", "conversations.open", "users.info"):
        await refused(line, method, PLACES[method][0])
    assert line.paced.lockout_code is None
