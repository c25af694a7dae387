"""The table of people: who is a guest, a bot, deactivated or a stranger, as Slack reports it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from bot.domain.models import Person, Principal
from bot.services.owners import Owners
from bot.slack.methods import USERS_INFO, USERS_LIST
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.slack.calls import PacedSlack
    from bot.store.store import Store

log = structlog.get_logger(__name__)

#: People per page of ``users.list``; the budget allows 18 pages a minute.
PAGE = 500
#: What a process owns while it reads everybody, and when another one looks whether it may, in seconds.
READING = "people"
ELSEWHERE = 5.0
#: Slackbot isn't marked as a bot.
_SLACKBOT = "USLACKBOT"


class People:
    """Ask Slack who people are, and store the answers."""

    def __init__(self, store: Store, slack: PacedSlack, owners: Owners | None = None) -> None:
        self._store = store
        self._slack = slack
        self._owners = owners or Owners()
        #: The cursor at which Slack's rate limit interrupted a sync, and the people read until then.
        self._cursor = ""
        self._read: list[Person] = []
        self._reading = asyncio.Lock()

    async def look_up(self, principal: Principal) -> Person:
        """Look up one person (``users.info``); raise SlackFailed if that isn't possible now.

        If more lookups are needed than Slack allows, as when a whole class presses at once, everybody is read
        instead: one page covers hundreds of people.
        """
        began = await self._store.now()
        try:
            return await self._one(principal)
        except SlackLimited as error:
            limited = error
        async with self._reading:
            person = await self._store.person(principal)
            if person is None or person.seen_at < began:
                await self._everybody()
                person = await self._store.person(principal)
        if person is None or person.seen_at < began:
            raise limited
        return person

    async def _one(self, principal: Principal) -> Person:
        answer = await self._slack.call(USERS_INFO, {"user": principal.user_id})
        user = answer.data.get("user")
        if not isinstance(user, dict) or user.get("id") != principal.user_id:
            raise SlackFailed(USERS_INFO, "malformed_answer")
        person = person_of(user, principal, await self._store.now())
        await self._store.save_people([person])
        return person

    async def sync(self) -> list[Person]:
        """Read everybody (``users.list``, paged) and return them.

        Raises SlackFailed; the next call continues where this one stopped, or starts over if Slack rejected
        the request. Until it is done it is this process's, if several share a database.
        """
        async with self._reading:
            if await self._owners.own(READING) is None:
                raise SlackLimited(USERS_LIST, ELSEWHERE)
            everybody = await self._everybody()
            await self._owners.disown(READING)
            return everybody

    async def _everybody(self) -> list[Person]:
        while True:
            try:
                answer = await self._slack.call(USERS_LIST, {"limit": PAGE, "cursor": self._cursor})
            except SlackPermanent:
                # Such as ``invalid_cursor``: the same request would be rejected again.
                self._cursor, self._read = "", []
                raise
            now = await self._store.now()
            users = [user for user in answer.data.get("members") or () if isinstance(user, dict)]
            page = [person_of(user, _principal_of(user), now) for user in users if _is_whole(user)]
            await self._store.save_people(page)
            self._read += page
            self._cursor = str((answer.data.get("response_metadata") or {}).get("next_cursor") or "")
            if not self._cursor:
                everybody, self._read = self._read, []
                log.info("people read", count=len(everybody))
                return everybody


def person_of(user: Mapping[str, Any], principal: Principal, seen_at: float) -> Person:
    """Read a Slack user object (``users.info``, ``users.list``, ``user_change``, ``team_join``)."""
    profile = user.get("profile") or {}
    name = (
        profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name")
    )
    return Person(
        principal=principal,
        name=str(name or principal.user_id),
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        is_bot=bool(user.get("is_bot") or user.get("is_workflow_bot") or principal.user_id == _SLACKBOT),
        is_deleted=bool(user.get("deleted")),
        is_stranger=bool(user.get("is_stranger")) or not _is_of_team(user, principal),
        time_zone=str(user["tz"]) if user.get("tz") else None,
        seen_at=seen_at,
    )


def _is_of_team(user: Mapping[str, Any], principal: Principal) -> bool:
    """Return whether the user belongs to the principal's team; a user object without a team is accepted."""
    enterprise = user.get("enterprise_user") or {}
    teams = {user.get("team_id"), *(enterprise.get("teams") or ())} - {None}
    return not teams or principal.team_id in teams


def _is_whole(user: Mapping[str, Any]) -> bool:
    return bool(user.get("id") and user.get("team_id"))


def _principal_of(user: Mapping[str, Any]) -> Principal:
    enterprise = (user.get("enterprise_user") or {}).get("enterprise_id")
    return Principal(str(enterprise) if enterprise else None, str(user["team_id"]), str(user["id"]))
