"""Preferences: which messages a person wants, and what Slack's assistant may do for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.domain.notices import Mark, NoticeKind
from bot.domain.row_times import Monday
from bot.domain.workspaces import Workspace

#: Hours after which people are asked about a workspace left running, if neither they nor the operator chose.
ASKS_AFTER: Final = 12
#: Hours that mean never.
NEVER_HOURS: Final = 1_000_000
#: Levels of what Slack's assistant may do for a person. Each includes those before it.
LEVELS: Final = ("nothing", "show", "start", "stop")


@dataclass(frozen=True, slots=True)
class Preferences:
    """A person's preferences.

    ``ready``, ``stopped`` (by itself) and ``run_ended`` say whether such news is sent as a message of its
    own; otherwise only the card shows it. ``idle_prompt_after`` is the number of hours after which they are
    asked whether a running workspace is still needed: None if they didn't choose (``ASKS_AFTER``),
    ``NEVER_HOURS`` if they don't want to be asked. ``assistant`` is what Slack's assistant may do for them,
    one of ``LEVELS``. ``weekly_at`` is when they get last week's hours next, None if they don't want them.
    """

    ready: bool = True
    stopped: bool = False
    run_ended: bool = True
    idle_prompt_after: int | None = None
    assistant: str = "show"
    weekly_at: Monday | None = None

    @property
    def weekly(self) -> bool:
        """Return whether the person gets last week's hours every Monday."""
        return self.weekly_at is not None

    def allows_assistant(self, level: str) -> bool:
        """Return whether Slack's assistant may act for the person at this level."""
        return level in LEVELS[: LEVELS.index(self.assistant) + 1]


def find_asking_hours(chosen: int | None, here: float | None) -> float | None:
    """Return the hours after which a person is asked about a running workspace, None for never.

    ``chosen`` is the person's choice, ``here`` the operator's for the connection, each None if not set. The
    shorter counts. With 0 ``here``, only people who chose are asked.
    """
    wanted = [hours or NEVER_HOURS for hours in (chosen, here) if hours is not None]
    soonest = min(wanted, default=ASKS_AFTER)
    return None if soonest >= NEVER_HOURS else soonest


@dataclass(frozen=True, slots=True)
class NoticeDelivery:
    """The facts that decide whether a notice is sent as a message.

    ``chosen`` is what its person set for that workspace, None if nothing. ``has_card``: one of their cards
    shows the same.
    """

    kind: NoticeKind
    chosen: bool | None = None
    is_failure: bool = False
    has_card: bool = False


def should_send(news: NoticeDelivery, preferences: Preferences) -> bool:
    """Return whether a notice is sent as a message of its own; if not, only the card shows it."""
    topic = news.kind.topic
    if Mark.IN_CARD in news.kind.marks and news.has_card:
        return False
    if topic is None or news.is_failure or not (topic == "stopped" or news.has_card):
        return True
    wants: bool = getattr(preferences, topic)
    return wants if news.chosen is None else news.chosen


@dataclass(frozen=True, slots=True)
class PreferenceFacts:
    """The facts for showing a person's preferences.

    ``own`` are the workspaces with their own settings. ``asked_after`` has, by each connection's title, the
    hours after which the person is asked there (``find_asking_hours``). ``has_assistant``: Slack's assistant
    may call Usher.
    """

    wanted: Preferences
    now: float
    own: tuple[Workspace, ...] = ()
    asked_after: Mapping[str, float | None] = field(default_factory=dict)
    has_assistant: bool = False
