"""Tests of the per-person rate limits: the burst, the steady rate, and how often a person is told."""

import asyncio

import pytest

from bot.support.limits import (
    MAX_SEARCH_BURST,
    NOTICE_INTERVAL_SECONDS,
    SEARCHES_PER_SECOND,
    RateLimiter,
    SearchLimiter,
)
from tests.rigs.clock import FakeClock


def made(**keys):
    clock = FakeClock()
    return clock, RateLimiter(clock.monotonic, **keys)


def test_a_burst_passes_and_the_next_one_learns_how_long_to_wait():
    clock, limiter = made(burst=3, per_second=0.5)
    assert [limiter.take("alice") for _ in range(3)] == [0.0] * 3
    wait = limiter.take("alice")
    assert wait == pytest.approx(2.0)
    clock.advance(wait)
    assert limiter.take("alice") == 0
    assert limiter.take("alice") > 0


def test_nobody_takes_anothers_share():
    _, limiter = made(burst=2)
    for _ in range(1000):
        limiter.take("alice")
    assert [limiter.take("bob") for _ in range(2)] == [0.0] * 2


def test_a_bucket_fills_up_to_its_brim_and_no_further():
    clock, limiter = made(burst=5)
    limiter.take("alice")
    clock.advance(86_400)
    assert sum(limiter.take("alice") == 0 for _ in range(100)) == 5


def test_refusals_cost_nothing_so_the_wait_does_not_grow():
    clock, limiter = made(burst=1)
    limiter.take("alice")
    for _ in range(1000):
        assert limiter.take("alice") == pytest.approx(1.0)
    clock.advance(1.0)
    assert limiter.take("alice") == 0


def test_it_is_told_once_in_a_while():
    clock, limiter = made(burst=1, per_second=0.001)
    assert not limiter.should_notify("alice")
    limiter.take("alice")
    assert [limiter.should_notify("alice") for _ in range(4)] == [True, False, False, False]
    clock.advance(NOTICE_INTERVAL_SECONDS)
    assert [limiter.should_notify("alice") for _ in range(2)] == [True, False]


def test_those_not_seen_for_longest_are_forgotten_first():
    _, limiter = made(burst=1, max_remembered=3)
    for name in ("alice", "bob", "carol", "alice", "dan"):
        limiter.take(name)
    assert len(limiter._buckets) == 3
    assert limiter.take("alice") > 0
    assert limiter.take("bob") == 0


async def test_of_the_searches_that_wait_only_the_newest_is_made():
    searches, made, first_is_over = SearchLimiter(FakeClock().monotonic), [], asyncio.Event()

    def search(letters, until=None):
        async def work():
            if until is not None:
                await until.wait()
            made.append(letters)

        return searches.run("alice", work)

    async with asyncio.TaskGroup() as group:
        group.create_task(search("n", first_is_over))
        for letters in ("no", "not", "note"):
            group.create_task(search(letters))
        await asyncio.sleep(0)
        await searches.run("bob", lambda: asyncio.sleep(0, made.append("bob")))
        first_is_over.set()
    assert made == ["bob", "n", "note"]
    await search("after")
    assert made[-1] == "after"


async def test_who_searches_without_end_gets_nothing_more_until_later():
    clock, made = FakeClock(), []
    searches = SearchLimiter(clock.monotonic)

    async def search():
        made.append(clock.monotonic())

    for _ in range(1_000):
        await searches.run("alice", search)
    assert len(made) == MAX_SEARCH_BURST
    clock.advance(1.0)
    for _ in range(1_000):
        await searches.run("alice", search)
    assert len(made) == MAX_SEARCH_BURST + SEARCHES_PER_SECOND


async def test_a_search_that_fails_holds_up_no_other():
    searches = SearchLimiter(FakeClock().monotonic)

    async def fails():
        raise LookupError

    with pytest.raises(LookupError):
        await searches.run("alice", fails)
    made = []
    await searches.run("alice", lambda: asyncio.sleep(0, made.append(1)))
    assert made == [1]
