"""Contacts: who has been introduced to Usher."""

from typing import Final

from bot.domain.people import Principal
from bot.services.context import Context
from bot.store import people

#: How many people are remembered as met, so that their requests ask no database.
_MET: Final = 20_000


class Contacts:
    """Remember who has been introduced to Usher.

    In memory. Restart: read again. Nobody becomes new again, so it is always right.
    """

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._met: set[str] = set()

    async def is_new(self, principal: Principal) -> bool:
        """Return whether a person hasn't been introduced yet."""
        if principal.key in self._met:
            return False
        if not await self._store.read(people.has_met, principal):
            return True
        self._note(principal)
        return False

    async def meet(self, principal: Principal) -> bool:
        """Note that a person is introduced now; return whether this is the first time."""
        is_first = await self.is_new(principal) and await self._store.write(people.meet, principal)
        self._note(principal)
        return is_first

    def _note(self, principal: Principal) -> None:
        if len(self._met) >= _MET:
            self._met.clear()
        self._met.add(principal.key)
