"""Commands as button labels. ``{rest}`` is the text after the verb, and ``{name}`` is a name in it."""

from collections.abc import Mapping
from typing import Final

#: Labels of buttons for commands about hours, keyed by what the command does to the hours.
HOURS: Final[Mapping[str, str]] = {
    "": "Show the hours of {name}",
    "off": "Turn off the hours of {name}",
    "on": "Resume the hours of {name}",
    "skip": "Skip the hours of {name} {rest}",
    "pause": "Pause the hours of {name} {rest}",
    "set": "Hours for {name}: {rest}",
    "start": "Start {name} {rest}",
    "stop": "Stop {name} {rest}",
}
#: Labels of buttons for commands about courses, keyed by what the command does to the course.
COURSE: Final[Mapping[str, str]] = {
    "leave": "Leave {name}",
    "skip": "Skip {name} {rest}",
    "resume": "Resume {name}",
    "end": "End {name}",
}
