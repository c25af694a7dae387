"""Tests of the cache of people: for a moment, they aren't read from the database again."""

from bot.domain.people import Person, Principal
from bot.store.people import CACHE_SECONDS, MAX_CACHED_PEOPLE, PeopleCache
from tests.rigs.clock import FakeClock
from tests.rigs.store import ALICE, memory_store


def person(user: str = "UALICE", *, name: str = "Alice") -> Person:
    return Person(Principal(None, "T1", user), name)


def test_somebody_is_known_for_two_seconds():
    clock = FakeClock()
    known = PeopleCache(clock.now)
    known.keep(person(), known.mark)
    clock.advance(CACHE_SECONDS - 0.1)
    assert known.find(ALICE) == person()
    clock.advance(0.1)
    assert known.find(ALICE) is None


def test_what_was_read_before_a_change_is_not_kept_after_it():
    known = PeopleCache(FakeClock().now)
    mark = known.mark
    known.forget()
    known.keep(person(), mark)
    assert known.find(ALICE) is None


def test_nobody_is_remembered_as_missing():
    known = PeopleCache(FakeClock().now)
    known.keep(None, known.mark)
    assert known.find(ALICE) is None


def test_so_many_are_remembered_at_most():
    known = PeopleCache(FakeClock().now)
    for number in range(MAX_CACHED_PEOPLE + 1):
        known.keep(person(f"U{number}"), known.mark)
    assert known.find(Principal(None, "T1", "U0")) is None
    assert known.find(Principal(None, "T1", f"U{MAX_CACHED_PEOPLE}")) is not None


async def test_a_change_is_seen_at_once():
    async with memory_store() as store:
        await store.save_people([person()])
        assert await store.person(ALICE) == person()
        await store.save_people([Person(ALICE, "Alice", is_deleted=True, seen_at=1.0)])
        found = await store.person(ALICE)
        assert found is not None
        assert found.is_deleted
