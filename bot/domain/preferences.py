"""Preferences: the messages that a person chooses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.domain.message_kinds import AnyKind, Mark
from bot.domain.workspaces import Workspace

#: After how many hours people are asked about what they left running, unless somebody chose otherwise.
ASKS_AFTER: Final = 12
#: As many hours as nothing runs.
NEVER_HOURS: Final = 1_000_000
#: What Slack's assistant may do for a person, each with all before it.
LEVELS: Final = ("nothing", "show", "start", "stop")


@dataclass(frozen=True, slots=True)
class Preferences:
    """A person's preferences.

    ``ready``, ``stopped`` (by itself) and ``run_ended`` say what is sent as a message; the rest only shows
    on the card. ``idle_prompt_after``: the hours until they are asked whether a
    workspace that runs on is still needed, None if they didn't choose (``ASKS_AFTER``), ``NEVER_HOURS`` if
    they don't want to be. ``assistant`` is what Slack's may do for them, one of ``LEVELS``.
    """

    ready: bool = True
    stopped: bool = False
    run_ended: bool = True
    idle_prompt_after: int | None = None
    assistant: str = "show"

    def allows_assistant(self, level: str) -> bool:
        """Return whether Slack's assistant may act for them at this level."""
        return level in LEVELS[: LEVELS.index(self.assistant) + 1]


def find_asking_hours(chosen: int | None, here: float | None) -> float | None:
    """Return the hours until the question about a running workspace, None for never.

    The sooner counts of what they chose and what the operator set ``here``, each None for nothing; 0 there
    asks only who chose.
    """
    wanted = [hours or NEVER_HOURS for hours in (chosen, here) if hours is not None]
    soonest = min(wanted, default=ASKS_AFTER)
    return None if soonest >= NEVER_HOURS else soonest


@dataclass(frozen=True, slots=True)
class NoticeDelivery:
    """The facts that decide about the delivery of one notice.

    ``chosen`` is what its person set for that workspace, None for nothing. ``has_card``: a card of theirs
    shows it, too.
    """

    kind: AnyKind
    chosen: bool | None = None
    is_failure: bool = False
    has_card: bool = False


def should_send(news: NoticeDelivery, preferences: Preferences) -> bool:
    """Return whether something is sent as a message of its own; if not, only the card shows it."""
    topic = news.kind.topic
    if Mark.IN_CARD in news.kind.marks and news.has_card:
        return False
    if topic is None or news.is_failure or not (topic == "stopped" or news.has_card):
        return True
    wants: bool = getattr(preferences, topic)
    return wants if news.chosen is None else news.chosen


@dataclass(frozen=True, slots=True)
class PreferenceFacts:
    """The facts to show of a person's preferences.

    ``own`` are the workspaces with settings of their own. ``asked_after`` is after how
    many hours they are asked on each of their connections, by its title (``find_asking_hours``).
    ``has_assistant``: Slack's may call Usher.
    """

    wanted: Preferences
    now: float
    own: tuple[Workspace, ...] = ()
    asked_after: Mapping[str, float | None] = field(default_factory=dict)
    has_assistant: bool = False
