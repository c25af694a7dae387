"""Reads people from Slack into the database: members, guests, bots, deactivated users and strangers."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from bot.domain.installations import Installation
from bot.domain.people import SLACKBOT_ID, Person, Principal
from bot.domain.user_groups import UserGroups
from bot.services.owners import Owners
from bot.slack.calls import PacedSlack, SlackAnswer
from bot.slack.installed import AnySlack
from bot.slack.methods import AUTH_TEAMS_LIST, USERGROUPS_USERS_LIST, USERS_INFO, USERS_LIST
from bot.store.store import Store
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackRefusedHere, StoreError

log = structlog.get_logger(__name__)

#: Number of people per page of ``users.list``. The rate limit allows 18 pages a minute.
PEOPLE_PER_PAGE = 500
#: Name of the lease that a process must hold while it reads all people from Slack.
READING_OWNER_KEY = "people"
OTHER_PROCESS_WAIT_SECONDS = 5.0
#: Number of workspaces per page of ``auth.teams.list``.
TEAMS_PER_PAGE = 100
#: Maximum age of an enterprise's list of workspaces, in seconds. If a workspace is missing from it, Usher may
#: reread the list after ``MIN_TEAMS_REREAD_SECONDS``.
MAX_TEAMS_AGE_SECONDS = 3600.0
MIN_TEAMS_REREAD_SECONDS = 60.0


@dataclass(slots=True)
class _Reading:
    """Progress in reading an installation's people, which Slack's rate limit may interrupt.

    ``teams`` are the workspaces still to be read: None before they are known, [""] for a single workspace.
    """

    teams: list[str] | None = None
    cursor: str = ""
    read: list[Person] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Return whether everybody has been read."""
        return self.teams == []


class PeopleDirectory:
    """Looks up people in Slack and stores the results.

    Only one process at a time reads all people. The progress and the list of an enterprise's workspaces are
    kept in memory.
    """

    def __init__(self, store: Store, slack: AnySlack, owners: Owners | None = None) -> None:
        self._store = store
        self._slack = slack
        self._owners = owners or Owners()
        #: How far each installation's list of people has been read, by installation id.
        self._readings: defaultdict[str, _Reading] = defaultdict(_Reading)
        self._reading = asyncio.Lock()
        #: When each enterprise's list of workspaces was last read, and the ids in it, by installation id.
        self._teams_by_installation: dict[str, tuple[float, frozenset[str]]] = {}
        self._listing = asyncio.Lock()

    async def look_up(self, principal: Principal) -> Person:
        """Look up one person (``users.info``). Raise SlackFailed if that isn't possible right now.

        If Slack limits the lookups, for example because a whole class has pressed a button, read all people
        instead: one page of the list contains hundreds.
        """
        began = await self._store.now()
        try:
            return await self._read_person(principal)
        except SlackLimited as error:
            limited = error
        async with self._reading:
            person = await self._store.person(principal)
            if person is None or person.seen_at < began:
                slack = self._slack.find_client(principal)
                name = slack.budget.installation.id
                if self._readings[name].is_done:
                    del self._readings[name]
                await self._read_everybody(slack)
                del self._readings[name]
                person = await self._store.person(principal)
        if person is None or person.seen_at < began:
            raise limited
        return person

    async def _read_person(self, principal: Principal) -> Person:
        answer = await self._slack.find_client(principal).call(USERS_INFO, {"user": principal.user_id})
        user = answer.data.get("user")
        if not isinstance(user, dict) or user.get("id") != principal.user_id:
            raise SlackFailed(USERS_INFO, "malformed_answer")
        person = to_person(user, principal, await self._store.now())
        await self._store.save_people([person])
        return person

    async def sync(self) -> list[Person]:
        """Read all people (``users.list``, paged) of each installation, and return them.

        Raises SlackFailed if Slack requires a pause or refuses every installation. The next call continues
        where this one stopped, or starts over if Slack rejected the request. Until this process has finished,
        no other process reads all people.
        """
        failed: list[SlackFailed] = []
        async with self._reading:
            if await self._owners.own(READING_OWNER_KEY) is None:
                raise SlackLimited(USERS_LIST, OTHER_PROCESS_WAIT_SECONDS)
            for slack in self._slack.list_clients():
                try:
                    await self._read_everybody(slack)
                except SlackLimited:
                    raise
                except SlackFailed as error:
                    failed.append(error)
            done = [one for one in self._readings.values() if one.is_done]
            if failed and not done:
                raise failed[0]
            self._readings.clear()
            await self._owners.disown(READING_OWNER_KEY)
        for problem in failed:
            log.warning("people not read", problem=str(problem))
        return [person for one in done for person in one.read]

    async def read_groups(self, groups: UserGroups) -> None:
        """Read the members of groups that operators named. On failure, keep the old members for a while."""
        for name in groups.names:
            team, _, group = name.rpartition(":")
            for slack in self._slack.list_clients():
                here = slack.budget.installation
                if team and team != here.id and here.enterprise is None:
                    continue
                arguments = {"team_id": team} if team.startswith("T") else {}
                try:
                    answer = await slack.call(USERGROUPS_USERS_LIST, {"usergroup": group, **arguments})
                    groups.hold(name, map(str, answer.data["users"]))
                except (SlackFailed, StoreError, KeyError, TypeError) as error:
                    log.warning("user group not read", group=name, problem=str(error))

    async def add_enterprise(self, principal: Principal) -> Principal:
        """Add the enterprise that has installed Usher, if any, to a principal. Raises SlackFailed."""
        places = [(slack, slack.budget.installation) for slack in self._slack.list_clients()]
        if principal.enterprise_id is None and not any(
            here.has_team(None, principal.team_id) for _slack, here in places
        ):
            for slack, here in places:
                if here.enterprise is not None and await self._has_team(slack, principal.team_id):
                    return replace(principal, enterprise_id=here.enterprise)
        return principal

    async def _has_team(self, slack: PacedSlack, team_id: str) -> bool:
        name = slack.budget.installation.id
        async with self._listing:
            now = await self._store.now()
            read_at, teams = self._teams_by_installation.get(name, (-MAX_TEAMS_AGE_SECONDS, frozenset()))
            if (
                not 0
                <= now - read_at
                < (MAX_TEAMS_AGE_SECONDS if team_id in teams else MIN_TEAMS_REREAD_SECONDS)
            ):
                teams = frozenset(await self._list_teams(slack))
                self._teams_by_installation[name] = now, teams
            return team_id in teams

    async def _read_everybody(self, slack: PacedSlack) -> None:
        """Read all people of an installation, continuing from where the last read was interrupted."""
        installation = slack.budget.installation
        reading = self._readings[installation.id]
        try:
            if reading.teams is None:
                reading.teams = [""] if installation.enterprise is None else await self._list_teams(slack)
            while reading.teams:
                try:
                    await self._read_page(slack, reading)
                except SlackRefusedHere as error:
                    if not reading.teams[0]:
                        raise
                    # The enterprise's other workspaces may accept the app.
                    log.warning("people not read", team=reading.teams[0], problem=error.code)
                    del reading.teams[0]
                    reading.cursor = ""
        except SlackPermanent:
            # Start over, because the same request would fail again (for example with ``invalid_cursor``).
            del self._readings[installation.id]
            raise
        log.info("people read", installation=installation.id, count=len(reading.read))

    async def _list_teams(self, slack: PacedSlack) -> list[str]:
        teams: list[str] = []
        cursor = ""
        while True:
            answer = await slack.call(AUTH_TEAMS_LIST, {"limit": TEAMS_PER_PAGE, "cursor": cursor})
            teams += [str(one["id"]) for one in answer.data.get("teams") or () if one.get("id")]
            cursor = _find_next_cursor(answer)
            if not cursor:
                return teams

    async def _read_page(self, slack: PacedSlack, reading: _Reading) -> None:
        assert reading.teams
        asked = {"limit": PEOPLE_PER_PAGE, "cursor": reading.cursor, "team_id": reading.teams[0]}
        answer = await slack.call(USERS_LIST, asked)
        now, here = await self._store.now(), slack.budget.installation
        users = [user for user in answer.data.get("members") or () if isinstance(user, dict)]
        named = [(user, resolve_member(here, user)) for user in users]
        page = [to_person(user, one, now) for user, one in named if one is not None]
        await self._store.save_people(page)
        reading.read += page
        reading.cursor = _find_next_cursor(answer)
        if not reading.cursor:
            del reading.teams[0]


def _find_next_cursor(answer: SlackAnswer) -> str:
    return str((answer.data.get("response_metadata") or {}).get("next_cursor") or "")


def to_person(user: Mapping[str, Any], principal: Principal, seen_at: float) -> Person:
    """Parse a Slack user object (``users.info``, ``users.list``, ``user_change``, ``team_join``)."""
    profile = user.get("profile") or {}
    name = (
        profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name")
    )
    return Person(
        principal=principal,
        name=str(name or principal.user_id),
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        is_bot=bool(user.get("is_bot") or user.get("is_workflow_bot") or principal.user_id == SLACKBOT_ID),
        is_deleted=bool(user.get("deleted")),
        is_stranger=bool(user.get("is_stranger")) or not _is_of_team(user, principal),
        time_zone=str(user["tz"]) if user.get("tz") else None,
        seen_at=seen_at,
        handle=str(user.get("name") or ""),
        email=str(profile["email"]) if profile.get("email") and user.get("is_email_confirmed") else None,
    )


def resolve_member(
    here: Installation, user: Mapping[str, Any], enterprise_id: str | None = None
) -> Principal | None:
    """Return the principal of a Slack user object, or None if the user isn't part of the installation.

    Outsiders appear in shared channels, and can be identified only in their own Slack workspace. Members of
    an organisation may belong to several workspaces. ``enterprise_id`` is the enterprise id in an event.
    """
    own = user.get("enterprise_user") or {}
    enterprise, id_ = own.get("enterprise_id") or enterprise_id, str(user.get("id") or "")
    for team in (user.get("team_id"), *(own.get("teams") or ())):
        named = Principal(enterprise, str(team or ""), id_)
        if id_ and here.has_team(named.enterprise_id, named.team_id):
            return here.resolve_principal(named)
    return None


def _is_of_team(user: Mapping[str, Any], principal: Principal) -> bool:
    """Return whether a user belongs to the principal's team, or True if Slack doesn't name the user's team.

    If an enterprise has installed Usher, the principal's ``team_id`` is the enterprise's id.
    """
    enterprise = user.get("enterprise_user") or {}
    teams = {user.get("team_id"), *(enterprise.get("teams") or ())} - {None}
    return not teams or principal.team_id in {*teams, enterprise.get("enterprise_id")}
