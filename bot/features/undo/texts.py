"""The texts of answers to *undo*."""

from collections.abc import Mapping
from typing import Final

from bot.messages.texts.cards import LESSON_CHANGES

#: Nothing was asked for lately, and nothing is going on.
NOTHING_TO_UNDO: Final = "There's nothing recent to undo, and nothing of yours is under way."
#: Of a button, whose request had no effect or was taken back before.
NOTHING_LEFT: Final = "There's nothing left to undo."
CHANGED_SINCE: Final = "*{name}* has changed since, so I left it as it is."
CHANGED_UNNAMED: Final = "That has changed since, so I left it as it is."
#: Something had been sent, and what leads back is asked for.
LED_START: Final = (
    "The {verb} of *{name}* had already been sent to {title}, so I'm starting it again. "
    "I'll message you when {end}."
)
LED_STOP: Final = (
    "The {verb} of *{name}* had already been sent to {title}, so I'm stopping it. "
    "I'll message you when {end}."
)
ENDED_ALREADY: Final = "*{name}* has already ended."
UNDER_WAY: Final = "I'm already {doing} *{name}*."
DONE_ALREADY: Final = "I've already {done} *{name}*."
#: Of a start or a stop for which nothing had to be sent.
WAS_SO: Final = "*{name}* was already running, so I haven't changed anything."
WAS_DOWN: Final = "*{name}* wasn't running, so I haven't changed anything."
#: There is no way back that ends nothing.
NO_WAY_BACK: Final = "That can't be undone."
_NO_STOP: Final = "Stopping it would end it for good, so I've left it as it is."
START_AGAIN: Final = "Start it again"
#: By the action: what can be done instead where nothing takes it back.
INSTEAD: Final[Mapping[str, str]] = {
    "workspace.start": _NO_STOP,
    "workspace.restart": "To stop it instead, type `{command}stop {typed}`.",
    "workspace.create": "To see what you can do with *{name}*, type `{command}status {typed}`.",
    "workspace.remove": "To create another workspace, type `{command}new`.",
    "account.linked": "To end the link to {title}, type `{command}unlink {title}`.",
    "account.unlinked": "To link {title} again, type `{command}link {title}`.",
    "approval.approved": "To end the link, type `{command}unlink {title} @PERSON`.",
    "approval.denied": "They can ask again.",
    "class.post": "Press *Show problems* on the card, then *Stop all*, to end the class.",
    "class.stop_all": "Everyone can still keep theirs with the button in their message.",
    "job.schedule": "To see and change your schedules, type `{job}schedule`.",
}

# -- what was asked for -------------------------------------------------------------------------------------

#: Above the same in a Home.
TODAY_HEADING: Final = "Today"
ASKED_FOR: Final = "{When} you asked me to:"
NONE_ASKED: Final = "You haven't asked me for anything {when}."
NONE_ASKED_THEN: Final = "You didn't ask me for anything {when}."
#: One action, with what it was.
ACTION_LINE: Final = "{at} · {did}"
DID_BY: Final = "{did}, {by}"
TAKEN_BACK: Final = "~{did}~"
MORE_ACTIONS: Final = "and {count} more"
HEARD: Final = "Yes, I heard you. The last thing you asked me, {at}: {did}."
HEARD_NOTHING: Final = "Yes, I hear you. You haven't asked me to do anything in the last two minutes."
WHY_MESSAGES: Final = (
    "I message you about what you ask me for and what becomes of your workspaces. "
    "To choose what, type `{command}settings`."
)
WHY_LAST: Final = "The last thing that you asked me for, {at}: {did}."
PLANNED_STOP: Final = "*{name}* on {title} will be {done} {at}."
SET_UP: Final = "Here's what I'll do automatically:"
NOTHING_SET_UP: Final = "None of your workspaces has a planned stop or hours."
#: What somebody asked for: by the action, where its verb alone doesn't say it.
DID: Final[Mapping[str, str]] = {
    "workspace.force": "force *{name}* to quit",
    "workspace.start_another": "create another workspace like *{name}*",
    "workspace.timer": "change when *{name}* is stopped",
    "workspace.keep": "keep *{name}* running",
    "workspace.hours": "change the hours of *{name}*",
    "workspace.join_waitlist": "wait for room for *{name}*",
    "workspace.leave_waitlist": "stop waiting for room for *{name}*",
    "workspace.limit_request": "ask for a higher limit on {title}",
    "workspace.alias": "rename *{name}*",
    "workspace.notify": "change my messages about *{name}*",
    "workspace.forget": "take *{name}* off your list",
    "workspace.add": "put *{name}* on your list",
    "hours.zone": "move your hours to your time zone",
    "settings.save": "change your settings",
    "job.run": "run *{name}*",
    "job.start_another": "run *{name}* once more",
    "job.stop": "stop the run *{name}*",
    "job.force": "force the run *{name}* to quit",
    "job.unfollow": "stop following the run *{name}*",
    "job.schedule": "change a schedule on {title}",
    "class.post": "post the card *{name}*",
    "class.join": "start your workspace for *{name}*",
    "class.keep": "keep your workspace of *{name}*",
    "class.leave": "leave the course *{name}*",
    "class.skip": "skip a lesson of *{name}*",
    "class.unskip": "skip no lesson of *{name}*",
    **dict.fromkeys(LESSON_CHANGES, "change the lessons of *{name}*"),
    "class.teachers": "change who teaches *{name}*",
    "class.end": "end the course *{name}*",
    "class.stop_all": "end the class *{name}*",
    "account.linked": "link your {title} account",
    "account.unlinked": "unlink your {title} account",
    "approval.requested": "ask for a link to {title}",
    "approval.approved": "approve a link to {title}",
    "approval.denied": "deny a link to {title}",
}
DID_PLANNED: Final = "stop *{name}* {at}"
DID_PLAIN: Final = "{verb} *{name}*"
OTHER_ACTION: Final = "something else"
