"""People: the one who acts, and what Slack says about somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.domain.row_times import Past

#: Id of Slack's own bot in every workspace. Slack doesn't mark it as a bot.
SLACKBOT_ID: Final = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Principal:
    """The person who acts, in a Slack workspace.

    Attributes:
        enterprise_id: The organisation in Slack; None without one.
        team_id: The Slack workspace.
        user_id: The person.
    """

    enterprise_id: str | None
    team_id: str
    user_id: str

    @property
    def key(self) -> str:
        """Return the key used in rows; Slack ids contain no colon."""
        return f"{self.place}{self.user_id}"

    @property
    def place(self) -> str:
        """Return the prefix of the keys of all people in the same Slack workspace."""
        return f"{self.enterprise_id or '-'}:{self.team_id}:"

    @classmethod
    def from_key(cls, key: str) -> Principal:
        """Parse a principal's key; raise ValueError if it isn't one."""
        enterprise, team, user = key.split(":")
        return cls(None if enterprise == "-" else enterprise, team, user)


@dataclass(frozen=True, slots=True)
class Person:
    """A user as Slack describes them; from ``users.list``, ``users.info`` and events."""

    principal: Principal
    name: str
    is_guest: bool = False
    is_bot: bool = False
    is_deleted: bool = False
    is_stranger: bool = False
    time_zone: str | None = None
    seen_at: Past = 0.0
    #: Slack's name for them, which they can't choose, and the e-mail address that Slack confirmed, if known.
    handle: str = ""
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A person's name for a reader.

    With ``user_id`` they are mentioned. Only people of their own Slack workspace can read that, because the
    same id may be somebody else in another. ``workspace`` is "" if the reader needn't be told.
    """

    user_id: str = ""
    name: str = ""
    workspace: str = ""
    #: The facts that they can't choose, for a reader who decides about them.
    known: Person | None = None


#: People's names for one reader, by the people's keys.
People = Mapping[str, Named]
