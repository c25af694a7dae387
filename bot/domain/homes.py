"""Homes: a person's tab in Slack, and how they use it."""

from dataclasses import dataclass
from typing import Any, Final

from bot.domain.people import Principal
from bot.domain.times import Past

#: For how long after a person's last use of it a Home is redrawn without being asked for, in seconds.
OPEN_SECONDS: Final = 600.0
#: The least seconds between a view and the next that nobody asked for.
REDRAW_SECONDS: Final = 10.0
#: For how long an answer to a press with something to press stays above the rest, in seconds.
ANSWER_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Home:
    """Hold one person's Home.

    ``uses`` counts how often they opened it or pressed something in it, so that a view drawn for an earlier
    use isn't taken for the newest. ``wanted_at`` is since when they have been waiting for a view, None if
    they aren't. ``answer`` is an Answer's body. ``drawn`` is a digest of the last view, ``view_hash`` Slack's
    own name for it; empty if unknown.
    """

    principal: Principal
    used_at: Past
    uses: int = 1
    page: int = 1
    is_totals: bool = False
    answer: dict[str, Any] | None = None
    answered_at: Past | None = None
    wanted_at: Past | None = None
    drawn: str = ""
    view_hash: str = ""

    def is_over(self, now: float) -> bool:
        """Return whether it is no longer redrawn without being asked for."""
        return now >= self.used_at + OPEN_SECONDS

    def shown_answer(self, now: float) -> dict[str, Any] | None:
        """Return the answer to the last press while it is still shown."""
        is_recent = self.answered_at is not None and now < self.answered_at + ANSWER_SECONDS
        return self.answer if is_recent or self.is_statement else None

    @property
    def is_statement(self) -> bool:
        """Return whether the last answer only said something: that goes once anything else changes."""
        blocks = (self.answer or {}).get("blocks") or ()
        return not any(block.get("type") == "actions" or "accessory" in block for block in blocks)


@dataclass(frozen=True, slots=True)
class HomeUse:
    """Describe what a person did with their Home; None leaves what they look at unchanged.

    ``seen`` is the version that Slack shows whoever opened it, None for a press.
    """

    page: int | None = None
    is_totals: bool | None = None
    answer: dict[str, Any] | None = None
    seen: str | None = None
