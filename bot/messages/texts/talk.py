"""Answers to free text: small talk, guesses offered as buttons, several things at once, near misses."""

from collections.abc import Mapping
from typing import Final

from bot.domain.workspaces import State

#: The beginning of a greeting; a description of Usher follows.
HI: Final = "Hi! "


#: By what was said; a hint what to type next follows each.
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
#: For a name that belongs to somebody else's thing.
THEIRS: Final = "I only work with your own workspaces, so I haven't done anything."

# -- near misses -------------------------------------------------------------------------------------------

DID_YOU_MEAN: Final = "Did you mean {commands}?"
OR: Final = " or "
#: A command within a sentence, in the words of its button.
IN_WORDS: Final = "*{doing}*"
#: A request in other words, offered as a command that one press runs.
AS_COMMAND: Final = "Do you mean {commands}?"
NOT_UNDERSTOOD: Final = "I didn't understand that."
#: Above the things that may be meant.
LIKELY: Final = "Did you mean one of these?"
LIKELY_ONE: Final = "Do you mean this? I haven't done anything yet."
LEFT_ALONE_ALL: Final = "I haven't done anything. I don't read exceptions and conditions, only commands."
WHICH_STATUS: Final = "Which one do you mean?"
#: What Usher understands, after a text that it didn't.
UNDERSTANDS: Final = {
    "workspace": "Name a workspace and say what to do with it, such as `{command}start NAME until 18:00`.",
    "job": "Name a job and say what to do with it, such as `{command}run NAME`.",
}
UNKNOWN_FLAG: Final = "`{verb}` has no option {flags}, so I haven't done anything."
FLAGS_ARE: Final = "Its options are {flags}."
FLAGS_NONE: Final = "It has no options."
AS_RUN: Final = "Or did you mean the job run {commands}?"

#: Verbs of earlier releases that have no replacement, by word.
FORMER_WORDS: Final[Mapping[str, str]] = {
    "undo": (
        "*Undo* is gone, so I haven't changed anything. `{command}list` shows how things are; what you did "
        "last has a button in its answer that takes it back."
    ),
}
#: For a former verb.
FORMER_VERB: Final = "`{former}` is now `{command}{typed}`."

# -- offers ------------------------------------------------------------------------------------------------

#: With a time, which the button carries.
AT_ITS_TIME: Final = "Do you mean *{name}*, and {at}? I haven't done anything yet."
LONGER: Final = "Keep {name} running for {time} more"
#: In place of a name on a button for several.
COUNT: Final = "{count} workspaces"
SEVERAL_ROW: Final = "• *{name}* · {title}"
#: A row for a workspace in which a stop would interrupt something.
SEVERAL_AT_STAKE: Final = "• *{name}* · {title} – {lost}"
#: A row for a workspace that can't be started again afterwards.
SEVERAL_FINAL: Final = "• *{name}* · {title} – this will end it for good. {lost}"
#: A workspace that is left as it is; the second if "is" doesn't fit its state.
LEFT_OUT_ONE: Final = "*{name}* {being}."
BEING: Final[Mapping[State, str]] = {
    State.FAILED: "has failed",
    State.GONE: "no longer exists",
    State.UNKNOWN: "is in a state that I don't know",
}
SEVERAL_MOST: Final = "I do at most {most} at once. Ask again for the rest."
NONE_OF_THEM: Final = "There's nothing to do. {states}"
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
