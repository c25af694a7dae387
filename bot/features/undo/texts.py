"""The texts of answers to *undo*."""

from typing import Final

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
START_AGAIN: Final = "Start it again"
# -- what was asked for -------------------------------------------------------------------------------------

#: Above the same in a Home.
TODAY_HEADING: Final = "Today"
#: One action, with what it was.
ACTION_LINE: Final = "{at} · {did}"
DID_BY: Final = "{did}, {by}"
TAKEN_BACK: Final = "~{did}~"
MORE_ACTIONS: Final = "and {count} more"
DID_PLANNED: Final = "stop *{name}* {at}"
DID_PLAIN: Final = "{verb} *{name}*"
OTHER_ACTION: Final = "something else"
