"""Answers to sentences: small talk, guesses that are offered, several at once, near misses."""

from collections.abc import Mapping
from typing import Final

from bot.domain.undoable_actions import CLASS, HOURS, ROOM, TIMER

#: How a greeting begins; what Usher is comes after it.
HI: Final = "Hi! "


#: By what was said (``bot.features.sentences.phrasebook``); each is followed by what can be written next.
TALK: Final[Mapping[str, str]] = {
    "hello": "Hi! Type `{command}list` to see your workspaces, or `{command}help` for everything else.",
    "thanks": "You're welcome!",
    "nothing": "OK.",
    "yes": "I didn't ask you anything. Type `{command}help` to see what I can do.",
    "left_alone": "I haven't done anything.",
    "chat": "I'm only good with workspaces and jobs. Type `{command}help` to see what I can do.",
    "cant": "I can't do that. Type `{command}help` to see what I can do.",
    "too_long": (
        "That's too long for a command, so I haven't done anything. "
        "Type `{command}help` to see what I can do."
    ),
    "file": "I can't use files. Tell me what you need, or type `{command}help`.",
    "forwarded": (
        "I don't read forwarded messages. Tell me what you need in your own words, or type `{command}help`."
    ),
}
#: To several requests in one message.
ONE_EACH: Final = "One thing at a time, please. Press what you want:"
#: After what was forbidden, or depends on something.
LEFT_ALONE: Final = "I haven't done anything with *{name}*."
CONDITIONAL: Final = (
    "I don't understand conditions, exceptions or times like that, so I haven't done anything."
)
CONDITIONAL_NAMED: Final = (
    "I don't understand conditions, exceptions or times like that, so I haven't done anything with *{name}*."
)
#: A time was said that can't be read, or to what takes none.
NOT_THEN: Final = "I can't tell when you mean, so I haven't done anything with *{name}*."
NOT_LATER: Final = "I can't plan that for later, so I haven't done anything with *{name}*."
#: Above a button that opens a form: what is missing, and what that leads to.
WHEN: Final = "I'm not sure when, so I haven't done anything yet. Choose a time:"
WHICH_HOURS: Final = "Choose days and times for *{name}*:"
#: After a name that is said to be somebody else's.
THEIRS: Final = "I only work with your own workspaces, so I haven't done anything."
IF_YOURS: Final = "If you mean your own workspace *{name}*, type `{command}{verb} {typed}`."

# -- what was said before -----------------------------------------------------------------------------------

NOT_ASKED: Final = (
    "I didn't ask you anything. We last spoke of {names}. Type `{command}help` to see what I can do."
)
TAKES_PRESS: Final = "To do that with {names}, press the button above. I haven't done anything."
NO_LIST: Final = "I don't know which list you mean. Type `{command}list` to see your workspaces."
NOT_COUNTED: Final = "There aren't that many in the list: {names}."

# -- questions ----------------------------------------------------------------------------------------------

WHY_UNDER_WAY: Final = "{Doing} since {since}, {by}.{held}"
WHY_FAILED: Final = "I couldn't {do} it {at}. {cause}"
WHY_DONE: Final = "It was {done} {at}, {by}."
WHY_UP_ELSEWHERE: Final = "It was started on {title}, not through me."
WHY_DETAIL: Final = "That's all I know."
WHY_BROKEN: Final = "{title} says that it failed, and gives no cause."
WHY_ELSEWHERE: Final = "It stopped on {title}, not through me, and I don't know why. It last ran {at}."
WHY_UNKNOWN: Final = "Nobody has started it through me lately."
SINCE: Final = "Since {since}, so for {length}."
SINCE_BEGUN: Final = "Under way since {since}."
SINCE_LAST_UP: Final = "It last ran {at}."
SINCE_UNKNOWN: Final = "I don't know since when: that happened on {title}, not through me."
UNTIL_DONE: Final = "I'm still {doing} it, and I'll message you when that's done."
UNTIL: Final = "It keeps running until {at}."
UNTIL_ENDS: Final = "{title} ends it {at}."
UNTIL_NONE: Final = (
    "I don't know of any planned stop, so it runs until somebody stops it. To plan one, type "
    "`{command}stop {typed} at 18:00`."
)
UNTIL_DOWN: Final = "It isn't running."

# -- near misses -------------------------------------------------------------------------------------------

DID_YOU_MEAN: Final = "Did you mean {commands}?"
OR: Final = " or "
#: A command in a sentence, as its button says it.
IN_WORDS: Final = "*{doing}*"
#: What was said in other words, as a command that one press runs.
AS_COMMAND: Final = "Do you mean {commands}?"
NEVER_RUN: Final = "*{name}* hasn't been run from here yet."
NOT_UNDERSTOOD: Final = "I didn't understand that."
#: Above what may be meant.
LIKELY: Final = "Did you mean one of these?"
#: To a question about a connection.
CONNECTION_UP: Final = "I don't know of any problem with *{title}* right now."
CONNECTION_ANSWERED: Final = f"{CONNECTION_UP} It last answered {{at}}."
CONNECTION_AWAY: Final = "*{title}* hasn't answered since {since}. Nothing is lost: I'll keep trying."
UNKNOWN_FLAG: Final = "`{verb}` has no option {flags}, so I haven't done anything."
FLAGS_ARE: Final = "Its options are {flags}."
FLAGS_NONE: Final = "It has no options."
AS_RUN: Final = "Or did you mean the job run {commands}?"

# -- offers ------------------------------------------------------------------------------------------------

#: With a time, which the button keeps.
AT_ITS_TIME: Final = "Do you mean *{name}*, and {at}? I haven't done anything yet."
THEN: Final = "then"
LONGER: Final = "Keep {name} running for {time} more"
#: In place of a name on a button for several.
COUNT: Final = "{count} workspaces"
SEVERAL_ROW: Final = "• *{name}* · {title}"
#: A row of something that a stop would interrupt.
SEVERAL_AT_STAKE: Final = "• *{name}* · {title} – {lost}"
#: A row of something that can't be started again after this.
SEVERAL_FINAL: Final = "• *{name}* · {title} – this will end it for good. {lost}"
SEVERAL_LEFT_OUT: Final = "Not included: {names}."
SEVERAL_STATE: Final = "*{name}* ({state}, {as_of})"
SEVERAL_UNDER_WAY: Final = "*{name}* ({state})"
#: What wasn't understood of a request, in the words of its person.
LEFT_OUT: Final = "I left out {names}."
SEVERAL_UNKNOWN: Final = "I can't find {names}."
SEVERAL_MOST: Final = "I do at most {most} at once. Ask again for the rest."
NONE_OF_THEM: Final = "There's nothing to do: {names}."
NONE_AT_ALL: Final = (
    "That doesn't apply to any of your workspaces right now. Type `{command}list` to see them."
)
ONE_BY_ONE: Final = "I do that for one workspace at a time. Type `{command}{verb} {example}`, for example."

CHANGED: Final = "*{name}* has changed since, so I left it alone: it's {state}, {as_of}."
GONE: Final = "I left out one that's no longer yours."
NOT_DONE: Final = "*{name}*: {why}"
NOTHING_DONE: Final = "I haven't done anything."

# -- cancel and version ------------------------------------------------------------------------------------

NOTHING_TO_CANCEL: Final = "Nothing that can be cancelled is under way for *{name}*: it's {state}, {as_of}."
VERSION: Final = "This is Usher {version}."

# -- what goes on with the last request ----------------------------------------------------------------------

#: An open question was answered with no.
WONT_DO: Final = "OK, I won't."
#: To a change that the last act can't be given.
NOT_TAKEN: Final = "That doesn't fit what I last did with *{name}*, so I haven't changed anything."
#: By what acted in somebody's name.
DONE_BY: Final[Mapping[str, str]] = {
    "": "as you asked",
    HOURS: "by its hours",
    TIMER: "as you planned",
    CLASS: "at the end of its class",
    ROOM: "because it was waiting for room",
    "assistant": "through Slackbot",
}
