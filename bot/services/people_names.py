"""How people are named to a reader: by mention in the reader's own Slack workspace, by name elsewhere."""

from __future__ import annotations

from bot.domain.people import Named, People, Principal
from bot.services.context import Part


class PeopleNames(Part):
    """Look up what drawings need to name people."""

    async def of(self, reader: Principal, *people: Principal, in_full: bool = False) -> People:
        """Return how these people are named to a reader, by their keys.

        ``in_full`` is for what administrators decide: name and, with several Slack workspaces, the workspace
        of everybody, beside the mention where there is one.
        """
        return {one.key: await self._named(reader, one, in_full=in_full) for one in people}

    async def _named(self, reader: Principal, one: Principal, *, in_full: bool) -> Named:
        is_here = self._installation.are_together(reader, one)
        if is_here and not in_full:
            return Named(one.user_id)
        person = await self._store.person(one)
        return Named(
            one.user_id if is_here else "",
            person.name if person is not None else "",
            self._installation.at(one).team_name if self._installation.is_several else "",
        )
