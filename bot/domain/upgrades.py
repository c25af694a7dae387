"""Losses by an upgrade: what a newer release no longer does or sends for a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.domain.courses import ClassCard
from bot.domain.message_context import Facts
from bot.domain.people import Principal

#: Losses about a course, whose subject is a class card. Other losses are about a workspace or a connection.
LOST_OF_COURSES: Final = frozenset({"moved", "course_changed", "course_teacher", "course_without_teacher"})


@dataclass(frozen=True, slots=True)
class UpgradeLoss:
    """One thing that a person loses: ``what`` (a code), ``subject`` (a row's key), ``detail`` (how it was).

    The codes are those of migration 0066: kinds of messages that are gone, and other things that went.
    """

    id: str
    principal: Principal
    what: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class DescribedLoss:
    """A loss with the names for its message: of a workspace, template or job, its connection, the course."""

    what: str
    name: str = ""
    title: str = ""
    card: ClassCard | None = None
    detail: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeFacts(Facts):
    """The losses of one person."""

    losses: tuple[DescribedLoss, ...] = ()
