"""Keeps track of who has already been introduced to Usher."""

from collections.abc import Mapping
from typing import Final

from bot.domain.people import Principal
from bot.services.context import Context
from bot.store import accounts

#: Maximum number of greeted people kept in memory. Looking up anyone else takes a transaction.
_MAX_REMEMBERED_PEOPLE: Final = 20_000


class GreetedPeople:
    """Remembers which people Usher has already greeted.

    They are kept in memory, and after a restart they are looked up again. A person who has been greeted never
    becomes new again, so this is never out of date.
    """

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._greeted: set[str] = set()

    def knows(self, principal: Principal) -> bool:
        """Return whether a person is known to have been greeted already."""
        return principal.key in self._greeted

    async def greet(self, principal: Principal) -> Mapping[str, str] | None:
        """Record that Usher is introduced to a person, and return the states of their accounts.

        Return None if that has already happened.
        """
        if self.knows(principal):
            return None
        states = None
        # After a restart, almost everybody has been greeted, and reading is cheaper than writing.
        if not await self._store.read(accounts.is_introduced, principal):
            states = await self._store.write(accounts.note_introduction, principal)
        if len(self._greeted) >= _MAX_REMEMBERED_PEOPLE:
            self._greeted.clear()
        self._greeted.add(principal.key)
        return states
