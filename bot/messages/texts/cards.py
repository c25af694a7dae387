"""The words of cards and lists: states, what is going on, labels of buttons, questions before a step."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bot.domain.models import OperationVerb, State, StopEffect

if TYPE_CHECKING:
    from collections.abc import Mapping

STATES: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.STOPPED: "Stopped",
        State.STARTING: "Starting",
        State.RUNNING: "Running",
        State.STOPPING: "Stopping",
        State.SUSPENDED: "Suspended",
        State.FAILED: "Failed",
        State.GONE: "No longer there",
        State.UNKNOWN: "Unknown",
    }
)
#: Of a workspace that its provider has not made yet.
UNMADE: Final = "Being made"

#: What an operation is called in a sentence: "the … of notebook".
NOUNS: Final[Mapping[OperationVerb, str]] = MappingProxyType(
    {
        OperationVerb.START: "start",
        OperationVerb.STOP: "stop",
        OperationVerb.RESTART: "restart",
        OperationVerb.CREATE: "creation",
        OperationVerb.SUSPEND: "suspension",
        OperationVerb.FORCE: "forced stop",
        OperationVerb.REMOVE: "removal",
    }
)
#: While an operation is open, before its call was taken and after.
QUEUED: Final[Mapping[OperationVerb, str]] = MappingProxyType(
    {
        OperationVerb.START: "Queued to start since {since}.",
        OperationVerb.STOP: "Queued to stop since {since}.",
        OperationVerb.RESTART: "Queued to restart since {since}.",
        OperationVerb.CREATE: "Queued to be made since {since}.",
        OperationVerb.SUSPEND: "Queued to be suspended since {since}.",
        OperationVerb.FORCE: "Queued for a forced stop since {since}.",
        OperationVerb.REMOVE: "Queued to be removed since {since}.",
    }
)
GOING_ON: Final[Mapping[OperationVerb, str]] = MappingProxyType(
    {
        OperationVerb.START: "Starting since {since}.",
        OperationVerb.STOP: "Stopping since {since}.",
        OperationVerb.RESTART: "Restarting since {since}.",
        OperationVerb.CREATE: "Being made since {since}.",
        OperationVerb.SUSPEND: "Being suspended since {since}.",
        OperationVerb.FORCE: "Being forced to stop since {since}.",
        OperationVerb.REMOVE: "Being removed since {since}.",
    }
)
#: The same without a time, for notifications and readers without blocks.
QUEUED_SHORT: Final[Mapping[OperationVerb, str]] = MappingProxyType(
    {
        OperationVerb.START: "{name} is queued to start at {title}.",
        OperationVerb.STOP: "{name} is queued to stop at {title}.",
        OperationVerb.RESTART: "{name} is queued to restart at {title}.",
        OperationVerb.CREATE: "{name} is queued to be made at {title}.",
        OperationVerb.SUSPEND: "{name} is queued to be suspended at {title}.",
        OperationVerb.FORCE: "{name} is queued for a forced stop at {title}.",
        OperationVerb.REMOVE: "{name} is queued to be removed at {title}.",
    }
)
GOING_ON_SHORT: Final[Mapping[OperationVerb, str]] = MappingProxyType(
    {
        OperationVerb.START: "{name} is starting at {title}.",
        OperationVerb.STOP: "{name} is stopping at {title}.",
        OperationVerb.RESTART: "{name} is restarting at {title}.",
        OperationVerb.CREATE: "{name} is being made at {title}.",
        OperationVerb.SUSPEND: "{name} is being suspended at {title}.",
        OperationVerb.FORCE: "{name} is being forced to stop at {title}.",
        OperationVerb.REMOVE: "{name} is being removed at {title}.",
    }
)
USUAL: Final = "Usually ready after {usual}."
USUAL_PASSED: Final = "It usually takes {usual}, so this one takes longer."
STILL_WAITING: Final = "It takes longer than expected. I keep looking; you can keep waiting or stop it."
#: Nobody can tell whether a creation went through: its person decides.
ASKED: Final = (
    "{title} didn't answer, and I can't tell whether anything there came from this request. "
    "Starting another may leave you with two."
)
ASKED_SHORT: Final = "Was {name} made on {title}? I can't tell."
BAR_FULL: Final = "▰"
BAR_EMPTY: Final = "▱"

RUNNING: Final = "Running since {since}."
RUNNING_SHORT: Final = "{name} is running at {title}."
OPENS_AS: Final = "It opens when you are signed in at {title} as {username}."
OPENS: Final = "It opens when you are signed in at {title}."
NO_ADDRESS: Final = "{title} gave no address that I may pass on. Open it on its page there."
OPENS_HERE: Final = "It opens in a page of mine, for you alone: sign in there with Slack."
NO_PAGE: Final = (
    "It opens in a page of mine, and I have no address that browsers reach. "
    "Ask whoever runs me to set `USHER_PUBLIC_URL`."
)
NOT_OPEN: Final = "{title} does not let anybody in just now. Look at its status in a moment."
STOPPED: Final = "Stopped since {since}."
STOPPED_SHORT: Final = "{name} is stopped at {title}."
SUSPENDED: Final = "Suspended since {since}. Resume it, and it goes on where it was."
SUSPENDED_SHORT: Final = "{name} is suspended at {title}."
ENDED_FOR_GOOD: Final = "Over since {since}. It can't be started again."
NOT_RENEWED: Final = "The old one has ended, and no new one could be started in its place."
REMOVED: Final = "Removed since {since}."
REMOVED_SHORT: Final = "{name} is removed at {title}."
NOT_MADE: Final = "The creation was called off before {title} had made anything."
NOT_MADE_SHORT: Final = "The creation of {name} at {title} was called off."
SUSPENDED_ELSEWHERE: Final = "It was running, and is suspended at {title} now. Resume it, and it goes on."
SUSPENDED_ELSEWHERE_SHORT: Final = "{name} is suspended at {title}."
STOPPED_ELSEWHERE: Final = "It was running, and has been stopped at {title} since then."
STOPPED_ELSEWHERE_SHORT: Final = "{name} was stopped at {title}."
STOPPING_ELSEWHERE: Final = "It was running, and is being stopped at {title}."
FAILED_SINCE: Final = "It was running, and has failed at {title} since then. Look at its page there."
FAILED_SINCE_SHORT: Final = "{name} has failed at {title}."
GONE_SINCE: Final = "It no longer exists at {title}."
GONE_SHORT: Final = "{name} no longer exists at {title}."
STARTED_ELSEWHERE: Final = "It has been started again since then."
STARTED_ELSEWHERE_SHORT: Final = "{name} was started again at {title}."
#: How an operation ended that failed; the cause follows.
ENDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "failed": "The {verb} failed.",
        "refused": "The {verb} was refused.",
        "cancelled": "The {verb} was called off.",
        "replaced": "The {verb} was called off.",
        "unknown": "I don't know whether the {verb} went through.",
    }
)
#: Replaced after a call had left for it: that goes ahead.
SENT: Final = "The {verb} had already been sent."
SENT_SHORT: Final = "The {verb} of {name} had already been sent to {title}."
ENDED_SHORT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "failed": "The {verb} of {name} at {title} failed.",
        "refused": "The {verb} of {name} at {title} was refused.",
        "cancelled": "The {verb} of {name} at {title} was called off.",
        "replaced": "The {verb} of {name} at {title} was called off.",
        "unknown": "It isn't known whether the {verb} of {name} on {title} went through.",
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
LOOK_AGAIN: Final = "Look again"
START_ANOTHER: Final = "Start another"
LINK: Final = "Link {title}"
LINK_AGAIN: Final = "Link again"
LINK_AGAIN_TO: Final = "Link {title} again"
UNLINK: Final = "Unlink"
UNLINK_ONE: Final = "Unlink {title}"
FORGET: Final = "Forget"
SEE_PAGE: Final = "See its page"
OPEN_LINK_PAGE: Final = "Open the link page"
ENTER_CODE: Final = "Enter code"
MORE: Final = "More"

#: Questions before a step that can't be taken back: title, text, what does it, what leaves it.
CONFIRM_STOP: Final = (
    "Stop it?",
    "{name} stops for everything that runs in it. Unsaved work may be lost.",
    "Stop",
    "Leave it",
)
CONFIRM_FORCE: Final = (
    "Force it to stop?",
    "{name} ends at once, without being asked. What is not saved in it is lost.",
    "Force quit",
    "Leave it",
)
#: What a stop costs that ends a workspace for good, and what stays.
LOST: Final[Mapping[StopEffect, str]] = MappingProxyType(
    {
        StopEffect.ENDS: "Whatever is in its memory or unsaved is lost; the files you saved stay.",
        StopEffect.ERASES: "Everything stored only in it is lost.",
    }
)
CONFIRM_END: Final = (
    "End it for good?",
    "{name} can't be started again after this. {lost}",
    "End it",
    "Keep it",
)
CONFIRM_FORCE_END: Final = (
    "End it for good without saving?",
    "{name} can't be started again. {lost}",
    "End it",
    "Keep running",
)
CONFIRM_REMOVE: Final = (
    "Remove it for good?",
    "{name} is deleted with all that is only in it. You type its name in the next step.",
    "Go on",
    "Keep it",
)
CONFIRM_UNLINK: Final = (
    "Unlink {title}?",
    "I delete my access to your account there and forget your list. What runs there goes on running.",
    "Unlink",
    "Keep it",
)
