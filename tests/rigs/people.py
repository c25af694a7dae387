"""Slack's data about people, for tests without a Slack. By default, everybody is a colleague."""

from dataclasses import replace
from typing import Any

from bot.domain.people import Person, Principal
from bot.store.store import Store
from bot.support.errors import SlackFailed


class Colleagues:
    """Treats everybody as a member.

    ``marks`` replaces a person's properties; ``silent`` knows nothing of anybody.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.marks: dict[str, dict[str, Any]] = {}
        self.silent = False
        self.asked: list[str] = []
        #: The enterprise of each Slack workspace, by the workspace's id.
        self.enterprises: dict[str, str] = {}

    async def sync(self) -> list[Person]:
        return []

    async def add_enterprise(self, principal: Principal) -> Principal:
        if self.silent:
            raise SlackFailed("auth.teams.list", "internal_error")
        enterprise = principal.enterprise_id or self.enterprises.get(principal.team_id)
        return replace(principal, enterprise_id=enterprise)

    async def look_up(self, principal: Principal) -> Person:
        self.asked.append(principal.user_id)
        if self.silent:
            raise SlackFailed("users.info", "internal_error")
        marks = self.marks.get(principal.user_id, {})
        person = Person(principal, "", seen_at=await self._store.now(), **marks)
        await self._store.save_people([person])
        return person
