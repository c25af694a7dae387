"""People: who they are, as Slack last said, and who was introduced to Usher."""

from collections.abc import Callable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.people import Person, Principal
from bot.domain.time_parsing import load_zone
from bot.store import tables
from bot.store.transaction import Priority, Transaction, concerns, prioritize


def find_person(tx: Transaction, principal: Principal) -> Person | None:
    """Return the stored row of a person."""
    return tables.PEOPLE.one(tx, principal=principal)


def find_zone(tx: Transaction, principal: Principal) -> ZoneInfo:
    """Return the time zone that a person has in Slack."""
    return choose_zone(find_person(tx, principal))


def choose_zone(found: Person | None) -> ZoneInfo:
    """Return the time zone of somebody as far as they are known."""
    return load_zone(found.time_zone if found is not None else None)


def list_members(tx: Transaction, place: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the keys of all users of Usher in a place, with their names, handles and addresses."""
    # What begins with a place comes before what has the character after the colon at its end.
    found = tx.all("members", place=place, beyond=f"{place[:-1]};")
    return [(row["principal"], (row["name"], row["handle"], row["email"] or "")) for row in found]


def was_introduced(tx: Transaction, principal: Principal) -> bool:
    """Return whether a person was introduced to Usher."""
    return tables.GREETINGS.row(tx, principal=principal) is not None


@prioritize(Priority.URGENT)
@concerns(lambda principal: [principal.key])
def note_introduction(tx: Transaction, principal: Principal) -> bool:
    """Note that a person is introduced to Usher; return whether it is the first time."""
    return tables.GREETINGS.add_new(tx, principal=principal, greeted_at=tx.now())


#: People in one write: PostgreSQL takes a third of a millisecond for each (the benchmark ``growth``).
SAVE_BATCH_SIZE: Final = 30


@concerns(lambda people: [one.principal.key for one in people])
def save(tx: Transaction, people: Sequence[Person]) -> None:
    """Write people; the newer ``seen_at`` wins unless it is in the future."""
    now = tx.now()
    for one in people:
        tx.run("save_person", **tables.PEOPLE.columns(one), now=now)


#: Writes by another process are seen after this many seconds at the latest; this one's own at once.
CACHE_SECONDS = 2.0
MAX_CACHED_PEOPLE = 5_000


class PeopleCache:
    """Cache people for two seconds of the store's time; that somebody is unknown is never cached.

    In memory. Restart: read again. Several processes: up to 2 s old, so what changes something for a person
    reads their row.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._people: dict[str, tuple[float, Person]] = {}
        #: Changes on every invalidation, so that a read begun before it isn't cached after it.
        self.mark = 0

    def find(self, principal: Principal) -> Person | None:
        """Return a person read within the last two seconds."""
        found = self._people.get(principal.key)
        if found is None or self._now() - found[0] >= CACHE_SECONDS:
            return None
        return found[1]

    def keep(self, person: Person | None, mark: int) -> None:
        """Cache a person whose read began at this mark."""
        if person is None or mark != self.mark:
            return
        if len(self._people) >= MAX_CACHED_PEOPLE:
            self._people.clear()
        self._people[person.principal.key] = (self._now(), person)

    def forget(self) -> None:
        """Invalidate everybody: somebody was written."""
        self.mark += 1
        self._people.clear()
