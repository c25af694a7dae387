"""Text of cards and lists: states, progress, obstacles, timers, buttons and questions.

For a stop that isn't possible, there are two sentences: the reason, and what happens next.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from bot.domain.operations import OperationVerb
from bot.domain.stops import ExpiryMode, StopEffect, StopMode, StopRisk
from bot.domain.workspaces import State

STATES: Final[Mapping[State, str]] = {
    State.STOPPED: "Stopped",
    State.STARTING: "Starting",
    State.RUNNING: "Running",
    State.STOPPING: "Stopping",
    State.SUSPENDED: "Suspended",
    State.FAILED: "Failed",
    State.GONE: "No longer exists",
    State.UNKNOWN: "Unknown",
}
#: Symbols shown before a workspace's name, by state. The state is always given in words as well. White and
#: black symbols end with a variation selector, without which browsers draw them as small rings.
MARKS: Final[Mapping[State, str]] = {
    State.RUNNING: "🟢",
    State.STARTING: "🟡",
    State.STOPPING: "🟡",
    State.STOPPED: "⚪\ufe0f",
    State.SUSPENDED: "🔵",
    State.FAILED: "🔴",
    State.GONE: "⚫\ufe0f",
    State.UNKNOWN: "⚫\ufe0f",
}
#: First line of every message about a workspace.
HEAD: Final = "{mark} *{name}* · {title}"


class VerbForms(NamedTuple):
    """The words for an operation, in the forms that sentences need.

    They fit "the ``verb`` of x", "I couldn't ``do`` it", "``doing`` it", "whether it was ``done``" and "I'll
    message you when ``end``". ``passive`` is for verbs with the workspace as their object: a workspace starts
    and stops by itself, but is created.
    """

    verb: str
    do: str
    doing: str
    done: str
    end: str
    passive: str = ""
    where: str = "on"

    def words(self) -> dict[str, str]:
        """Return all forms by name, including those whose subject is the workspace.

        Capitalised names, such as ``Doing``, are for the beginning of a sentence.
        """
        words = self._asdict() | {
            "happen": f"be {self.passive}" if self.passive else self.do,
            "happening": f"being {self.passive}" if self.passive else self.doing,
            "happened": f"was {self.passive}" if self.passive else self.done,
        }
        return words | {name.capitalize(): word.capitalize() for name, word in words.items()}


FORMS: Final[Mapping[OperationVerb | None, VerbForms]] = {
    OperationVerb.START: VerbForms("start", "start", "starting", "started", "it's ready"),
    OperationVerb.STOP: VerbForms("stop", "stop", "stopping", "stopped", "it has stopped"),
    OperationVerb.RESTART: VerbForms("restart", "restart", "restarting", "restarted", "it's ready"),
    OperationVerb.CREATE: VerbForms("creation", "create", "creating", "created", "it's ready", "created"),
    OperationVerb.SUSPEND: VerbForms(
        "suspension", "suspend", "suspending", "suspended", "it's done", "suspended"
    ),
    OperationVerb.FORCE: VerbForms(
        "force quit", "force quit", "force quitting", "force quit", "it has stopped", "forced to quit"
    ),
    OperationVerb.REMOVE: VerbForms(
        "removal", "remove", "removing", "removed", "it's gone", "removed", where="from"
    ),
    # The words for an operation whose row no longer exists.
    None: VerbForms("request", "finish the request for", "working on", "changed", "it's done"),
}
GOING_ON_USUAL: Final = "{Happening} since {since}, usually ready by {at}."
NOT_YET: Final = "I can't {do} it yet: {why}."
#: Completes "I'll message you when" if it is known how long a start usually takes.
USUALLY_BY: Final = "{end}, usually by {at}"
USUAL_PASSED: Final = "Slower than usual: this usually takes {usual}."
STILL_CHECKING: Final = "I'll keep checking and tell you when it's done."
STILL_WAITING: Final = f"This is taking longer than usual. {STILL_CHECKING}"
LAPSED: Final = "I won't {do} it without asking you again, unless you press *Keep waiting*."
ASKED: Final = (
    "{title} didn't answer, so I can't tell whether this went through. "
    "Starting another may leave you with two."
)

RUNNING: Final = "Running since {since}."
NO_ADDRESS: Final = "{title} didn't give me a link that I can pass on. Open it from its page there."
OPENS_HERE: Final = "It opens on a page of mine: sign in there with Slack."
NO_PAGE: Final = (
    "It opens on a page of mine, but I don't have a public web address yet. "
    "Ask your Usher admin to give me one."
)
NOT_OPEN: Final = "{title} isn't letting anyone in right now. Check its status again in a moment."
#: Says what became of a workspace that no longer exists. ``NOT_SHOWN`` is for a workspace that the provider
#: has never listed as the person's own.
GONE: Final = "no longer exists on {title}"
NOT_SHOWN: Final = "isn't in your account on {title}"
GONE_SINCE: Final = "It {gone}."
#: Says what became of a workspace after a successful start, by its current state.
SINCE: Final[Mapping[State, str]] = {
    State.SUSPENDED: (
        "It was running, and has since been suspended on {title}. Resume it to pick up where you left off."
    ),
    State.STOPPED: "It was running, and has since been stopped on {title}.",
    State.STOPPING: "It was running, and is now being stopped on {title}.",
    State.FAILED: "It was running, but has since failed on {title}. {because}",
    State.STARTING: "It has since been started again.",
    State.GONE: GONE_SINCE,
}
SENT: Final = "The {verb} of *{name}* had already been sent to {title}."
#: First sentence of a message about an unsuccessful operation, keyed by its outcome. The cause follows.
ENDED_NAMED: Final[Mapping[str, str]] = {
    "failed": "I couldn't {do} *{name}* on {title}.",
    "refused": "I can't {do} *{name}* on {title} for you.",
    "cancelled": "The {verb} of *{name}* on {title} was cancelled.",
    "replaced": "The {verb} of *{name}* on {title} was cancelled.",
    "unknown": "I don't know whether *{name}* was {done} on {title}.",
}
REFERENCE: Final = "Reference {reference}"

#: Names the object that a button acts on. Screen readers read this name out after the button's label.
OBJECT: Final = "{name} on {title}"
NOT_VERBS: Final = frozenset({"Calendar", "Done", "Logs", "More"})
OPEN: Final = "Open"
START: Final = "Start"
STOP: Final = "Stop"
SUSPEND: Final = "Suspend"
RESUME: Final = "Resume"
FORCE: Final = "Force quit"
REMOVE: Final = "Remove"
START_NEW: Final = "Start a new one"
END: Final = "End it"
REFRESH: Final = "Refresh"
TRY_AGAIN: Final = "Try again"
LINK: Final = "Link {title}"
LINK_AGAIN: Final = "Link again"
UNLINK: Final = "Unlink"
FORGET: Final = "Forget"
SEE_PAGE: Final = "View on {title}"
ENTER_CODE: Final = "Enter code"
MORE: Final = "More"

#: Confirmation prompts. Each has a title, some text, and labels for the confirm and cancel buttons.
CONFIRM_STOP: Final = (
    "Stop {name}?",
    "This stops {name} and everything running in it. {lost}",
    "Stop",
    "Keep running",
)
CONFIRM_FORCE: Final = (
    "Force {name} to quit?",
    "This ends it right away, without shutting it down first. {lost}",
    "Force quit",
    "Keep waiting",
)
#: Sentences about what a stop would interrupt or lose, as of the provider's latest response.
AT_STAKE: Final[Mapping[frozenset[StopRisk], str]] = {
    frozenset({"busy"}): "It was busy when I last checked.",
    frozenset({"unsaved"}): "It had unsaved changes when I last checked.",
    frozenset({"busy", "unsaved"}): "It was busy and had unsaved changes when I last checked.",
    frozenset({"memory"}): "Suspending has kept what's in its memory until now.",
}
CONFIRM_SUSPEND: Final = (
    "Suspend {name}?",
    "{at_stake} Suspending keeps what's in its memory, but interrupts what's running.",
    "Suspend",
    "Keep running",
)
LOST: Final[Mapping[StopEffect, str]] = {
    StopEffect.RETURNS: "Unsaved work may be lost.",
    StopEffect.KEEPS: "",
    StopEffect.ENDS: "Anything unsaved or only in its memory is lost; the files you saved stay.",
    StopEffect.ERASES: "Everything stored only in it is lost.",
}
FORCED: Final = "Anything unsaved in it is lost."
CONFIRM_END: Final = (
    "End it for good?",
    "This will end {name} for good: it can't be started again. {lost}",
    "End it",
    "Keep it",
)
CONFIRM_FORCE_END: Final = (
    "End it for good without saving?",
    "This will end {name} for good, without saving: it can't be started again. {lost}",
    "End it",
    "Keep running",
)
UNLINK_EFFECT: Final = "This will delete my access to your account on {title} and forget your list."
UNLINK_MEANS: Final = (
    "What's running there keeps running. Hours there will pause; planned stops, waiting starts and courses "
    "will end."
)
CONFIRM_UNLINK: Final = (
    "Unlink {title}?",
    f"{UNLINK_EFFECT} {UNLINK_MEANS}",
    "Unlink",
    "Stay linked",
)


#: Says how and when a workspace ends. ``{at}`` includes the day if it isn't today. The last three sentences
#: are for workspaces that the provider ends.
LINE: Final[Mapping[StopMode | ExpiryMode, str]] = {
    "stop": "I'll stop it {at}.",
    "suspend": "I'll suspend it {at}.",
    "force": "I'll stop it {at}.",
    "stops": "Stops by itself {at} unless it's used.",
    "stops_anyway": "Stops by itself {at}, even if it's used.",
    "removed": "{title} removes it {at}.",
}
LINE_UNUSED: Final = "I'll {do} it {planned}, or it stops {at} if you haven't used it by then."
ENDS: Final[Mapping[StopMode, str]] = {"stop": "stops", "suspend": "is suspended", "force": "stops"}
#: Added to the text about a planned stop if the provider will end the workspace before then. The key says
#: how.
EARLIER: Final[Mapping[StopMode | ExpiryMode, str]] = {
    "stops": "Before that, {title} stops {it} {at} unless it's used.",
    "stops_anyway": "Before that, {title} stops {it} {at}, even if it's used.",
    "removed": "Before that, {title} removes {it} {at}.",
}
EXTEND: Final = "Keep 2 h more"
EXTENDING: Final = "I'm asking {title} to stop *{name}* {at} instead."
DONE: Final[Mapping[StopMode, str]] = {"stop": "stopped", "suspend": "suspended", "force": "stopped"}

#: Warnings before a planned stop, keyed by its reason, or by ``assistant`` if Slack's assistant planned it.
#: ``{over}`` is the end of the lesson. ``lesson_late`` is used if the stop comes at least a minute after
#: that.
ENDING: Final[Mapping[str, str]] = {
    "own": "*{name}* {ends} in {left}, {at}, as you asked.",
    "assistant": "*{name}* {ends} in {left}, {at}. Slackbot asked me to.",
    "look": (
        "*{name}* {ends} in {left}, {at}. It's running so that you can look "
        "around before *{course}*. I'll start it again before the next lesson."
    ),
    "lesson": "*{course}* ends {over}, so *{name}* {ends} then.",
    "lesson_late": "*{course}* ended {over}, so *{name}* {ends} in {left}, {at}.",
    "hours": "*{name}* {ends} in {left}, {at}, when its hours end.",
    "needed": "*{name}* {ends} in {left}, {at}, unless you still need it.",
    "room": (
        "Nobody has used *{name}* on {title} since it became ready, and somebody is waiting for room "
        "there. It {ends} in {left}, {at}, so that the next person in line can start."
    ),
}
NOT_LESSON: Final = "You set that time yourself, so the end of *{course}* won't change it."
PUT_OFF: Final = (
    "*{name}* on {title} is busy, so I haven't {done} it as planned. Do you need more time?",
    "If you don't answer, I'll try again in {left}, {at}.",
)
ENDING_FINAL: Final = "It can't be started again after that. {lost}"
OVER: Final = "*{name}* on {title} has no planned stop any more."
OVER_DOWN: Final = "*{name}* on {title} isn't running any more, so there's nothing to stop."
FAILED: Final = "I couldn't stop *{name}* on {title} as you planned for {at}. {cause}"
#: Says in a card or list that a planned stop isn't possible. ``BLOCKED_PASSED`` is for a stop whose time has
#: passed.
STOP_BLOCKED: Final = "It was to be {done} {at}, but I can't do that: {why}."
BLOCKED_PASSED: Final = "I couldn't {do} {names} {at}: {why}. As far as I know, {still} running."
#: Reasons why a stop isn't possible, each worded as the end of a sentence. ``WHEN_LINKED``, ``WHEN_BACK`` and
#: ``STOP_THERE`` say what happens next.
OBSTACLES: Final[Mapping[str, str]] = {
    "connection_gone": "I'm not connected to {title} any more",
    "connection_coming": "part of me is still being updated and doesn't have {title} yet",
    "unlinked": "your {title} account isn't linked any more",
    "credential_refused": "{title} no longer accepts your link",
    "renamed": "your account on {title} has been renamed",
    "another_account": "the username that you linked is another account on {title} now",
    "sign_in_refused": "{title} refuses your sign-in",
    "people_out": "{title} refuses several people's sign-ins",
    "unreachable": "I can't reach {title}",
    "not_allowed_now": "{title} doesn't offer that for it right now",
}
WHEN_LINKED: Final = "Link again, and I'll warn you 5 minutes before I {do} {it}."
WHEN_BACK: Final = "Once I can, I'll warn you 5 minutes before I {do} {it}."
STOP_THERE: Final = "If you don't need it any more, stop it on {title}."
STILL_STOP: Final = (
    "My records were restored from a backup of {since}.",
    "Should I still {do} *{name}* on {title} {at}?",
)
STILL_STOP_PASSED: Final = (
    "My records were restored from a backup of {since}, in which *{name}* on {title} was to be {done} {at}. "
    "Should I do it now?"
)
SET: Final = "I'll {do} *{name}* {at}."
TOMORROW: Final = "That time has already passed today, so I've set it for tomorrow."
KEPT_UNTIL: Final = ("*{name}* keeps running.", "I won't stop it before {until}.")
LONGER_NEXT: Final = "To have it stopped later, type `{command}keep {typed} for 2h`."
NOTHING_PLANNED: Final = "*{name}* has no planned stop, so there's nothing to cancel."
TOO_LATE: Final = "*{name}* no longer has a planned stop."
NOT_UP: Final = "*{name}* isn't running, so there's nothing to stop later."
STOP_FOR: Final = (
    "I can't do that just for a while: it would stay stopped. To stop it later, type "
    "`{command}{verb} {typed} at 18:00`."
)
PASSED: Final = "That time has passed, so I haven't done anything. Ask again with a later time."

KEEP: Final = "Keep running"
HOURS: Final = "Hours…"
END_THEN: Final = "End it then"
CANT_SUSPEND: Final = "*{name}* can't be suspended on {title}, so I haven't planned that."

FORM_NOW: Final[Mapping[StopMode | ExpiryMode, str]] = {
    "stop": "I'll stop *{name}* {at}.",
    "suspend": "I'll suspend *{name}* {at}.",
    "force": "I'll stop *{name}* {at}.",
    "stops": "*{name}* on {title} stops by itself {at} unless it's used.",
    "stops_anyway": "*{name}* on {title} stops by itself {at}, even if it's used.",
    "removed": "{title} removes *{name}* {at}.",
}
FORM_OTHER_HINT: Final = "18:00, 6pm, 2h, 90 min or tomorrow 9:00"
FORM_CHOICES: Final[Mapping[int, str]] = {
    30: "In 30 minutes",
    60: "In 1 hour",
    120: "In 2 hours",
    240: "In 4 hours",
    480: "In 8 hours",
    1440: "In 24 hours",
}

# -- buttons that undo a change --------------------------------------------------------------------------

CHANGE_BACK: Final = "Change back"
