"""Signatures of requests outlive the process, for ten minutes."""

from bot.store.slack import KEPT
from bot.web.front import SAVED_EVERY, Replays


def signature(number):
    return f"{number:064x}"[::-1]


async def test_processes_that_share_a_database_know_what_the_others_have_seen(database, clock):
    store, other = await database.open(), await database.open()
    seen, there = Replays(clock.monotonic), Replays(clock.monotonic)
    assert there.is_first(signature(1))
    await there.share(other)
    clock.advance(SAVED_EVERY)
    await seen.share(store)
    assert not seen.is_first(signature(1))
    await store.close()
    # A database that is away for a moment loses nothing.
    await seen.share(store)
    assert seen.is_first(signature(2))


async def test_who_starts_next_knows_what_was_seen_and_for_how_long_yet(database, clock):
    store, seen = await database.open(serves=True), Replays(clock.monotonic)
    assert seen.is_first(signature(1))
    await seen.save(store)
    clock.advance(200.0)
    assert seen.is_first(signature(2))
    assert seen.is_first(signature(3))
    await seen.save(store)
    await seen.save(store)
    assert [age for age, _ in await store.saved_signatures()] == [200.0, 0.0]
    await store.close()
    clock.advance(KEPT - 201.0)
    store, again = await database.open(serves=True), Replays(clock.monotonic)
    await again.load(store)
    assert not any(again.is_first(signature(number)) for number in (1, 2, 3))
    assert again.is_first(signature(4))
    clock.advance(1.0)
    assert again.is_first(signature(1))
    assert not again.is_first(signature(2))
    await again.save(store)
    assert len(await store.saved_signatures()) == 2


async def test_what_could_not_be_written_is_written_with_the_next(database, store, clock):
    seen = Replays(clock.monotonic)
    assert seen.is_first(signature(1))
    unavailable = await database.open()
    await unavailable.close()
    await seen.save(unavailable)
    assert await store.saved_signatures() == []
    clock.advance(SAVED_EVERY)
    assert seen.is_first(signature(2))
    await seen.save(store)
    again = Replays(clock.monotonic)
    await again.load(store)
    assert not again.is_first(signature(1))
    assert not again.is_first(signature(2))
