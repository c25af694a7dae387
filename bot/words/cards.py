"""The words of cards and lists: states, what is going on, labels of buttons, questions before a step."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bot.models import State, WishVerb

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

#: While a wish is open, before its call was taken and after.
QUEUED: Final[Mapping[WishVerb, str]] = MappingProxyType(
    {
        WishVerb.START: "Queued to start since {since}.",
        WishVerb.STOP: "Queued to stop since {since}.",
        WishVerb.RESTART: "Queued to restart since {since}.",
    }
)
GOING_ON: Final[Mapping[WishVerb, str]] = MappingProxyType(
    {
        WishVerb.START: "Starting since {since}.",
        WishVerb.STOP: "Stopping since {since}.",
        WishVerb.RESTART: "Restarting since {since}.",
    }
)
#: The same without a time, for notifications and readers without blocks.
QUEUED_SHORT: Final[Mapping[WishVerb, str]] = MappingProxyType(
    {
        WishVerb.START: "{name} is queued to start at {title}.",
        WishVerb.STOP: "{name} is queued to stop at {title}.",
        WishVerb.RESTART: "{name} is queued to restart at {title}.",
    }
)
GOING_ON_SHORT: Final[Mapping[WishVerb, str]] = MappingProxyType(
    {
        WishVerb.START: "{name} is starting at {title}.",
        WishVerb.STOP: "{name} is stopping at {title}.",
        WishVerb.RESTART: "{name} is restarting at {title}.",
    }
)
USUAL: Final = "Usually ready after {usual}."
USUAL_PASSED: Final = "It usually takes {usual}, so this one takes longer."
STILL_WAITING: Final = "It takes longer than expected. I keep looking; you can keep waiting or stop it."
BAR_FULL: Final = "▰"
BAR_EMPTY: Final = "▱"

RUNNING: Final = "Running since {since}."
RUNNING_SHORT: Final = "{name} is running at {title}."
OPENS_AS: Final = "It opens when you are signed in at {title} as {username}."
OPENS: Final = "It opens when you are signed in at {title}."
NO_ADDRESS: Final = "{title} gave no address that I may pass on. Open it on its page there."
STOPPED: Final = "Stopped since {since}."
STOPPED_SHORT: Final = "{name} is stopped at {title}."
STOPPED_ELSEWHERE: Final = "It was running, and has been stopped at {title} since then."
STOPPED_ELSEWHERE_SHORT: Final = "{name} was stopped at {title}."
STOPPING_ELSEWHERE: Final = "It was running, and is being stopped at {title}."
FAILED_SINCE: Final = "It was running, and has failed at {title} since then. Look at its page there."
FAILED_SINCE_SHORT: Final = "{name} has failed at {title}."
GONE_SINCE: Final = "It no longer exists at {title}."
GONE_SHORT: Final = "{name} no longer exists at {title}."
STARTED_ELSEWHERE: Final = "It has been started again since then."
STARTED_ELSEWHERE_SHORT: Final = "{name} was started again at {title}."
#: How a wish ended that did not come true; the cause follows.
ENDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "failed": "The {verb} failed.",
        "refused": "The {verb} was refused.",
        "cancelled": "The {verb} was called off.",
        "replaced": "The {verb} was called off.",
    }
)
ENDED_SHORT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "failed": "The {verb} of {name} at {title} failed.",
        "refused": "The {verb} of {name} at {title} was refused.",
        "cancelled": "The {verb} of {name} at {title} was called off.",
        "replaced": "The {verb} of {name} at {title} was called off.",
    }
)
REFERENCE: Final = "Reference {reference}"

OPEN: Final = "Open"
START: Final = "Start"
STOP: Final = "Stop"
RESTART: Final = "Restart"
STATUS: Final = "Status of"
REFRESH: Final = "Refresh"
TRY_AGAIN: Final = "Try again"
KEEP_WAITING: Final = "Keep waiting"
LINK: Final = "Link {title}"
LINK_AGAIN: Final = "Link again"
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
CONFIRM_UNLINK: Final = (
    "Unlink {title}?",
    "I delete my access to your account there and forget your list. What runs there goes on running.",
    "Unlink",
    "Keep it",
)
