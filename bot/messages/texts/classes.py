"""The words of class cards: before a press, after it, and at the end of the class."""

from __future__ import annotations

from typing import Final

# -- the card ----------------------------------------------------------------------------------------------

TITLE: Final = "*{name}*"
DOES_MAKE: Final = (
    "Press the button, and I make you a workspace of your own at {title} (*{recipe}*), "
    "with your own account. When you have one from here already, I start that."
)
DOES_START: Final = "Press the button, and I start your own *{pattern}* at {title}, with your own account."
DOES_THEN: Final = "Its address comes to you alone, by direct message."
CONSENT: Final = (
    "By pressing it you agree that your workspace can be {done} when {who} or an Usher admin ends the class."
    "{means} You'll get a 5-minute warning and can keep it."
)
CONSENT_UNTIL: Final = (
    "By pressing it you agree that your workspace {does} at {at}, or earlier if {who} or an Usher admin ends "
    "the class.{means} You'll get a 5-minute warning and can keep it."
)
#: What the end of a class does to a workspace: what is done to it, what it does, what that means.
STOPS: Final = ("stopped", "stops", "")
SUSPENDS: Final = ("suspended", "is suspended", "What's in its memory stays.")
ENDS: Final = ("ended for good", "ends for good", "It can't be started again after that. {lost}")
SUSPENDS_OR_ENDS: Final = (
    "suspended (or ended for good where that isn't possible)",
    "is suspended or ends for good",
    "If it's suspended, what's in its memory stays. If it ends, it can't be started again. {lost}",
)
#: Of one that nobody agreed to end for good.
SPARES: Final = (
    "stopped",
    "stops",
    "Right now that would end it for good. If it still would then, I'll leave it running.",
)
AT: Final = "{clock} ({zone})"
AT_DAY: Final = "{clock} on {day} ({zone})"
PRESS: Final = "Get my workspace"
PROBLEMS: Final = "Show problems"
STOP_ALL: Final = "Stop all"
NOBODY_YET: Final = "Nobody has pressed yet."
SEATS: Final = "{maximum} places."
COUNTS: Final = "*{ready} of {pressed} ready*"
WAITING: Final = "{count} waiting"
FAILED: Final = "{count} failed"
KEPT: Final = "{count} kept"
CLOSING: Final = "{who} has ended the class. Its workspaces will be {done} at {at}."
CLOSING_UNTIL: Final = "The class is over. Its workspaces are being {done}."
OVER: Final = "The class is over. {stopped} stopped, {kept} kept."
CONFIRM_STOP_ALL: Final = (
    "Stop all {count}?",
    "Everyone gets 5 minutes to keep theirs. The rest are then {done}.",
    "Stop all",
    "Not yet",
)
SHORT: Final = "{name}: {ready} of {pressed} ready"
SHORT_NEW: Final = "{name}: press the button to get your workspace"

# -- posting one -------------------------------------------------------------------------------------------

USAGE: Final = (
    "Write `{command}card CONNECTION/PRESET` or `{command}card NAME`, "
    "with `--title TEXT`, `--until 17:00` and `--max 60` behind it if you like."
)
IN_A_CHANNEL: Final = "A class card stands in a channel. Write this there, where your class reads it."
POSTED: Final = "The card for *{name}* comes into this channel now. {ends}"
POSTED_ENDS: Final = "The workspaces it starts will be {done} at {at}."
POSTED_NO_END: Final = "*Stop all* on it ends the class."
BAD_MAX: Final = "`--max` takes a whole number from 1 to {most}. Write for example `--max 60`."
BAD_FLAG: Final = "I don't know `--{flag}` here."
LONG_TITLE: Final = "A title may have 1 to {most} characters."
NO_SUCH_RECIPE: Final = "{title} offers nothing called *{name}* to you. There is: {known}."
NO_RECIPES: Final = "{title} offers nothing that I could make a workspace from. Look at `{command}new` there."
WHICH_RECIPE: Final = "{title} needs to know what to make: write `{command}card {connection}/NAME`. {known}"
WHICH_CONNECTION: Final = (
    "At which connection is *{name}*? Write `{command}card {name}@CONNECTION` with one of these: {known}."
)
INCOMPLETE: Final = "{title} needs more to make that: {problems}"
ASKING: Final = "I am asking {title} what it offers, and post the card right after."
NO_OFFER: Final = "{title} has not told me what it offers. Try again in a moment."

# -- the poster's own messages -----------------------------------------------------------------------------

POST_AGAIN: Final = "Post again"
DID_IT_APPEAR: Final = (
    "Slack did not tell me whether the card for *{name}* has appeared in <#{channel}>. "
    "Look there, and post it again if it has not."
)
NOT_POSTED: Final = (
    "Slack does not let me post the card for *{name}* in <#{channel}>. Invite me there, then post it again."
)
POSTED_AGAIN: Final = "I post it once more."
STANDS_ALREADY: Final = "It stands there already."
SUMMARY: Final = "The class *{name}* is over."
SUMMARY_COUNTS: Final = "{pressed} pressed, {ready} got ready, {failed} failed."
SUMMARY_STOPPED: Final = "{stopped} stopped, {kept} kept by their owners."
SUMMARY_LEFT: Final = "{left} could not be stopped: their owners were told, or are told when it is done."
SUMMARY_REST: Final = "{rest} were down already, or are not linked any more."

# -- a press -----------------------------------------------------------------------------------------------

STARTING: Final = "Starting your *{name}* at {title}."
MAKING: Final = "Making your *{name}* at {title}."
ON_ITS_WAY: Final = "Your *{name}* at {title} is on its way already."
GOES_ON: Final = "You get a direct message when it is ready."
FIRST: Final = "You are next."
PLACE: Final = "You are number {place} in the queue."
ESTIMATE: Final = "Your turn comes in about {time}."
RUNNING: Final = "Your *{name}* is running."
UNKNOWN: Final = "That card is not in use any more. Ask for a new one."
ENDED: Final = "This class has ended. Write `{command}start` to go on by yourself."
WITHHELD: Final = (
    "What this card makes at {title} is prepared for some people only, and you are not among them. "
    "Ask whoever posted it."
)
FULL: Final = "All {maximum} places of this class are taken. Ask {who} whether there is another one."
NO_WORKSPACE: Final = (
    "You have no workspace *{pattern}* at {title}. {who} sees that you wait for one; "
    "press again when it is there."
)
LOOKING: Final = "I am looking for your *{pattern}* at {title}, and go on right after."
MANY: Final = (
    "More than one of your workspaces at {title} fits *{pattern}*. "
    "Start the one you mean: `{command}start NAME`."
)
NOT_LINKED: Final = (
    "Your account at {title} is not linked yet. Link it, and I go on by myself: you need not press again."
)
LINK_REFUSED: Final = "{title} no longer accepts your link. Link it again, and I go on by myself."
NOT_LINKED_ASK: Final = (
    "At {title} an administrator decides whom you act as. Ask for your username there: "
    "once you are linked, I go on by myself."
)

# -- problems and the end ----------------------------------------------------------------------------------

NO_PROBLEMS: Final = "Nobody waits, and nothing has failed: {ready} of {pressed} are ready."
PROBLEMS_HEAD: Final = "*{name}*: who waits, and why"
PROBLEM: Final = "{who}: {why} ({age})"
MORE_PROBLEMS: Final = "and {count} more"
WHY_UNLINKED: Final = "has not linked an account at {title} yet"
WHY_NO_WORKSPACE: Final = "has no such workspace at {title}"
WHY_MANY: Final = "has more than one workspace of that name"
WHY_QUEUED: Final = "waits for their turn"
WHY_STARTING: Final = "called at {title}, and not ready yet"
CLOSED: Final = (
    "I'm telling everyone, so that they can keep theirs. The rest are stopped at {at}. "
    "I'll send you a summary."
)
CLOSED_ALREADY: Final = "The class is being ended already."
WARNED: Final = (
    "{who} is ending the class *{title}*. Your *{name}* on {at_title} {does} at {at}.{means} "
    "Save your work, or press *Keep mine* to keep it running."
)
WARNED_SHORT: Final = "The class {title} is ending: your {name} {does} soon."
KEEP_MINE: Final = "Keep mine"
KEPT_MINE: Final = "Your workspace stays as it is. Stop it yourself when you don't need it: `{command}stop`."
KEPT_TOO_LATE: Final = "It is too late for that: the class has ended. Start it again with `{command}start`."
STOPPED_BY: Final = "*{name}* is {done} at {title}: {who} ended the class *{course}*."
STOPPED_BY_TIME: Final = "*{name}* is {done} at {title}: the class *{course}* of {who} is over."
STOP_FAILED_BY: Final = "{who} ended the class *{course}*, but *{name}* at {title} could not be stopped."
