"""The words of cards and lists: states, what is going on, labels of buttons, questions before a step."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from bot.domain.workspaces import AtStake, OperationVerb, State, StopEffect

STATES: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.STOPPED: "Stopped",
        State.STARTING: "Starting",
        State.RUNNING: "Running",
        State.STOPPING: "Stopping",
        State.SUSPENDED: "Suspended",
        State.FAILED: "Failed",
        State.GONE: "No longer exists",
        State.UNKNOWN: "Unknown",
    }
)
#: Of a workspace that its provider has not made yet.
UNMADE: Final = "Being created"


class VerbForms(NamedTuple):
    """Hold the words for an operation: the ``verb`` of x, I couldn't ``do`` it, ``doing`` it, ``done``."""

    verb: str
    do: str
    doing: str
    done: str


FORMS: Final[Mapping[OperationVerb, VerbForms]] = MappingProxyType(
    {
        OperationVerb.START: VerbForms("start", "start", "starting", "started"),
        OperationVerb.STOP: VerbForms("stop", "stop", "stopping", "stopped"),
        OperationVerb.RESTART: VerbForms("restart", "restart", "restarting", "restarted"),
        OperationVerb.CREATE: VerbForms("creation", "create", "creating", "created"),
        OperationVerb.SUSPEND: VerbForms("suspension", "suspend", "suspending", "suspended"),
        OperationVerb.FORCE: VerbForms("force quit", "force quit", "force quitting", "force quit"),
        OperationVerb.REMOVE: VerbForms("removal", "remove", "removing", "removed"),
    }
)
#: The same where the operation is no longer known.
SOME_REQUEST: Final = VerbForms("request", "finish the request for", "working on", "changed")
#: While an operation is open, before its call was taken and after.
QUEUED: Final[Mapping[OperationVerb, str]] = MappingProxyType(
    {
        OperationVerb.START: "Waiting to start since {since}.",
        OperationVerb.STOP: "Waiting to stop since {since}.",
        OperationVerb.RESTART: "Waiting to restart since {since}.",
        OperationVerb.CREATE: "Waiting to be created since {since}.",
        OperationVerb.SUSPEND: "Waiting to be suspended since {since}.",
        OperationVerb.FORCE: "Waiting to be forced to quit since {since}.",
        OperationVerb.REMOVE: "Waiting to be removed since {since}.",
    }
)
GOING_ON: Final[Mapping[OperationVerb, str]] = MappingProxyType(
    {
        OperationVerb.START: "Starting (since {since}).",
        OperationVerb.STOP: "Stopping (since {since}).",
        OperationVerb.RESTART: "Restarting (since {since}).",
        OperationVerb.CREATE: "Being created (since {since}).",
        OperationVerb.SUSPEND: "Being suspended (since {since}).",
        OperationVerb.FORCE: "Being forced to quit (since {since}).",
        OperationVerb.REMOVE: "Being removed (since {since}).",
    }
)
#: The same without a time, for notifications and readers without blocks.
QUEUED_SHORT: Final[Mapping[OperationVerb, str]] = MappingProxyType(
    {
        OperationVerb.START: "{name} is waiting to start on {title}.",
        OperationVerb.STOP: "{name} is waiting to stop on {title}.",
        OperationVerb.RESTART: "{name} is waiting to restart on {title}.",
        OperationVerb.CREATE: "{name} is waiting to be created on {title}.",
        OperationVerb.SUSPEND: "{name} is waiting to be suspended on {title}.",
        OperationVerb.FORCE: "{name} is waiting to be forced to quit on {title}.",
        OperationVerb.REMOVE: "{name} is waiting to be removed from {title}.",
    }
)
GOING_ON_SHORT: Final[Mapping[OperationVerb, str]] = MappingProxyType(
    {
        OperationVerb.START: "{name} is starting on {title}.",
        OperationVerb.STOP: "{name} is stopping on {title}.",
        OperationVerb.RESTART: "{name} is restarting on {title}.",
        OperationVerb.CREATE: "{name} is being created on {title}.",
        OperationVerb.SUSPEND: "{name} is being suspended on {title}.",
        OperationVerb.FORCE: "{name} is being forced to quit on {title}.",
        OperationVerb.REMOVE: "{name} is being removed from {title}.",
    }
)
USUAL: Final = "Usually ready in {usual}."
USUAL_PASSED: Final = "Slower than usual: this usually takes {usual}."
STILL_WAITING: Final = "This is taking longer than usual. I'll keep checking and tell you when it's done."
#: Nobody can tell whether a creation went through: its person decides.
ASKED: Final = (
    "{title} didn't answer, so I can't tell whether this went through. "
    "Starting another may leave you with two."
)
ASKED_SHORT: Final = "Was {name} created on {title}? I can't tell."
BAR_FULL: Final = "▰"
BAR_EMPTY: Final = "▱"

RUNNING: Final = "Running since {since}."
#: What nothing had to be sent for: since when it is so isn't known.
RUNNING_ALREADY: Final = "Running (as of {at})."
RUNNING_SHORT: Final = "{name} is running on {title}."
OPENS_AS: Final = "To open it, you need to be signed in to {title} as {username}."
OPENS: Final = "To open it, you need to be signed in to {title}."
NO_ADDRESS: Final = "{title} didn't give me a link that I can pass on. Open it from its page there."
OPENS_HERE: Final = "It opens on a page of mine that only works for you: sign in there with Slack."
NO_PAGE: Final = (
    "It opens on a page of mine, but I don't have a public web address yet. "
    "Ask your Usher admin to set `USHER_PUBLIC_URL`."
)
NOT_OPEN: Final = "{title} isn't letting anyone in right now. Check its status again in a moment."
STOPPED: Final = "Stopped {at}."
STOPPED_ALREADY: Final = "Stopped (as of {at})."
STOPPED_SHORT: Final = "{name} has stopped on {title}."
SUSPENDED: Final = "Suspended {at}. Resume it to pick up where you left off."
SUSPENDED_SHORT: Final = "{name} is suspended on {title}."
ENDED_FOR_GOOD: Final = "Ended {at}. It can't be started again."
NOT_RENEWED: Final = "The old one has ended, and I couldn't start a new one in its place."
REMOVED: Final = "Removed {at}."
REMOVED_SHORT: Final = "{name} has been removed from {title}."
NOT_MADE: Final = "Cancelled before anything was created on {title}."
NOT_MADE_SHORT: Final = "The creation of {name} on {title} was cancelled."
SUSPENDED_ELSEWHERE: Final = (
    "It was running, and has since been suspended on {title}. Resume it to pick up where you left off."
)
SUSPENDED_ELSEWHERE_SHORT: Final = "{name} is suspended on {title}."
STOPPED_ELSEWHERE: Final = "It was running, and has since been stopped on {title}."
STOPPED_ELSEWHERE_SHORT: Final = "{name} was stopped on {title}."
STOPPING_ELSEWHERE: Final = "It was running, and is now being stopped on {title}."
FAILED_SINCE: Final = "It was running, but has since failed on {title}. Its page there may say why."
FAILED_SINCE_SHORT: Final = "{name} has failed on {title}."
GONE_SINCE: Final = "It no longer exists on {title}."
GONE_SHORT: Final = "{name} no longer exists on {title}."
STARTED_ELSEWHERE: Final = "It has since been started again."
STARTED_ELSEWHERE_SHORT: Final = "{name} was started again on {title}."
#: How an operation ended that failed; the cause follows.
ENDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "failed": "I couldn't {do} it.",
        "refused": "I can't {do} it for you.",
        "cancelled": "The {verb} was cancelled.",
        "replaced": "The {verb} was cancelled.",
        "unknown": "I don't know whether it was {done}.",
    }
)
#: What has become of a workspace anyhow, since its operation didn't succeed.
RUNNING_NOW: Final = "It's running now."
STARTING_NOW: Final = "It's starting now."
DOWN_NOW: Final = "It isn't running now."
#: Replaced after a call had left for it: that goes ahead.
SENT: Final = "The {verb} had already been sent."
SENT_SHORT: Final = "The {verb} of {name} had already been sent to {title}."
ENDED_SHORT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "failed": "I couldn't {do} {name} on {title}.",
        "refused": "I can't {do} {name} on {title} for you.",
        "cancelled": "The {verb} of {name} on {title} was cancelled.",
        "replaced": "The {verb} of {name} on {title} was cancelled.",
        "unknown": "I don't know whether {name} was {done} on {title}.",
    }
)
REFERENCE: Final = "Reference {reference}"

OPEN: Final = "Open"
START: Final = "Start"
STOP: Final = "Stop"
RESTART: Final = "Restart"
SUSPEND: Final = "Suspend"
RESUME: Final = "Resume"
FORCE: Final = "Force quit"
REMOVE: Final = "Remove"
START_NEW: Final = "Start a new one"
END: Final = "End it"
RENEW: Final = "End it and start a new one"
STATUS: Final = "Status of"
REFRESH: Final = "Refresh"
TRY_AGAIN: Final = "Try again"
KEEP_WAITING: Final = "Keep waiting"
LOOK_AGAIN: Final = "Check again"
START_ANOTHER: Final = "Start another"
LINK: Final = "Link {title}"
LINK_AGAIN: Final = "Link again"
LINK_AGAIN_TO: Final = "Link {title} again"
UNLINK: Final = "Unlink"
UNLINK_ONE: Final = "Unlink {title}"
FORGET: Final = "Forget"
SEE_PAGE: Final = "View on {title}"
OPEN_LINK_PAGE: Final = "Open the link page"
ENTER_CODE: Final = "Enter code"
MORE: Final = "More"

#: Questions before a step that can't be taken back: title, text, what does it, what leaves it.
CONFIRM_STOP: Final = (
    "Stop {name}?",
    "This stops {name} and everything running in it. Unsaved work may be lost.",
    "Stop",
    "Keep running",
)
CONFIRM_FORCE: Final = (
    "Force {name} to quit?",
    "This ends it right away, without shutting it down first. Anything unsaved in it is lost.",
    "Force quit",
    "Keep waiting",
)
#: What a stop would interrupt or lose, as its provider last said.
AT_STAKE: Final[Mapping[frozenset[AtStake], str]] = MappingProxyType(
    {
        frozenset({"busy"}): "It was busy when I last checked.",
        frozenset({"unsaved"}): "It had unsaved changes when I last checked.",
        frozenset({"busy", "unsaved"}): "It was busy and had unsaved changes when I last checked.",
    }
)
CONFIRM_SUSPEND: Final = (
    "Suspend {name}?",
    "{at_stake} Suspending keeps what's in its memory, but interrupts what's running.",
    "Suspend",
    "Keep running",
)
#: What a stop costs that ends a workspace for good, and what stays.
LOST: Final[Mapping[StopEffect, str]] = MappingProxyType(
    {
        StopEffect.ENDS: "Anything unsaved or only in its memory is lost; the files you saved stay.",
        StopEffect.ERASES: "Everything stored only in it is lost.",
    }
)
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
CONFIRM_UNLINK: Final = (
    "Unlink {title}?",
    (
        "This will delete my access to your account on {title} and forget your list. "
        "Anything running there keeps running."
    ),
    "Unlink",
    "Stay linked",
)
