"""Preferences: which messages a user wants, and what Slack's assistant may do for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.domain.notices import Mark, NoticeKind
from bot.domain.workspaces import Workspace

#: Default number of hours after which users are asked about a workspace that was left running. Users and
#: operators can choose a different number.
ASKS_AFTER: Final = 12
#: Number of hours that stands for "never".
NEVER_HOURS: Final = 1_000_000
#: Levels of permission for Slack's assistant. Each level includes the ones before it.
LEVELS: Final = ("nothing", "show", "start", "stop")


@dataclass(frozen=True, slots=True)
class Preferences:
    """A user's preferences.

    ``ready``, ``stopped`` (without being asked to) and ``run_ended`` say whether a separate message is sent.
    Otherwise, only the card shows the change. ``idle_prompt_after`` is the number of hours after which they
    are asked whether a running workspace is still needed. It is None if they haven't chosen one
    (``ASKS_AFTER``), and ``NEVER_HOURS`` if they don't want to be asked. ``assistant`` is what Slack's
    assistant may do for them, one of ``LEVELS``.
    """

    ready: bool = True
    stopped: bool = False
    run_ended: bool = True
    idle_prompt_after: int | None = None
    assistant: str = "show"

    def allows_assistant(self, level: str) -> bool:
        """Return whether Slack's assistant may act for the user at this level."""
        return level in LEVELS[: LEVELS.index(self.assistant) + 1]


def find_asking_hours(chosen: int | None, here: float | None) -> float | None:
    """Return after how many hours a user is asked about a running workspace. None means never.

    ``chosen`` is the user's choice, and ``here`` is the operator's choice for the connection. Each is None if
    it isn't set. The smaller number applies. If ``here`` is 0, only users who made a choice are asked.
    """
    wanted = [hours or NEVER_HOURS for hours in (chosen, here) if hours is not None]
    soonest = min(wanted, default=ASKS_AFTER)
    return None if soonest >= NEVER_HOURS else soonest


def should_send(
    kind: NoticeKind,
    preferences: Preferences,
    *,
    chosen: bool | None = None,
    is_failure: bool = False,
    has_card: bool = False,
) -> bool:
    """Return whether a notice is sent as a separate message, instead of only being shown on the card.

    ``chosen`` is the user's setting for the workspace, or None. ``has_card`` says whether one of the user's
    cards already shows the same thing.
    """
    if Mark.IN_CARD in kind.marks and has_card:
        return False
    if kind.topic is None or is_failure or not (kind.topic == "stopped" or has_card):
        return True
    wants: bool = getattr(preferences, kind.topic)
    return wants if chosen is None else chosen


@dataclass(frozen=True, slots=True)
class PreferenceFacts:
    """The facts needed to show a user's preferences.

    ``own`` lists the workspaces that have their own settings. ``asked_after`` maps each connection's title to
    the number of hours after which the user is asked whether a running workspace on it is still needed
    (``find_asking_hours``). ``has_assistant`` says whether Slack's assistant may call Usher.
    """

    wanted: Preferences
    now: float
    own: tuple[Workspace, ...] = ()
    asked_after: Mapping[str, float | None] = field(default_factory=dict)
    has_assistant: bool = False
