"""A cache of recently read people: every request asks for its person, most more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.domain.models import Person, Principal

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
