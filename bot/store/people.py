"""The inbox (one effect per interaction), the table of people, and a cache of those who were read lately."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.domain.people import Person, Principal
from bot.domain.policy import is_current
from bot.store import interactions
from bot.store.tables import CONTACTS, INBOX, PEOPLE
from bot.store.transaction import Transaction


def first_sight(tx: Transaction, interaction: str) -> bool:
    """Write an inbox row; return whether it was new. An empty interaction is always new.

    Raises UsedTwice if the same request wrote it.
    """
    if not interaction:
        return True
    interactions.use(interaction)
    return INBOX.add_new(tx, key=interaction, seen_at=tx.now(), result="")


def result_of(tx: Transaction, interaction: str) -> str:
    """Return the id of what an interaction created, "" if none was kept."""
    row = INBOX.row(tx, key=interaction)
    return str(row["result"]) if row else ""


def keep_result(tx: Transaction, interaction: str, result: str) -> None:
    """Keep the id of what an interaction created, for repeated deliveries."""
    if interaction:
        INBOX.change(tx, {"key": interaction}, result=result)


def person(tx: Transaction, principal: Principal) -> Person | None:
    """Return what is known about a person."""
    return PEOPLE.one(tx, principal=principal)


def current(tx: Transaction, principal: str) -> Person | None:
    """Return what is known about a person before changing anything for them; None to ask Slack first."""
    found = PEOPLE.one(tx, principal=principal)
    return found if is_current(found, "change", tx.now()) else None


def has_met(tx: Transaction, principal: Principal) -> bool:
    """Return whether a person was introduced to Usher."""
    return CONTACTS.row(tx, principal=principal) is not None


def meet(tx: Transaction, principal: Principal) -> bool:
    """Note that a person is introduced to Usher; return whether it is the first time."""
    return CONTACTS.add_new(tx, principal=principal, met_at=tx.now())


def save(tx: Transaction, people: Sequence[Person]) -> None:
    """Write people; the newer ``seen_at`` wins unless it is in the future."""
    now = tx.now()
    for one in people:
        tx.run("save_person", **PEOPLE.columns(one), now=now)


#: Writes by another process are seen after this many seconds at the latest; this one's own at once.
SECONDS = 2.0
MOST = 5_000


class PeopleCache:
    """Cache people for two seconds of the store's time; that somebody is unknown is never cached."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._people: dict[str, tuple[float, Person]] = {}
        #: Changes on every invalidation, so that a read begun before it isn't cached after it.
        self.mark = 0

    def find(self, principal: Principal) -> Person | None:
        """Return a person read within the last two seconds."""
        found = self._people.get(principal.key)
        if found is None or self._now() - found[0] >= SECONDS:
            return None
        return found[1]

    def keep(self, person: Person | None, mark: int) -> None:
        """Cache a person whose read began at this mark."""
        if person is None or mark != self.mark:
            return
        if len(self._people) >= MOST:
            self._people.clear()
        self._people[person.principal.key] = (self._now(), person)

    def forget(self) -> None:
        """Invalidate everybody: somebody was written."""
        self.mark += 1
        self._people.clear()
