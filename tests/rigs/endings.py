"""The wordings in which messages say that an operation has ended."""

import re
from typing import Final, Literal

from bot.messages.blocks import kit
from bot.messages.texts import cards, notices

ToldEnd = Literal["ready", "stopped", "failed"]


def _pattern_of(*texts: str) -> re.Pattern[str]:
    """Return a pattern that matches these messages as they appear in a notification."""
    whole = [text.replace("{gone}", gone) for text in texts for gone in (cards.GONE, cards.NOT_SHOWN)]
    like = (".+".join(map(re.escape, re.split(r"\{\w+\}", text.replace("*", "")))) for text in whole)
    return re.compile("|".join(like))


#: In order of priority: a message about a failure may also mention the workspace's current state.
_ENDINGS: Final[dict[ToldEnd, re.Pattern[str]]] = {
    "failed": _pattern_of(cards.SENT, *cards.ENDED_NAMED.values()),
    "stopped": _pattern_of(
        notices.STOPPED,
        notices.STOPPED_ALREADY,
        notices.ENDED,
        notices.SUSPENDED,
        notices.REMOVED,
        notices.NOT_MADE,
        *notices.STOPPED_TOGETHER,
        *notices.PLANNED_TOGETHER,
        *cards.SINCE.values(),
    ),
    "ready": _pattern_of(notices.READY, notices.READY_ALREADY, *notices.READY_TOGETHER),
}


def find_ending(text: str) -> ToldEnd | None:
    """Return the end that the first words of a message or of a summary's line announce, if any."""
    beginning = read_beginning(text)
    return next((ending for ending, pattern in _ENDINGS.items() if pattern.search(beginning)), None)


def read_beginning(text: str) -> str:
    """Return the beginning of a message's text, as a phone's notification shows it."""
    return kit.notification([kit.section(text)])
