"""What holds an operation up right now, said on its card: one sentence, and that Usher goes on by itself."""

from __future__ import annotations

import math
from typing import Final

from bot.messages.texts.times import time_mark

_SILENT_SINCE: Final = "{title} hasn't answered since {since}. Nothing is lost: I'll keep trying."
_PAUSED: Final = "{title} asked me to slow down, so I'm waiting until {until}."
PERSON_UNKNOWN: Final = "I'm checking with Slack who asked for this before I carry on."
UNANSWERED: Final = (
    "It didn't stop within a minute. *Force quit* ends it right away; anything unsaved is lost."
)
NOT_CONFIGURED: Final = (
    "The connection {name} isn't set up any more. Ask your Usher admin, or remove your link with `unlink`."
)
#: The call was taken, and reads are refused: no news before that has lasted.
UNSEEN: Final = "I can't see its progress right now. I'll keep checking."
STOPPING_FIRST: Final = "It's still stopping. I'll start it again once it has stopped."
START_SENT: Final = (
    "A start had already been sent and may still take effect. I'm making sure it stays stopped."
)
_STILL_DOWN: Final = (
    "{title} accepted the start at {since} but still shows it as stopped. I'll keep checking."
)
STRANGE_STATE: Final = "{title} reports an {word}. I'll keep checking."


def silent_since(title: str, since: float) -> str:
    """Say since when a connection gives no usable answer; ``since`` in epoch seconds.

    The sentence is stored, so the time is a mark in it, which is replaced in each reader's own zone.
    """
    return _SILENT_SINCE.format(title=title, since=time_mark(since))


def paused(title: str, until: float) -> str:
    """Say that a connection asked for a pause; ``until`` in epoch seconds, stored as a mark, as above.

    It is said in whole minutes, so it is the one that has begun by then.
    """
    return _PAUSED.format(title=title, until=time_mark(math.ceil(until / 60) * 60))


def still_down(title: str, since: float) -> str:
    """Say that a start was accepted at ``since`` and does not show yet."""
    return _STILL_DOWN.format(title=title, since=time_mark(since))


def not_configured(name: str) -> str:
    """Say that the operator took a connection away."""
    return NOT_CONFIGURED.format(name=name)


def strange_state(title: str, word: str) -> str:
    """Say that a provider used an undocumented word, given as ``unknown state 'x'``."""
    return STRANGE_STATE.format(title=title, word=word)
