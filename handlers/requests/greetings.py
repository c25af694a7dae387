"""The people to whom Usher has been introduced."""

from typing import Final

from bot.domain.people import Principal
from bot.services.context import Context
from bot.store import people

#: The most people remembered as greeted, whose requests then need no database read.
_MAX_REMEMBERED_PEOPLE: Final = 20_000


class GreetedPeople:
    """The people whom Usher has met.

    Kept in memory and read again after a restart. Nobody becomes new again, so it never gets outdated.
    """

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._greeted: set[str] = set()

    async def is_new(self, principal: Principal) -> bool:
        """Return whether a person hasn't been introduced yet."""
        if principal.key in self._greeted:
            return False
        if not await self._store.read(people.was_introduced, principal):
            return True
        self._remember(principal)
        return False

    async def mark_greeted(self, principal: Principal) -> bool:
        """Note that a person is introduced now; return whether they weren't before."""
        is_first = await self.is_new(principal) and await self._store.write(
            people.note_introduction, principal
        )
        self._remember(principal)
        return is_first

    def _remember(self, principal: Principal) -> None:
        if len(self._greeted) >= _MAX_REMEMBERED_PEOPLE:
            self._greeted.clear()
        self._greeted.add(principal.key)
