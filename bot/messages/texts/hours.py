"""Texts about working hours, and the questions asked about idle workspaces."""

from collections.abc import Mapping
from typing import Final

from bot.domain.time_parsing import EVERY_DAY, WEEKDAYS, WEEKEND

DAY_NAMES: Final[Mapping[frozenset[str], str]] = {
    WEEKDAYS: "weekdays",
    WEEKEND: "weekends",
    EVERY_DAY: "every day",
}
BOTH: Final = "{days} {begin}\u2013{end}"
ONLY_START: Final = "{days} from {begin}"
ONLY_STOP: Final = "{days} until {end}"
#: Shown as part of a workspace's state.
HOURS_LINE: Final = "Hours: {hours}."
LINE_PAUSED: Final = "Hours: paused."
RESTING: Final = "They're paused."
LEFT_OUT: Final = "No working hours {days}."
NEXT_OCCURRENCE: Final = "Next {verb}: {at}."
HOURS_BLOCKED: Final = "Right now I can't start or stop it: {why}."

HOURS_SET: Final = "*{name}* now runs {hours}."
CURRENT_HOURS: Final = "*{name}* on {title}: {hours}."
#: Describes hours for a single day: the start or stop, a stop later that day, and the workspace's other
#: hours.
ONCE: Final = "I'll {do} *{name}* on {title} {at}{then}."
ONCE_UNTIL: Final = ", and {do} it at {until}"
BESIDES: Final = "Its other working hours: {hours}."
REPLACED: Final = "They replace {hours}."
OFF: Final = "*{name}* on {title} no longer has working hours."
OFF_NEXT: Final = "I won't start or stop it automatically."
OFF_DOWN: Final = "It's {state}, and I won't start it automatically."
#: Describes a running workspace whose hours have changed: Usher still stops it today, or no stop is planned.
STILL: Final = "I'll still {do} {it} {at}."
RUNS_ON: Final = "{it} {state}, and no stop is planned."
RUNS_UNTIL: Final = "Next {verb}: {until}."
RUNS_UNTIL_NAMED: Final = "{it} {state}, and I won't {do} it before {until}."
#: Added for hours that only start a workspace.
NO_STOP: Final = "I won't stop it after that."
NO_HOURS: Final = "*{name}* on {title} has no working hours."
NONE_NEXT: Final = "To set some, type `{command}hours {typed} weekdays 9:00-18:00`."
NONE_OF_ALL: Final = "None of your workspaces has working hours."
LIST: Final = "*Your workspaces' working hours*"
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
#: Asks before hours that end a workspace permanently; worded like the question about an immediate end.
CONFIRM_FINAL_STOP: Final = (
    "The first of these stops ends *{name}* on {title} for good: it can't be started again. {lost}"
)

#: Asks a person who sets hours that start a workspace exactly when other hours stop it.
CONFIRM_RUN_ON: Final = (
    "With these hours, *{name}* would be stopped and started {at}. I can set them and let it run on then."
)
RUN_ON: Final = "Set them and let it run on"
MISSED: Final = (
    "I should have {done} *{name}* on {title} {at}, as its hours say, but I couldn't do it in time."
)
MISSED_MORE: Final = "I also missed {count} before that."
NEEDED_AFTER: Final = "Its hours continue as planned."
OCCURRENCE_FAILED: Final = "I couldn't {do} *{name}* on {title} {at}, as its hours say. {cause}"
PAUSED: Final = "I've paused the hours of *{name}* on {title}. {because}"
#: Says why hours are paused until the owner links again or resumes them; other causes have their usual
#: sentences.
BECAUSE: Final[Mapping[str, str]] = {
    "unlinked": "Your {title} account isn't linked any more. Link it again, and they'll resume.",
    "refused": "{title} no longer accepts your link. Link again, and they'll resume.",
    "person": "Resume them whenever you like.",
}
FORM_TITLE: Final = "Hours"
FORM_WORKSPACE: Final = "Workspace"
FORM_DAYS: Final = "Days"
FORM_FROM: Final = "Start it at"
FORM_UNTIL: Final = "Stop it at"
FORM_NOTE: Final = "Times are in your time zone. Leave one empty if it should only start, or only stop."
FORM_ADDS: Final = "These are added to the hours it has, and replace those on the same days."
FORM_SUBMIT: Final = "Save"
FORM_TYPED: Final = "You can also type hours."
FORM_NO_DAY: Final = "Choose at least one day."
FORM_NO_TIME: Final = "Choose a time to start, a time to stop, or both."
FORM_SHORT: Final = "Choose a time at least 30 minutes after the start."
FORM_NO_WORKSPACE: Final = "Choose one of your workspaces."
SKIP: Final = "Skip {day}"
PAUSE_UNTIL: Final = "Pause until {day}"
TURN_OFF: Final = "Turn hours off"
TURN_ON_AGAIN: Final = "Turn on again"
RESUME: Final = "Resume hours"
#: Labels of the buttons that restore skipped days.
NO_SKIP: Final = "Don't skip {day}"
NO_SKIPS: Final = "Don't skip any day"
#: Asks about a workspace left running; keyed by whether the provider says when it was last used.
STILL_NEEDED: Final[Mapping[bool, str]] = {
    False: "*{name}* on {title} has been running since {since}. Still needed?",
    True: "*{name}* on {title} is running, but hasn't been used since {since}. Still needed?",
}
#: Says that neither hours nor a planned stop will stop a workspace for more than a day.
NEEDED_UNTIL: Final = "Nothing will stop it before {until}."
NEEDED_STOPS: Final[Mapping[str, str]] = {
    "stop": "If you don't answer, I'll stop it {at}.",
    "suspend": "If you don't answer, I'll suspend it {at}.",
}
KEEP_RUNNING: Final = "Keep"
#: Says what can be done at or until a time; the button for it can't show the time itself.
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
