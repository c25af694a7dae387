"""The words of timers: when a workspace will be stopped, as its person asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.domain.workspaces import Ending, StopMode

#: ``{at}`` is a time with its day: "today at 18:00". The last two are its provider's doing.
LINE: Final[Mapping[StopMode | Ending, str]] = {
    "stop": "I'll stop it {at}.",
    "suspend": "I'll suspend it {at}.",
    "force": "I'll stop it {at}.",
    "stops": "Stops by itself {at}.",
    "removed": "Ends for good by itself {at}.",
}
DONE: Final[Mapping[StopMode, str]] = {"stop": "stopped", "suspend": "suspended", "force": "stopped"}

ENDING: Final = "*{name}* on {title} will be {done} in {left}, {at}, as you asked."
ENDING_UNSAVED: Final = "Save your work before then."
ENDING_FINAL: Final = "It can't be started again after that. {lost}"
ENDING_SHORT: Final = "{name} on {title} will be {done} in {left}."
#: The same message once it is no longer true.
MOVED: Final = "*{name}* on {title} will be {done} {at}."
MOVED_SHORT: Final = "{name} on {title} will be {done} later."
OVER: Final = "*{name}* on {title} has no planned stop any more."
AS_PLANNED: Final = "You planned this stop."
FAILED: Final = "I couldn't stop *{name}* on {title} as you planned for {at}. {cause}"
FAILED_SHORT: Final = "I couldn't stop {name} on {title} as planned."
UNLINKED: Final = (
    "*{name}* on {title} won't be stopped as you planned for {at}, because your account there is no "
    "longer linked. If you don't need it any more, stop it on {title}."
)
UNLINKED_SHORT: Final = "{name} on {title} won't be stopped as planned."

SET: Final = "*{name}* on {title} will be {done} {at}."
TOMORROW: Final = "That time has already passed today, so I've set it for tomorrow."
SHIFTED: Final = "The clocks go forward that night, so I've set it an hour later."
KEPT: Final = "*{name}* keeps running. I won't stop it."
#: Where somebody asks for more time.
NOT_PLANNED: Final = "*{name}* has no planned stop, so there's nothing to extend."
LONGER: Final = "{time} more"
LONGER_NEXT: Final = "To have it stopped later, type `{command}keep {name} for 2h`."
NOTHING_PLANNED: Final = "*{name}* has no planned stop, so there's nothing to cancel."
TOO_LATE: Final = "*{name}* no longer has a planned stop."
NOT_UP: Final = "*{name}* isn't running, so there's nothing to stop later."
NOT_UP_NEXT: Final = "To start it for a while, type `{command}start {name} for 2h`."
PASSED: Final = "That time has passed. Choose a new one with `{command}stop {name} at TIME`."
START_LATER: Final = (
    "I can only plan stops, so I haven't done anything with *{name}*. "
    "`{command}{verb} {typed} until 18:00` does it now and stops it then."
)
ONLY_STOPS: Final = (
    "I can only plan stops, so I haven't done anything with *{name}*. "
    "`{command}stop {typed} at 18:00` stops it then."
)
#: To those who want it done every day.
REPEATED: Final = (
    "I can only plan stops, and only once, so I haven't done anything with *{name}*. "
    "Type something like `{command}{verb} {typed} {lead} 18:00`."
)
STOP_FOR: Final = (
    "I can't do that just for a while: it would stay stopped. To stop it later, type "
    "`{command}{verb} {typed} at 18:00`."
)
#: The same words as where something ends at once.
ASK: Final = "This will end *{name}* on {title} for good {at}: it can't be started again. {lost}"

KEEP: Final = "Keep running"
MORE: Final = "1 hour more"
LATER: Final = "Stop later…"
END_THEN: Final = "End it then"
SUSPEND_THEN: Final = "Suspend it then"

FORM_TITLE: Final = "Stop later"
FORM_SUBMIT: Final = "Set"
FORM_CLOSE: Final = "Cancel"
FORM_NOW: Final[Mapping[StopMode | Ending, str]] = {
    "stop": "*{name}* on {title} will be stopped {at}.",
    "suspend": "*{name}* on {title} will be suspended {at}.",
    "force": "*{name}* on {title} will be stopped {at}.",
    "stops": "*{name}* on {title} stops by itself {at}.",
    "removed": "*{name}* on {title} ends for good by itself {at}.",
}
FORM_NONE: Final = "*{name}* on {title} runs until somebody stops it."
FORM_SUSPENDS: Final = "It will be suspended, so you can pick up where you left off."
FORM_WHEN: Final = "When"
FORM_OTHER: Final = "Or at another time"
FORM_OTHER_HINT: Final = "18:00, 6pm, 2h, 90 min or tomorrow 9:00"
FORM_NEVER: Final = "Not at all: keep it running"
FORM_EMPTY: Final = "Choose a time, or type one."
#: By length in minutes.
FORM_CHOICES: Final[Mapping[int, str]] = {
    30: "In 30 minutes",
    60: "In 1 hour",
    120: "In 2 hours",
    240: "In 4 hours",
    480: "In 8 hours",
    1440: "In 24 hours",
}
