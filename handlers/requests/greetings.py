"""Keeps track of who has already been introduced to Usher."""

from collections.abc import Mapping
from typing import Final

from bot.domain.people import Principal
from bot.services.context import Context
from bot.store import accounts

#: Maximum number of greeted people kept in memory. Looking up anyone else takes a transaction.
_MAX_REMEMBERED_PEOPLE: Final = 20_000


class GreetedPeople:
    """Remembers the people whom Usher has already greeted.

    They are kept in memory, and looked up again after a restart. Once greeted, a person never becomes new
    again, so the memory is never out of date.
    """

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._greeted: set[str] = set()

    def knows(self, principal: Principal) -> bool:
        """Return whether a person is known to have been greeted."""
        return principal.key in self._greeted

    async def greet(self, principal: Principal) -> Mapping[str, str] | None:
        """Record that a person is being introduced to Usher, and return the states of their accounts.

        Return None if they have been introduced before.
        """
        if self.knows(principal):
            return None
        states = await self._store.write(accounts.note_introduction, principal)
        if len(self._greeted) >= _MAX_REMEMBERED_PEOPLE:
            self._greeted.clear()
        self._greeted.add(principal.key)
        return states
