"""People that were read a moment ago: every request asks for its person, most of them more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.domain.models import Person, Principal

#: What another process writes is seen after so many seconds at the latest; what this one writes, at once.
SECONDS = 2.0
MOST = 5_000


class PeopleCache:
    """Remember people for two seconds of the store's time; who is not known is never remembered as such."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._people: dict[str, tuple[float, Person]] = {}
        #: Changes with everything that is forgotten: what was read before is not kept after.
        self.mark = 0

    def find(self, principal: Principal) -> Person | None:
        """Return a person that was read within the last two seconds."""
        found = self._people.get(principal.key)
        if found is None or self._now() - found[0] >= SECONDS:
            return None
        return found[1]

    def keep(self, person: Person | None, mark: int) -> None:
        """Remember a person whose reading began at this mark."""
        if person is None or mark != self.mark:
            return
        if len(self._people) >= MOST:
            self._people.clear()
        self._people[person.principal.key] = (self._now(), person)

    def forget(self) -> None:
        """Forget everybody: somebody was written."""
        self.mark += 1
        self._people.clear()
