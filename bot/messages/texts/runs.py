"""Text about job runs: cards, messages, output, and answers to job verbs.

``{command}`` is what people type before a job verb: the slash command, or ``job``.
"""

from collections.abc import Mapping
from typing import Final

from bot.domain.runs import RunState
from bot.domain.transcript import CAP, Missing
from bot.messages.texts.problems import explain_cause

# -- a run's progress --------------------------------------------------------------------------------------

TITLE: Final = "*{name}* · {title}"
STATES: Final[Mapping[RunState, str]] = {
    RunState.QUEUED: "Waiting",
    RunState.RUNNING: "Running",
    RunState.SUCCEEDED: "Done",
    RunState.FAILED: "Failed",
    RunState.CANCELLED: "Stopped",
    RunState.UNKNOWN: "Unknown",
}
TO_LAUNCH: Final = "Waiting since {since} to be sent to {title}."
LAUNCHING: Final = "Sent to {title} {at}, but not accepted yet."
WAITING: Final = "Waiting in the queue on {title} since {since}."
UNKNOWN: Final = "{title} hasn't reported its state yet."
STOP_ASKED: Final = "You asked me to stop it. {title} hasn't stopped it yet."
FORCE_ASKED: Final = "You asked me to force it to quit. {title} hasn't stopped it yet."

AFTER: Final = "after {took}"
UNSURE: Final = "I don't know whether it ran. {cause}"
LOST: Final = "I don't know how it ended. {cause}"
CUT_OFF: Final = "I've stopped following it. {cause}"

# -- messages about a run's end ----------------------------------------------------------------------------

ENDED: Final[Mapping[RunState, str]] = {
    RunState.SUCCEEDED: "*{name}* on {title} is done{after}{code}.",
    RunState.FAILED: "*{name}* on {title} failed{after}{code}.",
    RunState.CANCELLED: "*{name}* on {title} was stopped{after}{code}.",
}
ENDED_ELSE: Final = "*{name}* was started on {title}, which doesn't report when runs end."
NOT_RUN: Final = "*{name}* didn't run on {title}. {cause}"
NOT_SURE: Final = "I don't know whether *{name}* ran on {title}. {cause}"
FOUND: Final = "I told you that {title} could no longer find *{name}*. It's there after all."
NOT_KNOWN: Final = "I don't know how *{name}* on {title} ended. {cause}"

ASKED_NOTICE: Final = (
    "{title} didn't answer, so I can't tell whether *{name}* was started there. "
    "I'll keep checking. Starting another may leave you with two."
)
LATE_UNBEGUN: Final = "*{name}* still hasn't started on {title}. {hold}"
LATE_UNSEEN: Final = "I haven't been able to check on *{name}* on {title} for a while. {hold}"

# -- output ------------------------------------------------------------------------------------------------

LINES: Final = "{lines} so far"

# -- buttons -----------------------------------------------------------------------------------------------

AGAIN: Final = "Run again"

CONFIRM_STOP: Final = (
    "Stop {name}?",
    "This stops {name} right where it is. Anything it hasn't saved is lost.",
    "Stop",
    "Keep running",
)
CONFIRM_FORCE: Final = (
    "Force {name} to quit?",
    "This ends it right away, without letting it finish first. Anything it hasn't saved is lost.",
    "Force quit",
    "Keep waiting",
)
CONFIRM_AGAIN: Final = (
    "Run {name} again?",
    "This starts another run of {name} with the same settings.",
    "Run again",
    "Not now",
)

# -- what verbs answer -------------------------------------------------------------------------------------

STARTED: Final = "Running *{name}* on {title}. I'll message you when it's done."
LOOKING_AGAIN: Final = "Looking for *{name}* on {title} again. Its card shows what I find."
STARTING_ANOTHER: Final = "Starting another run of *{name}* on {title}. I'll message you when it ends."
LET_GONE: Final = "I've stopped following *{name}*. If it's on {title}, it continues there."
OVER_ALREADY: Final = "*{name}* on {title} has already ended: {state}. There's nothing to stop."
SHOWING: Final = (
    "I'll show the output of *{name}* on its card in our direct messages, and send all of it at the end."
)
SHOWING_LATER: Final = (
    "*{name}* hasn't started yet. Once it has, I'll show its output on its card in our direct messages."
)
NO_LOGS: Final = "{title} doesn't give me the output of runs. The run's page there may show it."
NOT_HANDED_OVER: Final = "*{name}* never ran, so there's no output. Its card says why."
NO_VARIABLES: Final = (
    "I can't change the variables of *{name}* with a button any more. Press *Run again* to run it as it was, "
    "or type `{command}run` and set them in the form."
)
NO_SPEC: Final = "I didn't start *{name}*, so I can't run it again. Type `{command}run` to run a job."

RUNS: Final = "runs"
SHOW_ALL: Final = "Show my runs"
ROW: Final = "*{name}* · {title}\n{state}"
NONE_YET: Final = "You don't have any runs yet. Type `{command}run` to run a job."
NO_CONNECTIONS: Final = "I can't run jobs on any connection here. Ask your Usher admin to add one."
NOT_LINKED: Final = "You haven't linked an account that can run jobs. Link one here{then}"
WHICH: Final = "More than one of your runs begins with *{name}*. Which one?"
RAN_ELSEWHERE: Final = "You've run *{name}* on {titles}. Where should I run it now?"
WHICH_TO_STOP: Final = "More than one run called *{name}* is in progress. Which one?"
ONE_IS_GOING: Final = "A run of *{name}* is already in progress, so I haven't started another."
WHICH_OF_ALL: Final = "Which run? Press one, or type `{command}{verb} NAME`."
#: Button label that tells runs with the same name apart.
FROM: Final = "{name}, {at}"

# -- a run in a single line --------------------------------------------------------------------------------

NO_SCHEDULE: Final = (
    "I only run jobs right away, so I haven't run *{name}*. "
    "To have it run by itself, set its schedule on {pages}."
)
NOT_RUN_YET: Final = "I didn't run that:"
PROBLEM: Final = "• {flag}: {said}"
FLAG_UNKNOWN: Final = "• `--{name}`: {title} doesn't have that option here."
FLAG_WITH: Final = "• `--{name}`: set that with {with_what}."
FLAG_NOT_OFFERED: Final = "{value} isn't available. Choose from: {offered}."
FLAG_SOME_OFFERED: Final = "{value} isn't available. For example: {offered}."
OR: Final = "or"
TAIL_HINT: Final = "Put the command after `--`: `{command}run -- Rscript train.R`."
WHERE: Final = "Where should I run it? Type `{command}run CONNECTION`, with one of these: {known}."
TOO_LONG: Final = (
    "That's too long for one line (at most {limit} characters). Put it in a script and run that."
)
TOO_MANY: Final = (
    "That's too many flags for one line (at most {limit}). Put what varies in a script and run that."
)
ASKING: Final = "Checking what {title} offers. I'll run it right after."
NO_OFFER: Final = "{title} hasn't told me what it offers. Try again in a minute."

# -- help --------------------------------------------------------------------------------------------------

HELP: Final = "I run your jobs with your own account, show their output, and tell you when they end."


_MISSING: Final[Mapping[Missing, str]] = {
    "cut": "[Usher: the output is longer than {size} MB; the rest is not in this file]",
    "not_kept": "[Usher: there was no room to keep more of the output]",
    "not_read": "[Usher: the output couldn't be read completely. {because}]",
}


def explain_missing(missing: Missing, cause: str, title: str) -> str:
    """Return a line for the output file that says what is missing. The line is marked as Usher's own."""
    because = explain_cause(cause, title) if cause else ""
    return _MISSING[missing].format(size=CAP // 1_000_000, because=because)


FILE: Final = "The full output of *{name}*."
FILE_MISSING: Final = (
    "Slack didn't accept the file with the full output of *{name}*. Its page on {title} may show it."
)
FILE_NOT_ALLOWED: Final = (
    "I'm not allowed to send files here yet, so I can't send the full output of *{name}*. "
    "Ask your Usher admin to reinstall me with the scope `files:write`."
)
NO_FILE: Final = {"missing_scope": FILE_NOT_ALLOWED, "empty": "*{name}* wrote no output."}

STOP_GIVEN_UP: Final = (
    "I couldn't stop *{name}*: {title} didn't answer after many tries. Try again in a while."
)
