"""Keeps track of the people to whom Usher has already been introduced."""

from typing import Final

from bot.domain.people import Principal
from bot.services.context import Context
from bot.store import people

#: Maximum number of greeted people kept in memory. Their requests then need no database read.
_MAX_REMEMBERED_PEOPLE: Final = 20_000


class GreetedPeople:
    """Remember the people whom Usher has already greeted.

    They are kept in memory and read again after a restart. A person who has been greeted never becomes new
    again, so the memory is never outdated.
    """

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._greeted: set[str] = set()

    async def is_new(self, principal: Principal) -> bool:
        """Return whether Usher has yet to be introduced to a person."""
        if principal.key in self._greeted:
            return False
        if not await self._store.read(people.was_introduced, principal):
            return True
        self._remember(principal)
        return False

    async def mark_greeted(self, principal: Principal) -> bool:
        """Record that Usher has been introduced to a person; return whether this was the first time."""
        if principal.key in self._greeted:
            return False
        is_first = await self._store.write(people.note_introduction, principal)
        self._remember(principal)
        return is_first

    def _remember(self, principal: Principal) -> None:
        if len(self._greeted) >= _MAX_REMEMBERED_PEOPLE:
            self._greeted.clear()
        self._greeted.add(principal.key)
