"""Answers to verbs and buttons. ``{command}`` is what people type before a verb, with or without a slash."""

from collections.abc import Mapping
from typing import Final

from bot.domain.markup import Template
from bot.domain.operations import OperationVerb, Remark
from bot.domain.time_parsing import Why
from bot.messages.texts import cards

#: Warns that Usher accepts requests although no process is running to carry them out.
NO_WORKER: Final = (
    "I can't carry anything out right now, because the part of me that does the work isn't running. "
    "What you ask for isn't lost: I'll do it once that's back. If this lasts, tell your Usher admin."
)

SAID_LONG_AGO: Final = "I've only just seen what you asked me {at}: “{said}”. Should I still do it?"
SAID_LONG_AGO_AGAIN: Final = (
    "I've only just seen what you asked me {at}, so I haven't done it. If you still want it, ask me again."
)
QUOTED_AGAIN: Final = (
    "This looks copied from somewhere, so I haven't done it. If it's what you want, type it yourself."
)
NOT_LET: Final = "Your settings don't let Slackbot do that by itself. Should I do it?"
LEAVE_IT: Final = "Leave it"

# -- operations --------------------------------------------------------------------------------------------

ACCEPTED: Final = ("{Doing} *{name}* {where} {title}.", "I'll message you when {end}.")
#: Answers a request for something that is already in progress.
JOINED: Final = ("*{name}* is already {happening}.", "I'll message you when {end}.")
STARTING_AFTER_STOP: Final = (
    "*{name}* is stopping. I'll start it again once it has stopped, and message you when it's ready."
)
ENDING: Final = "Ending *{name}* on {title} for good. I'll message you when it's done."
#: Last sentence of a message that asks for confirmation. It follows the description of what would change.
TO_CONTINUE: Final = "To continue, press *{button}*."
RENEW_EFFECT: Final = (
    "{name} can't be restarted as it is. This will end it for good and start a new one with the same "
    "settings. {lost}"
)
RESUMING: Final = ("Resuming *{name}* on {title}.", "I'll message you when {end}.")
FORCING: Final = "Forcing *{name}* on {title} to quit. I'll message you when it has stopped."
#: Answers sent when Usher does something other than what the verb suggests.
REMARKS: Final[Mapping[Remark, Template]] = {
    "calling_off": "Cancelling the creation of *{name}*.",
    "renewing": (
        "Replacing *{name}* on {title}: I'm starting a new one with the same settings. "
        "I'll message you when it's ready."
    ),
    "restarting_keeps": (
        "Restarting *{name}* on {title}: I'm suspending and resuming it, so what's in its memory stays. "
        "I'll message you when it's ready."
    ),
    "resuming": RESUMING,
    "starting_after_stop": STARTING_AFTER_STOP,
    "starting_running": "*{name}* is already running ({as_of}). I'll check again and send you the link.",
    "stopping_pending": "Cancelling the start of *{name}* and stopping it.",
    "stopping_started": (
        "The start of *{name}* had already been sent, so I'm stopping it again. "
        "I'll message you when it has stopped."
    ),
    "stopping_stopped": "*{name}* is already stopped ({as_of}). I'll double-check.",
    "suspended_already": "*{name}* isn't running ({as_of}). I'll double-check.",
}
REMOVE_EFFECT: Final = "This will permanently delete *{name}* on {title} and everything stored only in it."
REMOVE_ASK: Final = "To continue, press *Remove* and confirm its name."
REMOVE_LABEL: Final = "Type its name to confirm"
REMOVE_OTHER_NAME: Final = "That isn't its name. Type {name} exactly."
#: Maps operations to the commands that request them, if their names differ.
TYPED: Final[Mapping[str, str]] = {
    OperationVerb.CREATE: "new",
    OperationVerb.FORCE: "stop",
    "wait": "start --wait",
}
MORE_OPTIONS: Final = "There are more than I can show. Type part of a name to find the others."
COMING: Final = "One moment …"
KEPT_WAITING: Final = "I'll keep checking on *{name}* and message you again within {time}."
KEPT_WITHOUT_END: Final = (
    "I won't stop it by myself: on {title} that would end it for good. To set an end again, type "
    "`{command}stop {typed} in TIME`."
)
TOO_LATE: Final = {
    "fulfilled": "That {verb} has already finished. Its latest message shows the result.",
    "failed": "That {verb} failed. Its latest message says why. Type `{command}{typed}` to try again.",
    "refused": "That {verb} was refused. Type `{command}status` to see where things stand.",
    "cancelled": "That {verb} was cancelled. Type `{command}{typed}` to ask again.",
    "replaced": "Something else has taken its place since. Type `{command}status` to see where things stand.",
    "unknown": "I never found out whether that {verb} went through. `{command}list` shows what's there.",
}
LOOKING_AGAIN: Final = "Looking for *{name}* again. Its card shows what I find."
STARTING_ANOTHER: Final = "Starting another workspace like *{name}*. I'll message you when it's ready."
NOT_ASKED: Final = "That question is closed. *{name}*'s card shows where things stand."
STILL_AT_IT: Final = "I'm still {doing} *{name}*. No need to ask again."
LOOKING: Final = "I'm checking again now. The card shows what I find."
TOO_MANY: Final = "You're sending requests too quickly, so I skipped this one. Try again in {wait}."
#: Shown above the current state if Usher ignored a button because it was out of date. The key is True for a
#: button on a page (the Home tab or an open form), and False for a button in a message.
OUTDATED: Final[Mapping[bool, str]] = {
    False: "That message was out of date, so I did nothing. Here's how things are now:",
    True: "This page was out of date, so I did nothing. Here's how things are now:",
}
AS_OF: Final = "As of {at}. The card in our direct messages stays up to date."
AS_OF_ALONE: Final = "As of {at}."
NO_TOTALS: Final = (
    "The totals are on your monitoring dashboard now. `{command}approvals` lists the open requests to link "
    "an account."
)
OLD_BUTTON: Final = "That button no longer works. Type `{command}help` to see what I can do."

# -- names -------------------------------------------------------------------------------------------------

#: Shown above buttons that suggest similar names: the first text above several buttons, the second above one.
NEAREST: Final = ("Did you mean one of these?", "Did you mean this one?")
MAY_BE_UNLINKED: Final = "It may be on an account that you haven't linked yet."
CHECKING: Final = "Checking {titles}…"
WHICH: Final = "You have more than one *{name}*, on {titles}. Which one?"
WHICH_AT: Final = "Press one, or type its full name, for example `{command}{verb} {example}`."
WHICH_OF_ALL: Final = "Which workspace? Press one, or type `{command}{verb} NAME`."
EXAMPLE: Final = "NAME"
UNREAD: Final = "I couldn't read your list on {title}. {why} {again}"
NONE_YET: Final = "You don't have any workspaces on {titles} yet."
NONE_YET_NEW: Final = "You don't have any workspaces yet. Press *New workspace* to create one."
NEW_WORKSPACE: Final = "New workspace"
NONE_BUT_ADD: Final = (
    "You don't have any workspaces here yet. To add one, type `{command}add LINK` with its link."
)
NEVER_SHOWN: Final = "{title} doesn't show *{name}* to your account: it's somebody else's, or there's none."

# -- lists and states --------------------------------------------------------------------------------------

LIST: Final = "Your {what}"
WORKSPACES: Final = "workspaces"
#: Words that lists use for a run's state, if they differ from the state's name.
LISTED_AS: Final[Mapping[str, str]] = {"succeeded": "successful", "cancelled": "stopped"}
ON: Final = "{what} on {title}"
NARROWED: Final = "{count} of {all}. Type `{command}list` to see all of them."
NONE_OF_THESE: Final = "You don't have any {what}."
STATE_LINE: Final = f"{cards.HEAD}\n{{state}} · {{as_of}}"
ROW: Final = f"{cards.HEAD}\n{{state}}"
LAST_USED: Final = "Last used {at}."
SEEN: Final = "as of {at}"
GONE: Final = "Gone since {since}"
AND_MORE: Final = "and {count} more"
OLD_SNAPSHOT: Final = "I'm checking {titles} for changes."
PRESS_REFRESH: Final = "Press *Refresh* in a moment."
NOT_RUNNING: Final = "*{name}* {being}. Start it and I'll send you the link."
REALIASED: Final = "*{old}* is now called *{name}* on your list."
UNALIASED: Final = "*{name}* is back to its original name."
ALIAS_USAGE: Final = "Type `{command}alias NAME NEW-NAME`. Put names with spaces in quotes."
FORGOTTEN: Final = (
    "*{name}* is off your list. Nothing changes on {title}; `{command}add {typed}` brings it back."
)
FORGOTTEN_RUNNING: Final = "It's {state}, and I won't stop it any more."
ADD_USAGE: Final = "Type `{command}add LINK` with a workspace's link or id, and a name if you like."
ADD_UNKNOWN: Final = (
    "That isn't the link or id of a workspace on {titles}. Open the workspace's page there and copy its link."
)
ADD_AMBIGUOUS: Final = (
    "That could be on more than one of these: {titles}. Type `{command}add {example}` to say which."
)
ADDED: Final = "*{name}* on {title} is now on your list. I'm checking on it."
BROUGHT_BACK: Final = "*{name}* on {title} is back on your list."

# -- links -------------------------------------------------------------------------------------------------

TO_DO: Final = "To {doing}, link your {title} account."
NOT_LINKED: Final = "Link your {title} account{then}"
LINK_REFUSED: Final = "{title} no longer accepts your link. Link again here{then}"
SIGN_IN_REFUSED: Final = "{title} refuses your sign-in, so I can't plan that. Link again here{then}"
LINK_RESTING: Final = (
    "I don't use your link to {title}: *{username}* is another account there now. "
    "Link your own account here{then}"
)
LIST_RESTING: Final = (
    "{username} is another account on {title} now, so I show nothing from there: link again."
)
LINK_DOES_NOT_MOVE: Final = (
    "If you linked it before, you had a different Slack ID then, and a link can't move to a new ID."
)
LINK_ONE: Final = "Link your {title} account."
LINKED_AS: Final = "Your {title} account {username} is linked. Linking again replaces it."
LINKED_NAMELESS: Final = "Your {title} account is linked. Linking again replaces it."
LINK_NONE: Final = "You don't need to link an account on {titles}. Press *New workspace* to create one there."
LINK_PAGE: Final = "A link page is only for you, works once, and is valid for 10 minutes."
LINK_CODE: Final = "At the end, the page shows you a code. Press *Enter code* and type it."
CODE_ASK: Final = "Press *Enter code* and type the code that the link page shows you."
CODE_CLOSE: Final = "Not now"
CODE_EXPLAINED: Final = (
    "Only type a code from a link page that you opened yourself. Nobody else ever needs it."
)
CODE_DONE_NEXT: Final = "If you asked for something, I'm carrying on with it in our direct messages."
NO_CONNECTIONS: Final = "There's nothing here that you could link. Ask your Usher admin to add a connection."
UNLINK_OTHER_EFFECT: Final = "This will delete my access to {who}'s account on {title}."
#: Says how many workspaces aren't shown because their connection isn't set up in this process. The key says
#: whether the connection was removed, or whether only other processes have it so far, because Usher is being
#: updated.
ABSENT: Final[Mapping[str, str]] = {
    "connection_gone": "{count} on *{title}*, which isn't set up any more.",
    "connection_coming": "{count} on *{title}*, which part of me doesn't have yet, as I'm being updated.",
}
#: Sent to people who have unlinked an account. The key says which secret is still valid at the provider: one
#: that Usher created, one that the person created, or none.
UNLINKED: Final[dict[str, str]] = {
    "owed": (
        "You're unlinked from {title}. I no longer use my access to your account there. "
        "I'll tell you when {title} has deleted it too."
    ),
    "theirs": (
        "You're unlinked from {title}. I've deleted my copy of your token. "
        "It's valid until you delete it on {title} too."
    ),
    "none": "You're unlinked from {title}. I no longer use your account there.",
}
#: Says what unlinking an account means for running workspaces, planned stops and so on. The first text of
#: each pair is shown before unlinking, the second afterwards.
AFFECTED: Final[dict[str, tuple[str, str]]] = {
    "running": ("I won't stop what's running there: {names}.",) * 2,
    "stops": (
        "The planned stop of {names} will be dropped.",
        "I've dropped the planned stop of {names}.",
    ),
    "hours": (
        "The hours of {names} will pause until you link it again.",
        "I've paused the hours of {names}. Link it again, and they'll resume.",
    ),
    "starts": (
        "The waiting start of {names} will be cancelled.",
        "I've cancelled the waiting start of {names}.",
    ),
    "waits": ("I'll stop waiting for room for {names}.", "I've stopped waiting for room for {names}."),
    "runs": ("I'll stop following the run of {names}.", "I've stopped following the run of {names}."),
    "courses": ("You'll leave {names}.", "You've left {names}."),
}
NOTHING_TO_UNLINK: Final = (
    "You don't have an account of your own on {title}, so there's nothing to unlink. "
    "Type `{command}remove NAME` to remove something you created there."
)
WITHDREW: Final = "I've withdrawn your request to link an account on {title}."
NOTHING_LINKED_AT: Final = "You have no account linked on {title}. Type `{command}about` to see your links."
NOTHING_LINKED_OTHER: Final = "{who} hasn't linked that account, so nothing has changed."


# -- oneself -----------------------------------------------------------------------------------------------

WHOAMI_ABOUT: Final = "To see a connection's server and users, type `{command}about` and its name: {known}."
VERSION: Final = "This is Usher {version}."
WHOAMI_MADE_BY: Final[dict[str, str]] = {
    "sign_in": "{linked} (proven by signing in there)",
    "token": "{linked} (proven with a token)",
    "approval": "{linked} (approved by an Usher admin, until {until})",
    "import": "{linked} (from your Usher admin's list, until {until})",
}
WHOAMI_HELD: Final = "{linked}, but your sign-in has been refused since {since}. I'll keep trying."
WHOAMI_RESTING: Final = (
    "*{title}*: not used since {since}, as {username} is another account there now. Link your own again."
)


#: Explains why a typed time can't be used. ``{given}`` is what the person typed.
TIME_UNREAD: Final[Mapping[Why, str]] = {
    "unreadable": "I can't read *{given}* as a time. Type it as {forms}.",
    "no_time": "*{given}* has no time of day. Add one, for example `{given} 18:00`.",
    "ambiguous": "*{given}* can mean different times. Type {options}.",
    "past": "*{given}* has already passed.",
    "soon": "*{given}* is too soon. Choose a time at least {least} from now.",
    "far": "*{given}* is too far away. Choose a time within the next {most}.",
    "other_weekday": "The weekday and the date in *{given}* don't match. Type one of them.",
}
OR: Final = "{first} or {last}"

# -- introduction for people who are new to Usher ---------------------------------------------------------

SHOW: Final = "Show my workspaces"

WHAT: Final = "I start, stop and open your cloud workspaces from Slack, always with your own account."
WHAT_WITH_JOBS: Final = (
    "I start, stop and open your cloud workspaces and run your jobs from Slack, always with your own account."
)
WHAT_WITHOUT_ACCOUNTS: Final = "I start, stop and open cloud workspaces from Slack."


HERE: Final = "I'm up and running. Link your account, and you can start your workspaces from Slack."


HELP_DIRECT: Final = "In a direct message to me, leave out `{command}`."

OR_ASK: Final = (
    "No token? Press *Ask to link {title}* and give your username there; an Usher admin then approves it."
)
