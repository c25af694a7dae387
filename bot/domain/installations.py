"""Installations: the Slack workspaces and enterprises that use Usher, and their administrators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from bot.domain import own_mentions
from bot.domain.people import Principal
from bot.domain.row_times import Past, Stays
from bot.domain.user_groups import UserGroups


@dataclass(frozen=True, slots=True)
class Installed:
    """An installation as stored in the database. ``secret`` is ciphertext (``bot.support.vault``).

    ``enterprise_id`` is the enterprise in its users' keys, and ``organisation_id`` is the one that Slack
    named when Usher was last installed there.
    """

    id: str
    enterprise_id: str | None
    team_id: str | None
    team_name: str
    bot_user_id: str | None
    bot_id: str | None
    bot_name: str
    scopes: str
    secret: str
    expires_at: Stays | None
    installed_by: str
    installed_at: Past = 0.0
    #: When Slack began to refuse the refresh token. Usher then has to be installed again.
    lost_at: Past | None = None
    organisation_id: str | None = None

    @property
    def row_key(self) -> str:
        """Return the row key used to encrypt the secret. It can't be the same as a user's key."""
        return f"installation/{self.id}"


class Administered(ABC):
    """The base class of ``Installation`` and ``Installations``, which say who administers whom."""

    __slots__ = ()

    @abstractmethod
    def reach(self, principal: Principal) -> str | None:
        """Return the prefix of the keys of everyone this person administers, or None if that is nobody."""

    @abstractmethod
    def list_administrators(self) -> list[Principal]:
        """Return the administrators of the Slack workspace, sorted by key."""

    def is_administrator(self, principal: Principal) -> bool:
        """Return whether the operator named this person as an administrator."""
        return self.reach(principal) is not None

    def administers(self, principal: Principal, owner: Principal) -> bool:
        """Return whether a person may administer things that belong to this owner."""
        reach = self.reach(principal)
        return reach is not None and owner.key.startswith(reach)

    def filter_administrators(self, is_of: Callable[[Principal], bool]) -> list[Principal]:
        """Return the administrators for whom ``is_of`` is true, along with those who administer everyone."""
        return [one for one in self.list_administrators() if self.reach(one) == "" or is_of(one)]

    @abstractmethod
    def resolve_principal(self, principal: Principal) -> Principal:
        """Return Usher's principal for a person who is named in a payload or a sign-in."""

    @abstractmethod
    def has_team(self, enterprise_id: str | None, team_id: str | None) -> bool:
        """Return whether a team belongs to one of Usher's installations."""

    def is_current(self, principal: Principal) -> bool:
        """Return whether this principal is still the one that Usher uses for the person."""
        is_here = self.has_team(principal.enterprise_id, principal.team_id)
        return is_here and self.resolve_principal(principal) == principal

    @abstractmethod
    def is_same_person(self, one: Principal, other: Principal) -> bool:
        """Return whether two principals are the same person."""

    def decides(self, principal: Principal, owner: Principal) -> bool:
        """Return whether a person may decide on an owner's requests.

        They may decide on their own requests only if nobody else can decide on them.
        """
        there = [one for one in self.list_administrators() if self.administers(one, owner)]
        is_own = self.is_same_person(principal, owner)
        is_alone = all(self.is_same_person(one, owner) for one in there)
        return self.administers(principal, owner) and (is_alone or not is_own)


@dataclass(frozen=True, slots=True)
class Installation(Administered):
    """A Slack workspace or enterprise where Usher is installed, with its bot and its administrators.

    If the installation covers a whole enterprise, the team may be None. ``administrators`` contains entries
    of the form ``T…:U…`` or ``U…``, or ``groups`` of them. Only this class decides who belongs to an
    installation.
    """

    team_id: str | None
    enterprise_id: str | None = None
    is_org_wide: bool = False
    administrators: frozenset[str] = frozenset()
    team_name: str = ""
    bot_user_id: str | None = None
    bot_id: str | None = None
    #: The name that people use to @-mention the bot.
    bot_name: str = "usher"
    groups: UserGroups = field(default_factory=UserGroups, compare=False, repr=False)
    #: Maps user ids to enterprise ids, for users whose stored keys contain an enterprise id other than
    #: ``enterprise_id``. Releases up to 0.3.0 stored such keys if a Slack workspace joined or left an
    #: enterprise.
    other_enterprises: Mapping[str, str | None] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_auth_test(cls, answer: Mapping[str, Any], administrators: frozenset[str] = frozenset()) -> Self:
        """Build an installation from what Slack's ``auth.test`` returns for the bot's token."""
        return cls(
            team_id=str(answer.get("team_id") or "") or None,
            enterprise_id=answer.get("enterprise_id") or None,
            is_org_wide=bool(answer.get("is_enterprise_install")),
            administrators=administrators,
            team_name=str(answer.get("team") or ""),
            bot_user_id=answer.get("user_id"),
            bot_id=answer.get("bot_id"),
            bot_name=str(answer.get("user") or "usher"),
        )

    @property
    def sign_in_team(self) -> str:
        """Return the team that Sign in with Slack suggests to people whose team isn't known yet, or ""."""
        return self.team_id or ""

    @property
    def enterprise(self) -> str | None:
        """Return the enterprise if the installation covers all of it, otherwise None."""
        return self.enterprise_id if self.is_org_wide else None

    @property
    def id(self) -> str:
        """Return the id of the enterprise or the team. If Slack named neither, return ""."""
        return (self.enterprise_id if self.is_org_wide else self.team_id) or ""

    def find_for(self, principal: Principal) -> Installation:  # noqa: ARG002 - as ``Installations`` has it
        """Return the installation that serves a person, which is always this one."""
        return self

    def resolve_principal(self, principal: Principal) -> Principal:
        """Return Usher's principal for a person who is named in a payload or a sign-in.

        If a whole enterprise has installed Usher, the principal consists of the enterprise and the user, and
        is the same in all teams. Otherwise it consists of the team and the user, with the enterprise stored
        for the installation or for that user. A principal of another installation is returned unchanged.
        """
        if not self.has_team(principal.enterprise_id, principal.team_id):
            return principal
        enterprise = self.other_enterprises.get(principal.user_id, self.enterprise_id)
        return Principal(enterprise, self.id, principal.user_id)

    def remove_own_mentions(self, text: str) -> str:
        """Remove mentions of the bot from a message written to it, such as ``stop lab, @usher``."""
        return own_mentions.remove_own_mentions(text, (self.bot_user_id, self.bot_id), self.bot_name)

    def find_for_team(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return this installation if the team belongs to it, otherwise None."""
        return self if self.has_team(enterprise_id, team_id) else None

    def has_team(self, enterprise_id: str | None, team_id: str | None) -> bool:
        """Return whether a team belongs to the installation. Missing ids never match.

        It must be the installed team or, if the installation covers a whole enterprise, any team of that
        enterprise.
        """
        return self._are_one((enterprise_id, team_id), (self.enterprise_id, self.team_id))

    def is_same_person(self, one: Principal, other: Principal) -> bool:
        """Return whether two principals are the same person.

        Team and user must match. If the installation covers a whole enterprise, enterprise and user may match
        instead, because a user has one id in all its teams (``docs/internals/slack.md``, "Sign in with
        Slack").
        """
        homes = [(each.enterprise_id, each.team_id) for each in (one, other)]
        return one.user_id == other.user_id and self._are_one(*homes)

    def are_together(self, one: Principal, other: Principal) -> bool:  # noqa: ARG002 - as ``Installations``
        """Return True. There is only one installation, so all people belong to it."""
        return True

    @property
    def is_several(self) -> bool:
        """Return False. With only one installation, names don't need the Slack workspace."""
        return False

    def reach(self, principal: Principal) -> str | None:
        """Return "" for an administrator, because every key begins with "", and None for anyone else."""
        return "" if self.resolve_principal(principal) in self.list_administrators() else None

    def list_administrators(self) -> list[Principal]:
        """Return the administrators who belong to this installation, sorted by key."""
        names = self.groups.expand(self.administrators)
        named = {self.resolve_principal(self.parse_principal(name)) for name in names}
        found = [one for one in named if self.has_team(one.enterprise_id, one.team_id)]
        return sorted(found, key=lambda one: one.key)

    def parse_principal(self, name: str) -> Principal:
        """Parse a person as written by an operator: ``U…`` (in the installed team) or ``T…:U…``."""
        team, _, user = name.rpartition(":")
        return Principal(self.enterprise_id, team or self.team_id or "", user)

    def _are_one(self, one: tuple[str | None, str | None], other: tuple[str | None, str | None]) -> bool:
        (enterprise, team), (other_enterprise, other_team) = one, other
        if team and team == other_team:
            return True
        return self.is_org_wide and bool(enterprise) and enterprise == other_enterprise


class Installations(Administered):
    """All current installations, if Usher is installed through OAuth in several Slack workspaces.

    It has the same methods as ``Installation``, applied to all installations. ``bot.slack.installed`` reads
    the installations from the database. People in ``administrators`` administer their own Slack workspace,
    and people in ``everywhere`` administer all of them. Entries in both lists must name a Slack workspace.
    """

    def __init__(
        self, administrators: frozenset[str] = frozenset(), everywhere: frozenset[str] = frozenset()
    ) -> None:
        self.groups = UserGroups()
        self._administrators = administrators
        self._everywhere = everywhere
        self._installations: Mapping[str, Installation] = {}

    @property
    def sign_in_team(self) -> str:
        """Return "", so that Slack lets people choose their Slack workspace when they sign in."""
        return ""

    def replace(self, installations: Iterable[Installation]) -> None:
        """Set the installations."""
        self._installations = {one.id: one for one in installations}

    def __iter__(self) -> Iterator[Installation]:
        return iter([self._installations[name] for name in sorted(self._installations)])

    def find_for_team(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return the installation that covers a team, either on its own or with its whole enterprise."""
        for name in (team_id, enterprise_id):
            found = self._installations.get(name or "")
            if found is not None and found.has_team(enterprise_id, team_id):
                return found
        return None

    def find_for(self, principal: Principal) -> Installation:
        """Return the installation that serves a person. If none does, return an empty one."""
        return self.find_for_team(principal.enterprise_id, principal.team_id) or Installation(None)

    def resolve_principal(self, principal: Principal) -> Principal:
        """Return Usher's principal for a person, as ``Installation`` does."""
        return self.find_for(principal).resolve_principal(principal)

    def has_team(self, enterprise_id: str | None, team_id: str | None) -> bool:
        """Return whether a team belongs to any of the installations."""
        return self.find_for_team(enterprise_id, team_id) is not None

    def is_same_person(self, one: Principal, other: Principal) -> bool:
        """Return whether two principals are the same person in the same installation."""
        return self.find_for(one).is_same_person(one, other)

    def are_together(self, one: Principal, other: Principal) -> bool:
        """Return whether two people belong to the same installation. User ids then mean the same to both."""
        return one.place == other.place

    @property
    def is_several(self) -> bool:
        """Return whether a person's name must be shown with their Slack workspace."""
        return len(self._installations) > 1

    def reach(self, principal: Principal) -> str | None:
        """Return the prefix of the keys of all people whom an administrator may manage.

        The prefix is "" for everyone, or that of the administrator's own Slack workspace. Return None if the
        person isn't an administrator.
        """
        name = f"{principal.team_id}:{principal.user_id}"
        if name in self.groups.expand(self._everywhere):
            return ""
        return principal.place if name in self.groups.expand(self._administrators) else None

    def list_administrators(self) -> list[Principal]:
        """Return the administrators of all installations, sorted by key."""
        names = self.groups.expand(self._administrators | self._everywhere)
        named = {self.parse_principal(name) for name in names}
        found = [one for one in named if self.has_team(one.enterprise_id, one.team_id)]
        return sorted(found, key=lambda one: one.key)

    def parse_principal(self, name: str) -> Principal:
        """Parse a person as written by an operator: ``T…:U…`` or ``E…:U…``."""
        place, _, user = name.rpartition(":")
        found = self._installations.get(place)
        return Principal(found.enterprise_id if found is not None else None, place, user)


#: The one installation that a bot token identifies, or all installations made through OAuth.
AnyInstallation = Installation | Installations


class Tenants(Protocol):
    """The installations that are being served, and their tokens: ``OneTenant``, or ``InstalledSlack``.

    An event about an installation is trusted only to the extent that Slack confirms it. Methods that query
    Slack raise SlackFailed if Slack doesn't answer.
    """

    async def installation(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return a team's installation, which may be a few seconds out of date. Never raise an error."""
        ...

    def token_of(self, name: str) -> str:
        """Return the bot's token for the installation with this id."""
        ...

    async def find_refused_token(self, installation: Installation) -> str | None:
        """Return the installation's stored token if Slack refuses it, otherwise None."""
        ...

    async def forget_token(self, installation: Installation, refused: str) -> None:
        """Forget a refused token, unless it has been replaced in the meantime."""
        ...

    async def has_channel(self, installation: Installation, channel: str, ts: str) -> bool:
        """Return whether Slack has a channel with this id. ``ts`` is the timestamp of a message in it."""
        ...
