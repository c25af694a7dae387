"""What a message becomes once newer ones have taken its place: one line that stays true."""

from collections.abc import Mapping
from typing import Final

from bot.domain.workspaces import OperationVerb

#: A card whose operation did what was asked for.
DONE: Final = "*{name}* on {title} {happened} at {at}{took}."
#: How long that took, where it is known.
TOOK: Final = ", in {took}"
#: The same where nothing had to be sent for it.
ALREADY: Final[Mapping[OperationVerb, str]] = {
    OperationVerb.START: "*{name}* on {title} was already running at {at}.",
    OperationVerb.STOP: "*{name}* on {title} was already stopped at {at}.",
}
#: One whose operation ended otherwise, by its outcome.
ENDED: Final[Mapping[str, str]] = {
    "failed": "I couldn't {do} *{name}* on {title} at {at}.",
    "refused": "I wasn't allowed to {do} *{name}* on {title} at {at}.",
    "cancelled": "The {verb} of *{name}* on {title} was cancelled at {at}.",
    "replaced": "The {verb} of *{name}* on {title} was replaced by a newer request at {at}.",
    "unknown": "I couldn't tell at {at} whether *{name}* was {done} on {title}.",
}
#: One that was replaced after its call had left: that goes ahead.
SENT: Final = "The {verb} of *{name}* had already been sent to {title} at {at}."
#: One whose operation went on after newer messages.
ASKED: Final = "You asked me to {do} *{name}* on {title} at {at}."
#: Notices, by what they said.
READY: Final = "*{name}* on {title} was ready at {at}."
STOPPED: Final = "*{name}* on {title} was stopped at {at}."
SUSPENDED: Final = "*{name}* on {title} was suspended at {at}."
REMOVED: Final = "*{name}* was removed from {title} at {at}."
STOPPED_ELSEWHERE: Final = "*{name}* on {title} stopped at {at}, without you asking for it."
WAITING: Final = "{Doing} *{name}* on {title} was taking longer than usual at {at}."
ENDING: Final = "I warned you at {at} that *{name}* on {title} was about to end by itself."
TIMER_ENDING: Final = "I warned you at {at} that *{name}* on {title} would stop as planned."
TIMER_FAILED: Final = "*{name}* on {title} couldn't be stopped as planned at {at}."
NEEDED: Final = "I asked you at {at} whether you still need *{name}* on {title}."
HOURS_MISSED: Final = "I told you at {at} that I couldn't keep to the hours of *{name}* on {title}."
HOURS_PAUSED: Final = "I paused the hours of *{name}* on {title} at {at}."
CLASS_ENDING: Final = "I warned you at {at} that the class of *{name}* on {title} was ending."
LINKED: Final = "Your account on {title} was linked at {at}."
UNLINKED: Final = "Your account on {title} was unlinked at {at}."
LINK_AGAIN: Final = "{title} stopped accepting your link at {at}."
SIGN_IN_REFUSED: Final = "{title} was refusing your sign-in at {at}."
LINK_ENDING: Final = "I reminded you at {at} that your link to {title} was about to expire."
JOB_CARD: Final = "You asked me to run *{name}* on {title} at {at}."
JOB_WAITING: Final = "*{name}* on {title} was taking longer than usual at {at}."
#: The warning before the end of a class, once its reader has kept the workspace.
KEPT: Final = "*{name}* on {title} stays as it is when its class ends."
#: Any other, and one whose workspace or run nobody knows any more.
OVER: Final = "This message from {at} is out of date."
