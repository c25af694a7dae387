"""What Slack last said about people."""

from collections.abc import Callable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.people import Person, Principal
from bot.domain.time_parsing import load_zone
from bot.store import tables
from bot.store.transaction import Transaction, concerns


def find_person(tx: Transaction, principal: Principal) -> Person | None:
    """Return the stored row of a person."""
    return tables.PEOPLE.one(tx, principal=principal)


def find_zone(tx: Transaction, principal: Principal) -> ZoneInfo:
    """Return the time zone set in a person's Slack profile."""
    return choose_zone(find_person(tx, principal))


def choose_zone(found: Person | None) -> ZoneInfo:
    """Return a person's time zone, or the default time zone if it isn't known."""
    return load_zone(found.time_zone if found is not None else None)


def list_members(tx: Transaction, place: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the keys of Usher's users in a Slack workspace, with names, handles and e-mail addresses.

    ``place`` is the prefix of their keys.
    """
    # Keys that begin with the place sort before the place with its final ":" replaced by ";".
    found = tx.all("members", place=place, beyond=f"{place[:-1]};")
    return [(row["principal"], (row["name"], row["handle"], row["email"] or "")) for row in found]


#: Number of people saved per write. PostgreSQL takes a third of a millisecond for each (benchmark
#: ``growth``).
SAVE_BATCH_SIZE: Final = 30


@concerns(lambda people: [one.principal.key for one in people])
def save(tx: Transaction, people: Sequence[Person]) -> None:
    """Write people. For each person, the row with the newer ``seen_at`` wins unless that is in the future."""
    now = tx.now()
    for one in people:
        tx.run("save_person", **tables.PEOPLE.columns(one), now=now)


#: Maximum delay before this process sees a change written by another process, in seconds. It sees its own
#: changes immediately.
CACHE_SECONDS = 2.0
MAX_CACHED_PEOPLE = 5_000


class PeopleCache:
    """Caches people for two seconds, by the store's clock, but never caches that a person is unknown.

    The cache is in memory only. With several processes it may be two seconds out of date, so a use case that
    changes something reads the person's row instead.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._people: dict[str, tuple[float, Person]] = {}
        #: Number of times the cache has been invalidated. The result of a read that began before the latest
        #: invalidation isn't cached.
        self.mark = 0

    def find(self, principal: Principal) -> Person | None:
        """Return a person from the cache if their row was read within the last two seconds."""
        found = self._people.get(principal.key)
        if found is None or self._now() - found[0] >= CACHE_SECONDS:
            return None
        return found[1]

    def keep(self, person: Person | None, mark: int) -> None:
        """Cache a person, unless the cache was invalidated after ``mark`` was taken, when the read began."""
        if person is None or mark != self.mark:
            return
        if len(self._people) >= MAX_CACHED_PEOPLE:
            self._people.clear()
        self._people[person.principal.key] = (self._now(), person)

    def forget(self) -> None:
        """Invalidate the whole cache, because a person's row has been written."""
        self.mark += 1
        self._people.clear()
