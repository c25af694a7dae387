"""Losses by an upgrade: what a release doesn't do any more for somebody, or leaves untold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.domain.courses import ClassCard
from bot.domain.message_context import Facts
from bot.domain.message_kinds import AnyKind, Traits
from bot.domain.people import Principal

#: What is lost about a course: its row is the card. Else it is a workspace, or a connection.
LOST_OF_COURSES: Final = frozenset({"moved", "course_changed", "course_teacher", "course_without_teacher"})


@dataclass(frozen=True, slots=True)
class UpgradeLoss:
    """One thing that somebody loses: ``what``, a code; its ``subject``, a row's key; how it was (``detail``).

    The codes are those of migration 0066: kinds of messages that are gone, and what else went.
    """

    id: str
    principal: Principal
    what: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class DescribedLoss:
    """A loss with what its message names: a workspace, template or job; its connection; the course."""

    what: str
    name: str = ""
    title: str = ""
    card: ClassCard | None = None
    detail: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeFacts(Facts):
    """The losses of one person."""

    losses: tuple[DescribedLoss, ...] = ()


class UpgradeKind(AnyKind):
    """The kinds of messages about an upgrade."""

    #: What the newer release doesn't do for somebody any more, in one message.
    UPGRADE_LOSSES = Traits("upgrade_losses")
