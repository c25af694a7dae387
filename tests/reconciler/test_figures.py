"""What the engine reports to its metrics: reads that were sent, and failures by connection."""

import pytest

from bot.domain.work_items import Outcome
from bot.reconciler import Reconciler
from bot.support.errors import CredentialRefused, RateLimited, SentTooLate, ServerFailed, Unreachable


class Counter:
    """Be an Observer that remembers."""

    def __init__(self) -> None:
        self.polls = self.claims = 0
        self.failed: list[tuple[str, str]] = []

    def count_reads(self, connection: str, count: int = 1, /) -> None:
        assert connection == "cloud"
        assert count > 0
        self.polls += count

    def note_claim(self, connection: str, seconds: float, /) -> None:
        assert connection == "cloud"
        assert seconds >= 0.0
        self.claims += 1

    def count_failure(self, connection: str, kind: str, /) -> None:
        self.failed.append((connection, kind))


@pytest.fixture
def counter(world):
    seen = Counter()
    given = world.context, world.numbers, world.board, world.replay, world.publish_home, seen, lambda: 0.0
    world.reconciler = Reconciler(*given)
    return seen


async def test_every_read_that_left_is_counted(world, counter):
    assert await world.until_ended(await world.begin(await world.own())) is Outcome.FULFILLED
    # Each read was claimed by itself. Claims that found nothing don't count.
    assert counter.claims == counter.polls == world.provider.count("status") > 1
    assert counter.failed == []


@pytest.mark.parametrize("error", [ServerFailed("5xx"), RateLimited("429"), CredentialRefused("401")])
async def test_a_read_that_failed_was_a_read(world, counter, error):
    await world.begin(await world.own())
    world.provider.fail("status", error)
    await world.work()
    assert counter.polls == 1
    assert counter.failed[0] == ("cloud", type(error).__name__)


@pytest.mark.parametrize(("error", "failed"), [(SentTooLate(), []), (Unreachable(), ["Unreachable"])])
async def test_a_read_that_never_left_is_none(world, counter, error, failed):
    await world.begin(await world.own())
    world.provider.fail("status", error)
    await world.reconciler.operations.step()
    await world.reconciler.reads.step()
    assert counter.polls == 0
    assert [kind for _, kind in counter.failed] == failed
