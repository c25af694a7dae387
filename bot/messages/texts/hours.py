"""Text about working hours, and the questions about idle workspaces."""

from collections.abc import Mapping
from typing import Final

from bot.domain.time_parsing import EVERY_DAY, WEEKDAYS, WEEKEND

DAY_NAMES: Final[Mapping[frozenset[str], str]] = {
    WEEKDAYS: "weekdays",
    WEEKEND: "weekends",
    EVERY_DAY: "every day",
}
HOURS_BLOCKED: Final = "Right now I can't start or stop it: {why}."

HOURS_SET: Final = "*{name}* now runs {hours}."
CURRENT_HOURS: Final = "*{name}* on {title}: {hours}."
ONCE: Final = "I'll {do} *{name}* on {title} {at}{then}."
BESIDES: Final = "Its other working hours: {hours}."
OFF: Final = "*{name}* on {title} no longer has working hours."
OFF_DOWN: Final = "It's {state}, and I won't start it automatically."
STILL: Final = "I'll still {do} {it} {at}."
NO_HOURS: Final = "*{name}* on {title} has no working hours."
NONE_NEXT: Final = "To set some, type `{command}hours {typed} weekdays 9:00-18:00`."
FOR_WHICH: Final = "For which workspace? I haven't changed anything."
UNREADABLE: Final = "I can't read *{said}*, so I haven't changed anything."
ODD_OFFSET: Final = (
    "Hours need the name of a time zone, such as `Asia/Kolkata`, in place of the offset in *{said}*, so I "
    "haven't changed anything."
)
USAGE: Final = (
    "Type something like `{command}hours {typed} weekdays 9:00-18:00`. `mon,wed 8:30` only starts "
    "it, `every day -20:00` only stops it, and `off` turns its hours off. A stop comes at least 30 "
    "minutes after its start."
)

CONFIRM_RUN_ON: Final = (
    "With these hours, *{name}* would be stopped and started {at}. I can set them and let it run on then."
)
MISSED: Final = (
    "I should have {done} *{name}* on {title} {at}, as its hours say, but I couldn't do it in time."
)
MISSED_MORE: Final = "I also missed {count} before that."
OCCURRENCE_FAILED: Final = "I couldn't {do} *{name}* on {title} {at}, as its hours say. {cause}"
PAUSED: Final = "I've paused the hours of *{name}* on {title}. {because}"
#: Explains why hours are paused until the owner links again or resumes them. Other causes are explained in
#: ``problems``.
BECAUSE: Final[Mapping[str, str]] = {
    "unlinked": "Your {title} account isn't linked any more. Link it again, and they'll resume.",
    "refused": "{title} no longer accepts your link. Link again, and they'll resume.",
    "person": "Resume them whenever you like.",
}
FORM_NOTE: Final = "Times are in your time zone. Leave one empty if it should only start, or only stop."
FORM_ADDS: Final = "These are added to the hours it has, and replace those on the same days."
FORM_TYPED: Final = "You can also type hours."
FORM_SHORT: Final = "Choose a time at least 30 minutes after the start."
TURN_OFF: Final = "Turn hours off"
RESUME: Final = "Resume hours"
#: Asks whether a running workspace is still needed. The key says whether the provider reports when a
#: workspace was last used.
STILL_NEEDED: Final[Mapping[bool, str]] = {
    False: "*{name}* on {title} has been running since {since}. Still needed?",
    True: "*{name}* on {title} is running, but hasn't been used since {since}. Still needed?",
}
NEEDED_UNTIL: Final = "Nothing will stop it before {until}."
NEEDED_STOPS: Final[Mapping[str, str]] = {
    "stop": "If you don't answer, I'll stop it {at}.",
    "suspend": "If you don't answer, I'll suspend it {at}.",
}
#: Sentences above the buttons in ``DO_THEN``. They give the time, because Slack doesn't format times in a
#: button's label. The time in the sentence about a start is when the workspace will stop again.
DONE_THEN: Final[Mapping[str, str]] = {
    "start": "I can start it until {at}.",
    "stop": "I can stop it {at}.",
    "suspend": "I can suspend it {at}.",
}
DO_THEN: Final[Mapping[str, str]] = {
    "start": "Start it until then",
    "stop": "Stop it then",
    "suspend": "Suspend it then",
}
