"""What is said of runs of jobs: their cards, messages and output, and what the verbs answer.

``{command}`` is how a person writes of jobs to Usher: after the slash command, or after ``run``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bot.domain.models import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

# -- how far a run is --------------------------------------------------------------------------------------

TITLE: Final = "*{name}* · {title}"
STATES: Final[Mapping[RunState, str]] = MappingProxyType(
    {
        RunState.QUEUED: "Waiting",
        RunState.RUNNING: "Running",
        RunState.SUCCEEDED: "Done",
        RunState.FAILED: "Failed",
        RunState.CANCELLED: "Stopped",
        RunState.UNKNOWN: "Unknown",
    }
)
TO_LAUNCH: Final = "Queued since {since}: I hand it to {title} next."
LAUNCHING: Final = "Handed to {title} at {since}, and not accepted yet."
WAITING: Final = "Waiting its turn at {title} since {since}."
RUNNING: Final = "Running since {since}."
UNKNOWN: Final = "{title} has not said yet how far it is."
STOP_ASKED: Final = "You asked me to stop it; {title} has not ended it yet."
FORCE_ASKED: Final = "You asked me to force it to quit; {title} has not ended it yet."
CALLING_OFF: Final = "You asked me to stop it before it was launched: I call it off."
UNANSWERED: Final = "It has not stopped for a minute. *Force quit* ends it without asking it first."
ASKED: Final = (
    "{title} didn't answer, and I can't tell whether anything there came from this request. "
    "Starting another may leave you with two."
)
LATE: Final = "You can keep waiting or let it go."
NEWS: Final = "News of it: {age}."
NO_NEWS: Final = "No news of it yet."

#: How a run ended: one of the heads, then what is known of it.
HEADS: Final[Mapping[RunState, str]] = MappingProxyType(
    {
        RunState.SUCCEEDED: "Done",
        RunState.FAILED: "Failed",
        RunState.CANCELLED: "Stopped",
    }
)
#: Its provider will never tell.
HEAD_ELSE: Final = "Started, its end is not reported"
NOT_RUN_HEAD: Final = "Not run"
UNSURE_HEAD: Final = "Perhaps not run"
LOST_HEAD: Final = "No longer known"
CALLED_OFF_HEAD: Final = "Called off"
CUT_OFF_HEAD: Final = "No longer looked after"
AFTER: Final = "after {took}"
CODE: Final = ", exit code {code}"
NEVER_RAN: Final = "It was not run. {cause}"
UNSURE: Final = "I don't know whether it was run. {cause}"
LOST: Final = "I don't know how it ended. {cause}"
CALLED_OFF: Final = "It was called off before {title} had it."
CUT_OFF: Final = "I don't look after it any more. {cause}"

#: The same for notifications, on one line.
SHORT: Final = "{name} at {title}: {state}."

# -- messages at the end -----------------------------------------------------------------------------------

ENDED: Final[Mapping[RunState, str]] = MappingProxyType(
    {
        RunState.SUCCEEDED: "*{name}* at {title} is done{after}{code}.",
        RunState.FAILED: "*{name}* at {title} has failed{after}{code}.",
        RunState.CANCELLED: "*{name}* at {title} was stopped{after}{code}.",
    }
)
ENDED_ELSE: Final = "*{name}* was started at {title}. This server does not report the end."
LAST_LINES: Final = "The last it wrote:"
NOT_RUN: Final = "*{name}* was not run at {title}. {cause}"
NOT_SURE: Final = "I don't know whether *{name}* was run at {title}. {cause}"
NOT_KNOWN: Final = "I don't know how *{name}* at {title} ended. {cause}"
NOT_FOLLOWED: Final = "I don't look after *{name}* at {title} any more. {cause}"
NOT_LAUNCHED: Final = "*{name}* was called off before {title} had it."

#: Nobody can tell whether a launch went through: its person decides. Then what the message says afterwards.
ASKED_NOTICE: Final = (
    "{title} didn't answer about *{name}*, and I can't tell whether anything there came from this request. "
    "I'll keep looking. Starting another may leave you with two."
)
ASKED_FOUND: Final = (
    "I asked whether to start another *{name}*. It has shown up on {title}, so there's no need."
)
ASKED_ANOTHER: Final = "I asked whether to start another *{name}* on {title}. You chose to start another."
ASKED_OVER: Final = "I asked whether to start another *{name}* on {title}. Its card says how that ended."
#: After the deadline; what holds it up follows.
LATE_UNBEGUN: Final = "*{name}* still hasn't started on {title}. {hold}"
LATE_UNSEEN: Final = "I still can't check on *{name}* on {title}. {hold}"

# -- output ------------------------------------------------------------------------------------------------

OUTPUT: Final = "*Output of {name}*"
OUTPUT_SHORT: Final = "Output of {name} at {title}."
NO_OUTPUT_YET: Final = "It has written nothing yet."
NO_OUTPUT: Final = "It wrote nothing."
LINES: Final = "{count} lines so far"
ONE_LINE: Final = "1 line so far"
LINES_IN_ALL: Final = "{count} lines in all"
ONE_LINE_IN_ALL: Final = "1 line in all"
PART: Final = "the newest of them are shown"
MARKED: Final = "lines after an exclamation mark are from stderr"
WHOLE: Final = "the whole comes as a file"
UPDATED: Final = "updated about every {every}"

# -- buttons -----------------------------------------------------------------------------------------------

STOP: Final = "Stop"
FORCE: Final = "Force quit"
LOGS: Final = "Logs"
REFRESH: Final = "Refresh"
AGAIN: Final = "Run again"
STATUS: Final = "Status"
MORE: Final = "More"
KEEP_WAITING: Final = "Keep waiting"
LET_GO: Final = "Let it go"
LOOK_AGAIN: Final = "Look again"
START_ANOTHER: Final = "Start another"
STOP_ONE: Final = "Stop {name}"
LOGS_ONE: Final = "Logs of {name}"
STATUS_ONE: Final = "Status of {name}"
SEE_PAGE: Final = "See its page"
CONFIRM_STOP: Final = (
    "Stop it?",
    "{name} ends where it is. What it has not saved is lost.",
    "Stop",
    "Leave it",
)
CONFIRM_FORCE: Final = (
    "Force it to quit?",
    "{name} ends at once, without being asked. What it has not saved is lost.",
    "Force quit",
    "Leave it",
)
CONFIRM_AGAIN: Final = (
    "Run it again?",
    "I launch another run of {name}, just as this one was.",
    "Run again",
    "Not now",
)

# -- what verbs answer -------------------------------------------------------------------------------------

STARTED: Final = "I run *{name}* at {title}. Its card in your direct messages shows how far it is."
LEFT_OUT: Final = "Nothing can be limited there, so I left out {left}."
STOPPING: Final = "Stopping *{name}* at {title}. You get a direct message when it has ended."
FORCING: Final = "Forcing *{name}* at {title} to quit. You get a direct message when it has ended."
LOOKING_AGAIN: Final = "Looking for *{name}* on {title} again. Its card shows what I find."
STARTING_ANOTHER: Final = "Starting another *{name}* on {title}. I'll message you when it ends."
NOT_ASKED: Final = "That question is closed. *{name}*'s card shows where things stand."
KEPT_WAITING: Final = "I'll keep trying with *{name}*, and message you again in {time} at the latest."
LET_GONE: Final = "I've stopped following *{name}*. If {title} has it, it carries on there."
NOT_LAUNCHING: Final = "I've called off *{name}*: {title} never had it."
OVER_ALREADY: Final = "*{name}* at {title} is over already: {state}. There is nothing to stop."
SHOWING: Final = "The output of *{name}* comes below its card in your direct messages."
SHOWING_LATER: Final = (
    "*{name}* has not begun yet. Its output comes below its card in your direct messages as soon as it has."
)
NO_LOGS: Final = "{title} does not show me the output of runs. The run's page there may."
NOT_HANDED_OVER: Final = "*{name}* never ran, so it wrote nothing. Its card says why."
NO_SPEC: Final = (
    "*{name}* was not launched through me, so I can't run it again. Write `{command}run` to run something."
)

LIST: Final = "Your runs"
ROW: Final = "*{name}* · {title}\n{state}"
AND_MORE: Final = "and {count} more"
LOOKING: Final = "I am looking for runs at {titles}; press *Refresh* in a moment."
LOOKING_FOR_ANY: Final = "I am looking for your runs at {titles}, and answer right after."
LOOKING_FOR_IT: Final = "I am looking at {titles} for it, and answer right after."
NONE_YET: Final = "You have no runs yet. Write `{command}run` to run something."
NO_CONNECTIONS: Final = "No connection here lets me run jobs. Ask whoever runs me to add one."
NONE_GOING: Final = "None of your runs is going on, so there is nothing to stop."
NOT_LINKED: Final = (
    "You have no account linked where jobs run. Link one, and I go on with what you asked for."
)
UNKNOWN_NAME: Final = "I know no run *{name}* of yours."
NEAREST: Final = "Did you mean one of these?"
UNKNOWN_NEXT: Final = "Write `{command}list` to see your runs."
WHICH: Final = "More than one of your runs begins with *{name}*. Which one?"
WHICH_TO_STOP: Final = "More than one run *{name}* is going on. Which one?"
WHICH_OF_ALL: Final = "Which run? Press one, or write `{command}{verb} NAME`."
#: Tells runs of one name apart on buttons.
FROM: Final = "{name}, {age}"

# -- a run written in one line -----------------------------------------------------------------------------

NOT_RUN_YET: Final = "I did not run that:"
PROBLEM: Final = "• {flag}: {said}"
FLAG_UNKNOWN: Final = "• `--{name}`: {title} does not ask for that here."
FLAG_WITH: Final = "• `--{name}`: that can be set with {with_what}."
FLAGS_KNOWN: Final = "What can be set: {known}."
FLAG_EMPTY: Final = "Needs a value after it."
FLAG_TWICE: Final = "Stands there twice. Keep one of them."
FLAG_NOT_OFFERED: Final = "There is no {value} here. There is: {offered}."
FLAG_SOME_OFFERED: Final = "There is no {value} here. There is, among others: {offered}."
FLAG_NONE_OFFERED: Final = "There is nothing to choose from here. Leave it out."
COMMAND_PLACE: Final = "after `--`"
OR: Final = "or"
JOB_PLACE: Final = "The job"
#: Below a run that could not be understood.
TAIL_HINT: Final = "Put the program and its own words after `--`: `{command}run -- Rscript train.R`."
NO_TAIL_PLACE: Final = "The program is fixed here. Leave that out."
WHERE: Final = "Where shall I run it? Write the connection after `run`: {known}."
TOO_LONG: Final = (
    "That is longer than I take in one line ({limit} characters). Put it into a script, and run that."
)
TOO_MANY: Final = (
    "Those are more flags than I take in one line ({limit}). Put what varies into a script, and run that."
)
ASKING: Final = "I am asking {title} what it offers, and run it right after."
NO_OFFER: Final = "{title} has not told me what it offers. Try again in a minute."

# -- help --------------------------------------------------------------------------------------------------

HELP: Final = "I run your jobs, with your own account, show their output, and tell you when they end."
HELP_WORKSPACES: Final = "For workspaces there is `{command}help`."
HELP_JOBS: Final = "For jobs there is `{command}help`."
HELP_DIRECT: Final = "In a direct message to me the same words work after `job`."
