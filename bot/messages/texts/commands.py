"""Commands as the labels of buttons; ``{rest}`` is what follows the verb, ``{name}`` a name in it."""

from collections.abc import Mapping
from typing import Final

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
    "stop": "Stop {name} {rest}",
}
#: By what is said about a course.
COURSE: Final[Mapping[str, str]] = {
    "leave": "Leave {name}",
    "skip": "Skip {name} {rest}",
    "resume": "Resume {name}",
    "end": "End {name}",
}
