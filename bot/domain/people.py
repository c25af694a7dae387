"""People: principals, who make requests, and users as Slack describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from bot.domain.row_times import Past

#: Slackbot's id in every Slack workspace. Slack doesn't mark it as a bot.
SLACKBOT_ID: Final = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Principal:
    """The person who makes a request. They are identified within a Slack workspace.

    Attributes:
        enterprise_id: The Slack enterprise; None if there is none.
        team_id: The Slack workspace.
        user_id: The person.
    """

    enterprise_id: str | None
    team_id: str
    user_id: str

    @property
    def key(self) -> str:
        """Return the person's key for rows, made of the enterprise, the Slack workspace and the user."""
        return f"{self.place}{self.user_id}"

    @property
    def place(self) -> str:
        """Return the prefix shared by the keys of everyone in the same Slack workspace."""
        return f"{self.enterprise_id or '-'}:{self.team_id}:"

    @classmethod
    def from_key(cls, key: str) -> Principal:
        """Parse the key of a principal. Raise ValueError if it isn't one."""
        enterprise, team, user = key.split(":")
        return cls(None if enterprise == "-" else enterprise, team, user)


@dataclass(frozen=True, slots=True)
class Person:
    """A user, as described by Slack in ``users.list``, ``users.info`` and events."""

    principal: Principal
    name: str
    is_guest: bool = False
    is_bot: bool = False
    is_deleted: bool = False
    is_stranger: bool = False
    time_zone: str | None = None
    seen_at: Past = 0.0
    #: The user's handle. Slack assigns it, and the user can't choose it. ``email`` is their e-mail address as
    #: confirmed by Slack, if known.
    handle: str = ""
    email: str | None = None


class Named(NamedTuple):
    """A person's name as one reader sees it.

    If ``user_id`` is set, the person is mentioned. Only readers in the same Slack workspace see mentions,
    because elsewhere the same id may belong to someone else. ``workspace`` is "" if the reader doesn't need
    to see it.
    """

    user_id: str = ""
    name: str = ""
    workspace: str = ""
    #: What Slack says about the person. Set only in messages that name people by more than a mention, such as
    #: those that ask an administrator to decide on a request.
    known: Person | None = None


#: Maps people's keys to their names as one reader sees them.
People = Mapping[str, Named]
