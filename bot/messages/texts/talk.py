"""Replies to free text: small talk, near misses, several requests at once, and unclear requests."""

from collections.abc import Mapping
from typing import Final

from bot.domain.workspaces import State

HI: Final = "Hi! "


#: Replies to each kind of small talk. Most suggest what to type next.
TALK: Final[Mapping[str, str]] = {
    "hello": "Hi! Type `{command}list` to see your workspaces, or `{command}help` for everything else.",
    "thanks": "You're welcome!",
    "left_alone": "I haven't done anything.",
    "too_long": (
        "That's too long for a command, so I haven't done anything. "
        "Type `{command}help` to see what I can do."
    ),
    "by_app": (
        "An app wrote that in your name, so I haven't done anything: I only do what you write yourself. "
        "Type `{command}help` to see what I can do."
    ),
    "file": "I can't use files. Tell me what you need, or type `{command}help`.",
    "forwarded": (
        "I don't read forwarded messages. Tell me what you need in your own words, or type `{command}help`."
    ),
}

# -- near misses -------------------------------------------------------------------------------------------

DID_YOU_MEAN: Final = "Did you mean {commands}?"
OR: Final = " or "
AS_COMMAND: Final = "Do you mean {commands}?"
NOT_UNDERSTOOD: Final = "I didn't understand that."
LIKELY: Final = "Did you mean one of these?"
LIKELY_ONE: Final = "Do you mean this? I haven't done anything yet."
LEFT_ALONE_ALL: Final = "I haven't done anything. I don't read exceptions and conditions, only commands."
UNDERSTANDS: Final = {
    "workspace": "Name a workspace and say what to do with it, such as `{command}start NAME until 18:00`.",
    "job": "Name a job and say what to do with it, such as `{command}run NAME`.",
}
UNKNOWN_FLAG: Final = "`{verb}` has no option {flags}, so I haven't done anything."
FLAGS_ARE: Final = "Its options are {flags}."
AS_RUN: Final = "Or did you mean the job run {commands}?"

#: Shown to people who type a verb that was removed without a replacement.
FORMER_WORDS: Final[Mapping[str, str]] = {
    "undo": (
        "*Undo* is gone, so I haven't changed anything. `{command}list` shows how things are; what you did "
        "last has a button in its answer that takes it back."
    ),
}

# -- offers ------------------------------------------------------------------------------------------------

AT_ITS_TIME: Final = "Do you mean *{name}*, and {at}? I haven't done anything yet."
LONGER: Final = "Keep {name} running for {time} more"
SEVERAL_AT_STAKE: Final = "• *{name}* · {title} – {lost}"
#: Wording for states that can't simply follow "is".
BEING: Final[Mapping[State, str]] = {
    State.FAILED: "has failed",
    State.GONE: "no longer exists",
    State.UNKNOWN: "is in a state that I don't know",
}
SEVERAL_MOST: Final = "I do at most {most} at once. Ask again for the rest."
NONE_AT_ALL: Final = (
    "That doesn't apply to any of your workspaces right now. Type `{command}list` to see them."
)
ONE_BY_ONE: Final = "I do that for one workspace at a time. Which one first?"

CHANGED: Final = "*{name}* has changed since, so I left it alone: it {being}."
GONE: Final = "I left out one that's no longer yours."
NOT_DONE: Final = "*{name}*: {why}"
NOTHING_DONE: Final = "I haven't done anything."

# -- cancel ------------------------------------------------------------------------------------------------

NOTHING_TO_CANCEL: Final = "Nothing that can be cancelled is under way for *{name}*: it {being}."
