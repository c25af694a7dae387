"""What is answered to people who take something back."""

from collections.abc import Mapping
from typing import Final

UNDO: Final = "Undo"
#: An open question was answered with no.
LEFT: Final = "OK, I won't."
#: Nothing was asked for lately, and nothing is going on.
NOTHING: Final = "Nothing of yours is under way."
#: Of a button, whose request had no effect or was taken back before.
NOTHING_LEFT: Final = "There's nothing left to undo."
CHANGED: Final = "*{name}* has changed since, so I left it as it is."
CHANGED_UNNAMED: Final = "That has changed since, so I left it as it is."
CANCELLED: Final = "I've cancelled the {verb} of *{name}*. Nothing had been sent to {title}."
CANCELLED_BACK: Final = "I've cancelled the {verb} of *{name}*, and I'm {doing_again} it as you asked before."
RUN_CANCELLED: Final = "I've cancelled the run *{name}*. Nothing had been sent to {title}."
RUN_NOT_STOPPED: Final = "I won't stop *{name}*."
UNDER_WAY: Final = "I'm already {doing} *{name}*."
DONE: Final = "I've already {done} *{name}*."
#: There is no way back that ends nothing.
NO_WAY_BACK: Final = "That can't be undone."
NO_STOP: Final = "Stopping it would end it for good, so I've left it as it is."
#: To a change that the last act can't be given.
NOT_TAKEN: Final = (
    "I can't change that about what I did last with *{name}*. To take it back, type `{command}undo`."
)
#: What isn't wanted wasn't done.
NOT_ELSEWHERE: Final = "I only did that with *{name}* on {title}."
START_AGAIN: Final = "Start it again"
RUN_STARTED: Final = "I've already sent the run *{name}* to {title}."
RUN_STOPPING: Final = "I'm already stopping *{name}*."
RUN_OVER: Final = "*{name}* has already ended."
#: By the act: what is as it was.
RESTORED: Final[Mapping[str, str]] = {
    "workspace.alias": "It's called *{name}* again.",
    "workspace.notify": "Messages about *{name}* are as they were before.",
    "workspace.forget": "*{name}* on {title} is back on your list.",
    "workspace.add": "*{name}* on {title} is off your list again.",
    "workspace.hours": "The hours of *{name}* are as they were before.",
    "hours.zone": "Your hours are in the time zone that they had before.",
    "settings.save": "Your settings are as they were before.",
}
RESTORED_NO_TIMER: Final = "I won't stop *{name}*."
RESTORED_TIMER: Final = "*{name}* on {title} will be {done} {at}, after a warning."
#: By the act: what can be done instead where nothing takes it back.
INSTEAD: Final[Mapping[str, str]] = {
    "workspace.create": "To see what you can do with *{name}*, type `{command}status {typed}`.",
    "workspace.remove": "To create another workspace, type `{command}new`.",
    "account.linked": "To end the link to {title}, type `{command}unlink {connection}`.",
    "account.unlinked": "To link {title} again, type `{command}link {connection}`.",
    "approval.approved": "To end the link, type `{command}unlink {connection} @PERSON`.",
    "approval.denied": "They can ask again.",
    "class.post": "*Stop all* on the card ends the class.",
    "class.stop_all": "Everyone can still keep theirs with the button in their message.",
    "job.schedule": "To see and change your schedules, type `{job}schedule`.",
}
