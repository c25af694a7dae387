"""What users lose in an upgrade: features that were removed, and messages that are no longer sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from bot.domain.courses import ClassCard
from bot.domain.message_context import Facts
from bot.domain.people import Principal

#: Codes of losses (``UpgradeLoss``) that concern a class card. Others concern a workspace or a connection.
LOST_OF_COURSES: Final = frozenset({"moved", "course_changed", "course_teacher", "course_without_teacher"})


@dataclass(frozen=True, slots=True)
class UpgradeLoss:
    """One thing that a user loses in an upgrade.

    ``what`` is its code, ``subject`` the key of a row, and ``detail`` the old value. The codes are those of
    migration 0066: kinds of messages that no longer exist, and other removed features.
    """

    id: str
    principal: Principal
    what: str
    subject: str
    detail: str


class DescribedLoss(NamedTuple):
    """A loss, with the names that its message needs: of a workspace, template, job, connection or course."""

    what: str
    name: str = ""
    title: str = ""
    card: ClassCard | None = None
    detail: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeFacts(Facts):
    """The facts needed to tell a user what they lose in an upgrade."""

    losses: tuple[DescribedLoss, ...] = ()
