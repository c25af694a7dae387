"""The words of messages that a person must not miss."""

from __future__ import annotations

from typing import Final

READY: Final = "*{name}* is ready."
READY_SHORT: Final = "{name} is ready at {title}."
READY_AFTER: Final = "It took {took}."
FAILED: Final = "The {verb} of *{name}* at {title} failed."
FAILED_SHORT: Final = "The {verb} of {name} at {title} failed."
NOT_KNOWN: Final = "I don't know whether the {verb} of *{name}* on {title} went through."
REFUSED: Final = "The {verb} of *{name}* at {title} was refused."
REFUSED_SHORT: Final = "The {verb} of {name} at {title} was refused."
STOPPED: Final = "*{name}* is stopped at {title}."
ENDED: Final = "*{name}* on {title} has ended. It can't be started again."
STOPPED_SHORT: Final = "{name} is stopped at {title}."
STOPPED_ELSEWHERE: Final = "*{name}* was stopped at {title}, not by me. Start it again if you need it."
SUSPENDED: Final = "*{name}* is suspended at {title}. Resume it, and it goes on where it was."
SUSPENDED_SHORT: Final = "{name} is suspended at {title}."
REMOVED: Final = "*{name}* is removed at {title}, and off your list."
REMOVED_SHORT: Final = "{name} is removed at {title}."
NOT_MADE: Final = "The creation of *{name}* was called off before {title} had made anything."
NOT_MADE_SHORT: Final = "The creation of {name} at {title} was called off."
CALLED_OFF: Final = "The {verb} of *{name}* at {title} was called off."
CALLED_OFF_SHORT: Final = "The {verb} of {name} at {title} was called off."
ENDING_STOPS: Final = (
    "*{name}* at {title} stops in {left}, {at}, as nobody uses it. "
    "*Open* keeps it, *Remove* ends it for good."
)
ENDING_REMOVED: Final = (
    "*{name}* at {title} is removed in {left}, {at}. What is only in it is lost then. *Start* keeps it."
)
ENDING_ANYHOW: Final = (
    "*{name}* at {title} is removed in {left}, {at}: its time is up. Save what you need from it before."
)
ENDING_SHORT: Final[dict[str, str]] = {
    "stops": "{name} at {title} stops in {left}.",
    "removed": "{name} at {title} is removed in {left}.",
}
ENDED_SHORT: Final = "{name} at {title} ends by itself."
WAITING: Final = (
    "The {verb} of *{name}* at {title} takes longer than expected. "
    "I keep looking and tell you when it is done."
)
WAITING_SHORT: Final = "The {verb} of {name} at {title} takes longer than expected."
ASKED: Final = (
    "{title} didn't answer about *{name}*, and I can't tell whether anything there came from this request. "
    "I'll keep looking. Starting another may leave you with two."
)
#: The same message, once there is nothing to ask any more.
ASKED_FOUND: Final = "I asked whether to make another *{name}*. It has shown up on {title}, so no need."
ASKED_ANOTHER: Final = "I asked whether to make another *{name}* on {title}. You chose to start another."
ASKED_OVER: Final = "I asked whether to make another *{name}* on {title}. Its card says how that ended."
LINKED_AS: Final = "Your account *{username}* at {title} is linked. I act there only when you ask me to."
LINKED: Final = "Your account at {title} is linked. I act there only when you ask me to."
LINKED_SHORT: Final = "Your account at {title} is linked."
LINKED_NEXT: Final = "If that was not you, press *Unlink*. Write `list` to see your workspaces."
UNLINKED: Final = "Your account at {title} is unlinked. I have deleted my access to it."
UNLINKED_SHORT: Final = "Your account at {title} is unlinked."
LINK_AGAIN: Final = (
    "{title} no longer accepts your link. Link again: what is under way there goes on then, "
    "and your list stays as it is."
)
LINK_AGAIN_SHORT: Final = "{title} no longer accepts your link. Link again."
SIGN_IN_REFUSED: Final = (
    "{title} has refused your sign-in since {since}. It may be a problem there, so I've kept your link. "
    "I'll keep checking, and what's waiting will carry on once it's accepted again. "
    "If you've changed or revoked it, link again."
)
SIGN_IN_REFUSED_SHORT: Final = "{title} is refusing your sign-in."
#: Why an account was unlinked, where the person did not do it.
UNLINKED_BECAUSE: Final[dict[str, str]] = {
    "administrator": "An administrator asked for it.",
    "left": "Your Slack account was deactivated.",
    "uninstalled": "I was removed from the Slack workspace.",
    "refused": "{title} no longer accepted it.",
    "replaced": "A new link took its place.",
}
