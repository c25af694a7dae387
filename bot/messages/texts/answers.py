"""What verbs and buttons answer. ``{command}`` is how a person writes to Usher, with slash or without."""

from __future__ import annotations

from typing import Final

# -- operations --------------------------------------------------------------------------------------------

STARTING: Final = "Starting *{name}* at {title}. You get a direct message when it is ready."
STARTING_RUNNING: Final = "*{name}* was running already ({age}). I look once more and send you the way in."
STARTING_ALREADY: Final = "*{name}* is starting already. You get a direct message when it is ready."
STOPPING: Final = "Stopping *{name}* at {title}. You get a direct message when it is down."
STOPPING_PENDING: Final = "Calling off the start of *{name}* and stopping it."
STOPPING_STARTED: Final = (
    "The start of *{name}* had already been sent, so I'm stopping it again. I'll message you when it's down."
)
STARTING_AFTER_STOP: Final = (
    "*{name}* is stopping. I'll start it again once it's down, and message you when it's ready."
)
STOPPING_STOPPED: Final = "*{name}* was stopped already ({age}). I make sure that it is."
STOPPING_ALREADY: Final = "*{name}* is stopping already. You get a direct message when it is down."
RESTARTING: Final = "Restarting *{name}* at {title}. You get a direct message when it is ready."
RESTARTING_ALREADY: Final = "*{name}* is restarting already. You get a direct message when it is ready."
RESTARTING_KEEPS: Final = (
    "Restarting *{name}* on {title}: I'm suspending and resuming it, so what's in its memory stays. "
    "I'll message you when it's ready."
)
RENEWING: Final = (
    "Replacing *{name}* on {title}: I'm starting a new one with the same settings. "
    "I'll message you when it's ready."
)
ENDING: Final = "Ending *{name}* on {title} for good. I'll message you when it's done."
END_ASK: Final = (
    "This will end *{name}* on {title} for good: it can't be started again. {lost} "
    "To continue, press *{button}* or write `{command}{typed} {name} --yes`."
)
RENEW_ASK: Final = (
    "*{name}* can't be restarted as it is. This will end it on {title} for good and start a new one with "
    "the same settings. {lost} To continue, press *{button}* or write `{command}{typed} {name} --yes`."
)
SUSPENDING: Final = "Suspending *{name}* at {title}. You get a direct message when it is done."
SUSPENDING_ALREADY: Final = "*{name}* is being suspended already. You get a direct message when it is done."
SUSPENDED_ALREADY: Final = "*{name}* was down already ({age}). I make sure that it is."
RESUMING: Final = "Resuming *{name}* at {title}. You get a direct message when it is ready."
NOT_SUSPENDED: Final = "*{name}* is not suspended: {state}, {age}. Only what is suspended can be resumed."
FORCING: Final = "Forcing *{name}* at {title} to stop. You get a direct message when it is down."
FORCING_ALREADY: Final = "*{name}* is being forced to stop already. You get a direct message when it is down."
REMOVING: Final = "Removing *{name}* at {title}. You get a direct message when it is gone."
REMOVING_ALREADY: Final = "*{name}* is being removed already. You get a direct message when it is gone."
CALLING_OFF: Final = "Calling off the creation of *{name}*."
MAKING: Final = "Making *{name}* at {title}. You get a direct message when it is ready."
MAKING_ALREADY: Final = "*{name}* is being made already. You get a direct message when it is ready."
REMOVE_ASK: Final = (
    "*{name}* at {title} is deleted for good, with all that is only in it. "
    "Press *Remove* and type its name if that is what you want."
)
REMOVE_TITLE: Final = "Remove for good"
REMOVE_SUBMIT: Final = "Remove"
REMOVE_CLOSE: Final = "Keep it"
REMOVE_LABEL: Final = "Type its name to remove it"
REMOVE_EXPLAINED: Final = (
    "*{name}* at {title} is deleted with all that is only in it. Nobody can bring it back."
)
REMOVE_OTHER_NAME: Final = "That is not its name. Type {name} exactly, or keep it."
DONE_ALREADY: Final = "I had that from you already, so I did nothing twice."
SHARED: Final = {
    "start": "{who} is starting *{name}* at {title}.",
    "stop": "{who} is stopping *{name}* at {title}.",
    "restart": "{who} is restarting *{name}* at {title}.",
    "create": "{who} is making *{name}* at {title}.",
    "suspend": "{who} is suspending *{name}* at {title}.",
    "force": "{who} forces *{name}* at {title} to stop.",
    "remove": "{who} is removing *{name}* at {title}.",
}
#: How a person writes what a button asks for.
TYPED: Final = {
    "start": "start",
    "stop": "stop",
    "restart": "restart",
    "create": "new",
    "suspend": "suspend",
    "force": "stop --force",
    "remove": "remove",
}
KEPT_WAITING: Final = (
    "I keep looking after *{name}*, and tell you when it is done or in {time} at the latest."
)
TOO_LATE: Final = {
    "fulfilled": "That {verb} has come true meanwhile: look at its newest message.",
    "failed": "That {verb} has failed meanwhile: press *Try again* on its card, or write `{command}{typed}`.",
    "refused": "That {verb} was refused meanwhile. Write `{command}status` to see where things stand.",
    "cancelled": "That {verb} was called off meanwhile. Write `{command}{typed}` to ask again.",
    "replaced": "You asked for something else meanwhile. Write `{command}status` to see where things stand.",
    "unknown": "I never found out whether that {verb} went through. `{command}list` shows what's there.",
}
LOOKING_AGAIN: Final = "Looking for *{name}* again. Its card shows what I find."
STARTING_ANOTHER: Final = "Starting another *{name}*. I'll message you when it's ready."
NOT_ASKED: Final = "That question is closed. *{name}*'s card shows where things stand."
STILL_AT_IT: Final = "I am still at it: the {verb} of *{name}* has not ended. Nothing to repeat."
LOOKING: Final = "I look again now; the card shows what I find."
TOO_MANY: Final = "That is more at once than I do for one person, so I left this out. Try again in {wait}."
OLD_BUTTON: Final = "That button is older than I am now. Write `{command}help` to see what I do."

# -- names -------------------------------------------------------------------------------------------------

UNKNOWN_NAME: Final = "I know no workspace *{name}* of yours."
NEAREST: Final = "Did you mean one of these?"
UNKNOWN_NEXT: Final = "Write `{command}list` to see what you have, or `{command}add LINK` to add it."
LOOKING_FOR_IT: Final = "I am looking at {titles} for it, and answer right after."
LOOKING_AT_YOURS: Final = "I am looking at what you have at {titles}, and answer right after."
WHICH: Final = "You have more than one *{name}*. Which one?"
WHICH_BEGINNING: Final = "More than one of your workspaces begins with *{name}*. Which one?"
WHICH_AT: Final = "Press one, or write for example `{command}{verb} {example}`."
WHICH_OF_ALL: Final = "Which workspace? Press one, or write `{command}{verb} NAME`."
PICK: Final = "Find a workspace"
UNREAD: Final = "I couldn't read your list on {title}. {why} To try again, write `{command}list`."
NONE_YET: Final = "You have no workspaces here yet. Create one at {titles}, then write `{command}list`."
NONE_YET_NEW: Final = "You have no workspaces yet. Press *New workspace* to create one."
OR_NEW: Final = "You don't need to link an account on {titles}: create a workspace there right away."
NEW_WORKSPACE: Final = "New workspace"
NEW_WORKSPACE_ON: Final = "New workspace on {title}"
NONE_BUT_ADD: Final = "You have no workspaces here yet. Write `{command}add LINK` with the link of one."
NOT_THERE: Final = "*{name}* no longer exists at {title}. `{command}forget {name}` takes it off your list."
UNKNOWN_VERB: Final = "I don't know the word *{word}*."
UNKNOWN_VERB_NEAREST: Final = "Did you mean one of these? {nearest}"
UNKNOWN_VERB_HELP: Final = "Write `{command}help` to see what I do."

# -- lists and states --------------------------------------------------------------------------------------

LIST: Final = "Your workspaces"
LIST_SHARED: Final = "Workspaces of {who}"
STATE_LINE: Final = "*{name}* · {title}\n{state} · {age}"
STATE_SHORT: Final = "{name} at {title}: {state}, {age}."
CHECKED: Final = "looked {age}"
NEVER_CHECKED: Final = "not looked at yet"
AND_MORE: Final = "and {count} more"
OLD_SNAPSHOT: Final = "I am looking for news at {titles}; press *Refresh* in a moment."
NOT_RUNNING: Final = "*{name}* is not running: {state}, {age}. Start it, and its address comes by itself."
OPENING: Final = "*{name}* is running."
OPENING_PRIVATE: Final = "Only you can see this."
REALIASED: Final = "From now on *{old}* is *{name}* to you."
UNALIASED: Final = "*{name}* has its own name again."
ALIAS_USAGE: Final = "Write `{command}alias NAME NEW-NAME`; put names with spaces in quotes."
ALIAS_LONG: Final = "A name may have 1 to 60 characters. Choose another one."
NOTIFY_USAGE: Final = "Write `{command}notify NAME on` or `{command}notify NAME off`."
NOTIFY_ON: Final = "I tell you when *{name}* stops at {title} without your having asked me for it."
NOTIFY_OFF: Final = "I keep quiet when *{name}* stops at {title} by itself."
FORGOTTEN: Final = (
    "*{name}* is off your list. It stays as it is at {title}; `{command}add {name}` brings it back."
)
ADD_USAGE: Final = "Write `{command}add LINK` with the link or the id of a workspace, and a name if you like."
ADD_UNKNOWN: Final = (
    "That is no link or id of a workspace at {titles}. Copy the address of the workspace's page there."
)
ADD_AMBIGUOUS: Final = "That could be at {titles}. Write `{command}add {example}` to say where."
ADDED: Final = "*{name}* at {title} is on your list. I look at it now."
BROUGHT_BACK: Final = "*{name}* at {title} is back on your list."

# -- links -------------------------------------------------------------------------------------------------

NOT_LINKED: Final = "Your account at {title} is not linked yet. Link it, and I go on with what you asked for."
NOT_LINKED_ANY: Final = "You have no account linked yet. Link one, and I go on with what you asked for."
LINK_REFUSED: Final = (
    "{title} no longer accepts your link. Link it again, and I go on with what you asked for."
)
LINK_WHICH: Final = "Which account do you want to link?"
LINK_ONE: Final = "Link your account at {title}. You get a page of your own for it."
LINKED_AS: Final = "Your account {username} at {title} is linked. Linking anew replaces it."
LINK_NONE: Final = "You don't need to link an account on {titles}. Press *New workspace* to create one there."
LINK_PAGE: Final = (
    "This page links your account at {title}. It is for you only, works once, and is valid for 10 minutes."
)
LINK_CODE: Final = "The page shows you a code at the end: press *Enter code* and type it."
CODE_ASK: Final = "Press *Enter code* and type the code that the link page shows you."
CODE_TITLE: Final = "Finish linking"
CODE_SUBMIT: Final = "Link"
CODE_CLOSE: Final = "Not now"
CODE_LABEL: Final = "The code that the link page shows you"
CODE_EXPLAINED: Final = "Type it only if you opened the link page yourself. Nobody else ever needs it."
CODE_DONE_TITLE: Final = "Linked"
CODE_DONE: Final = "Your account {username} at {title} is linked."
CODE_DONE_NAMELESS: Final = "Your account at {title} is linked."
CODE_DONE_NEXT: Final = "What you asked for goes on now, in your direct messages."
NO_CONNECTIONS: Final = (
    "No connection is set up that people link to by themselves. Ask whoever runs me to add one."
)
UNKNOWN_CONNECTION: Final = "I know no connection *{name}*. There is: {known}."
UNLINK_WHICH: Final = "Which account do you want to unlink?"
UNLINKED: Final = "Your account at {title} is unlinked. I have deleted my access to it."
UNLINKED_OTHER: Final = "The account of {who} at {title} is unlinked."
NOTHING_LINKED: Final = "You have no account linked. Write `{command}link` to link one."
NOTHING_TO_UNLINK: Final = (
    "At {title} nobody has an account of their own, so nothing is linked. "
    "Write `{command}remove NAME` to remove what you made there."
)
NOTHING_LINKED_AT: Final = "No account is linked at {title}. Write `{command}whoami` to see what is."
NOTHING_LINKED_OTHER: Final = "{who} has no such account linked. Nothing was changed."

# -- about a connection ------------------------------------------------------------------------------------

ABOUT: Final = "*{title}* (`{name}`)"
ABOUT_FACT: Final = "{label}: {value}"
ABOUT_USERS: Final = "*{count} people*"
ABOUT_USER: Final = "`{username}` {level}"
ABOUT_USER_INACTIVE: Final = "`{username}` {level} (not active)"
ABOUT_AGE: Final = "asked {age}"
ABOUT_ASKING: Final = "I am asking {title}, and answer right after."
ABOUT_WHICH: Final = "Which connection? Write `{command}about CONNECTION` with one of these: {known}."
ABOUT_NONE: Final = "No connection is set up that has anything to tell about itself."

ASKING_WHO: Final = "Checking with Slack who you are. I'll carry on with your request right after."

# -- oneself -----------------------------------------------------------------------------------------------

WHOAMI: Final = "I take you for {who} of the Slack workspace `{team}`."
WHOAMI_ADMINISTRATOR: Final = "You are an administrator of mine."
WHOAMI_LINKED: Final = "*{title}*: linked as {username}"
WHOAMI_LINKED_NAMELESS: Final = "*{title}*: linked"
WHOAMI_SUSPECTED: Final = (
    "{linked}, but your sign-in has been refused since {since}. I'm checking whether it's accepted again."
)
WHOAMI_REFUSED: Final = "*{title}*: the link is no longer accepted"
WHOAMI_NOT_LINKED: Final = "*{title}*: not linked"
WHOAMI_LINKLESS: Final = "*{title}*: nothing to link"
HELP: Final = "I start, stop and open your workspaces, with your own account."
HELP_SHARE: Final = (
    "Only you see my answers. With `--share` at the end, `list`, `status`, `start` and `stop` show theirs to "
    "everybody; addresses are never shown."
)
HELP_DIRECT: Final = "In a direct message to me the same words work without `{command}`."
SHORT_HELP: Final = (
    "I understand words like `list`, `start NAME`, `stop NAME` and `link`. Write `help` to see all of them."
)
