"""Commands as the labels of buttons; ``{rest}`` is what follows the verb, ``{name}`` a name in it."""

from collections.abc import Mapping
from typing import Final

#: Commands that need no name.
WHOLE: Final[Mapping[str, str]] = {
    "list": "List",
    "job list": "Show my runs",
    "job run": "Run a job",
    "job schedule": "Show my schedules",
    "new": "New workspace",
    "whoami": "Show my accounts",
    "settings": "Show my settings",
    "courses": "Show my courses",
    "hours": "Show my hours",
    "help": "Help",
    "card": "Post a card",
}
#: By verb, those of jobs after their word, and by a verb with its flag, where the verb alone doesn't say it.
DOING: Final[Mapping[str, str]] = {
    "alias": "Rename {rest}",
    "card": "Post a card for {rest}",
    "status": "Show {rest}",
    "courses": "Show {rest}",
    "forget": "Take {rest} off my list",
    "stop force": "Force quit {rest}",
    "eta": "When is {rest} done?",
    "help": "Help with {rest}",
    "new": "New workspace: {rest}",
    "job logs": "Show the output of {rest}",
    "job result": "How did {rest} end?",
    "job schedule": "Schedule {rest}",
}
#: For everybody in the channel.
SHARED: Final = " for everybody here"
#: By what is said about the hours of a workspace.
HOURS: Final[Mapping[str, str]] = {
    "": "Show the hours of {name}",
    "off": "Turn off the hours of {name}",
    "on": "Resume the hours of {name}",
    "skip": "Skip the hours of {name} {rest}",
    "pause": "Pause the hours of {name} {rest}",
    "set": "Hours for {name}: {rest}",
    "start": "Start {name} {rest}",
    "restart": "Restart {name} {rest}",
    "stop": "Stop {name} {rest}",
}
#: By what is said about a course.
COURSE: Final[Mapping[str, str]] = {
    "leave": "Leave {name}",
    "skip": "Skip {name} {rest}",
    "pause": "Pause {name} {rest}",
    "resume": "Resume {name}",
    "move": "Move {name} {rest}",
    "end": "End {name}",
    "with": "Add co-teachers to {name}",
    "without": "Remove co-teachers from {name}",
}
