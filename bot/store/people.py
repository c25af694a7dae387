"""Data about people that Usher has received from Slack."""

from collections.abc import Callable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.people import Person, Principal
from bot.domain.time_parsing import load_zone
from bot.domain.usage import find_next_monday
from bot.store import tables
from bot.store.transaction import Transaction, as_json, concerns


def find_person(tx: Transaction, principal: Principal) -> Person | None:
    """Return the stored data about a person."""
    return tables.PEOPLE.one(tx, principal=principal)


def find_zone(tx: Transaction, principal: Principal) -> ZoneInfo:
    """Return the time zone set in a person's Slack profile."""
    return choose_zone(find_person(tx, principal))


def choose_zone(found: Person | None) -> ZoneInfo:
    """Return a person's time zone, or the default time zone if it isn't known."""
    return load_zone(found.time_zone if found is not None else None)


def list_members(tx: Transaction, place: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the keys of Usher's users in a Slack workspace, with their names, handles and e-mail addresses.

    ``place`` is the prefix of the users' keys.
    """
    # ";" is the character after ":", so all keys with this prefix sort before the prefix with ";" at its end.
    found = tx.all("members", place=place, beyond=f"{place[:-1]};")
    return [(row["principal"], (row["name"], row["handle"], row["email"] or "")) for row in found]


SAVE_BATCH_SIZE: Final = 30


@concerns(lambda people: [one.principal.key for one in people])
def save(tx: Transaction, people: Sequence[Person]) -> None:
    """Write people. If a row with a newer ``seen_at`` exists, keep it, unless that time is in the future."""
    now = tx.now()
    for one in people:
        tx.run("save_person", **tables.PEOPLE.columns(one), now=now)
    # It may be Monday morning sooner in a person's new time zone.
    for row in tx.all("mondays_of", people=as_json({one.principal.key: 1 for one in people})):
        principal = tables.parse_principal(row["principal"])
        if (monday := find_next_monday(now, find_zone(tx, principal))) < row["due_at"]:
            tables.MONDAYS.change(tx, {"principal": principal}, due_at=monday)


#: How long, in seconds, a person is cached. During this time, this process may not see changes that other
#: processes make.
CACHE_SECONDS = 2.0
MAX_CACHED_PEOPLE = 5_000


class PeopleCache:
    """Caches people for two seconds, by the store's clock.

    If a person has no row, that isn't cached. With several processes, the cache may be two seconds out of
    date, so a use case that changes something reads the person's row instead.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._people: dict[str, tuple[float, Person]] = {}
        #: Number of times the cache has been invalidated. If a read began before the latest invalidation, its
        #: result isn't cached.
        self.mark = 0

    def find(self, principal: Principal) -> Person | None:
        """Return a person from the cache, if their row was read within the last two seconds."""
        found = self._people.get(principal.key)
        if found is None or self._now() - found[0] >= CACHE_SECONDS:
            return None
        return found[1]

    def keep(self, person: Person | None, mark: int) -> None:
        """Cache a person, unless the cache was invalidated while they were being read.

        ``mark`` is the value that ``self.mark`` had when the read began.
        """
        if person is None or mark != self.mark:
            return
        if len(self._people) >= MAX_CACHED_PEOPLE:
            self._people.clear()
        self._people[person.principal.key] = (self._now(), person)

    def forget(self) -> None:
        """Invalidate the whole cache, because a person's row has been written."""
        self.mark += 1
        self._people.clear()
