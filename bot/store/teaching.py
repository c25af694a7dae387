"""What the store keeps for class cards: one button for many people, and what its presses brought about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import (
        AuditEntry,
        ClassCard,
        ClassCounts,
        ClassPress,
        ClassProblem,
        NewNotice,
        Pressed,
        Principal,
        Workspace,
    )
    from bot.models.classes import Waiting
    from bot.store.records import NewWish


@dataclass(frozen=True, slots=True)
class NewPress:
    """Describe a press to be written down with all that follows from it, in one transaction.

    ``wish`` is None where ``workspace`` runs already. A provisional ``workspace`` is written with its wish;
    ``instead_of`` is one that is gone and is forgotten with it. ``channel_id`` and ``message_ts`` say where
    the pressed card stands: one whose sending had an unknown outcome is found by that.
    """

    card_id: str
    principal: Principal
    workspace: Workspace
    wish: NewWish | None
    interaction: str
    audit: Sequence[AuditEntry] = ()
    instead_of: str = ""
    channel_id: str | None = None
    message_ts: str | None = None


class ClassStore(Protocol):
    """Keep class cards; a part of ``Store``."""

    async def post_class(
        self,
        card: ClassCard,
        interaction: str,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> bool:
        """Write a card with its first notice; False, nothing written, for an interaction seen before."""

    async def class_card(self, card_id: str) -> ClassCard | None:
        """Return a card."""

    async def class_press(self, card_id: str, principal: Principal) -> ClassPress | None:
        """Return a person's press of a card."""

    async def press_class(self, new: NewPress) -> Pressed:
        """Write a press: consent, wish, audit and inbox row at once; no card and no notice of its own.

        An open wish that brings the workspace up is joined; one that brings it down is replaced. Of two
        presses at once only one makes a workspace. ``over``, ``full``, ``unknown``: nothing was written.
        """

    async def note_class_press(
        self, card_id: str, principal: Principal, waits_for: Waiting, interaction: str
    ) -> Pressed:
        """Write that somebody pressed who can't have a wish yet; ``noted``, or as ``press_class`` refuses."""

    async def class_counts(self, card_id: str) -> ClassCounts:
        """Count a card's presses."""

    async def class_problems(self, card_id: str, limit: int = 100) -> list[ClassProblem]:
        """Return who is not ready, who pressed first first."""

    async def close_class(
        self, card_id: str, stops_at: float, stopped_by: str, audit: Sequence[AuditEntry], interaction: str
    ) -> ClassCard | None:
        """Take no more presses, and have the class stopped at ``stops_at`` or as said before, if sooner.

        None when it was closed before.
        """

    async def keep_from_class(
        self, card_id: str, principal: Principal, audit: Sequence[AuditEntry], interaction: str
    ) -> bool:
        """Withdraw a consent; False when there is none any more."""

    async def repost_class(self, card_id: str, interaction: str) -> ClassCard | None:
        """Have a card sent once more, with a notice of its own; None when it is known where it stands."""

    async def claim_class_cards(self, limit: int, rest: float) -> list[ClassCard]:
        """Lease the cards whose counts, warnings or end are due, for ``rest`` seconds."""

    async def class_counted(self, card_id: str, counts: ClassCounts, *, rest: float, longest: float) -> None:
        """Owe the card when its counts are others than were drawn last; say when to look at it again.

        While something is under way that is after ``rest`` seconds, later when nothing has changed for long
        (``longest`` at most), else when the class ends or somebody presses.
        """

    async def presses_to_warn(self, card_id: str, limit: int) -> list[ClassPress]:
        """Return who consented and was not told yet that the class ends."""

    async def class_warned(self, card_id: str, told: Sequence[tuple[Principal, NewNotice | None]]) -> None:
        """Write what people are told of the end, and that they were."""

    async def presses_to_stop(self, card_id: str, limit: int, warned_for: float) -> list[ClassPress]:
        """Return who consented, has not taken it back, and was not reached by the end yet.

        Only those who were told at least ``warned_for`` seconds ago.
        """

    async def stop_for_class(
        self, press: ClassPress, wish: NewWish | None, audit: Sequence[AuditEntry] = ()
    ) -> bool:
        """Write the stop of a consented workspace as its owner's own wish; None says that nothing is to stop.

        False, nothing written, when the consent was withdrawn meanwhile or the workspace is not theirs any
        more. What is down already, or is stopped by its owner just now, gets no wish.
        """

    async def finish_class(
        self, card_id: str, notices: Sequence[NewNotice], audit: Sequence[AuditEntry] = ()
    ) -> bool:
        """End a card for good, with the summary; False when it had ended."""

    async def class_of_stop(self, wish_id: str) -> ClassCard | None:
        """Return the card whose end brought a stop about."""
