"""What a class card and the messages about it are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.domain.models.classes import ClassCounts

if TYPE_CHECKING:
    from bot.domain.models import ClassCard, Effects


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """Gather a card with its counts; ``title`` is the connection's name for people.

    ``effects`` is what stopping means for the workspaces of the card, as far as that is known of all of them.
    """

    card: ClassCard
    title: str
    now: float
    counts: ClassCounts = field(default_factory=ClassCounts)
    effects: Effects = field(default_factory=dict)
