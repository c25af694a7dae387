"""Commands as labels of buttons; ``{rest}`` is the text after the verb, ``{name}`` a name in it."""

from collections.abc import Mapping
from typing import Final

#: Added if everybody in the channel sees the answer.
SHARED: Final = " for everybody here"
#: By the order about a workspace's hours.
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
#: By the order about a course.
COURSE: Final[Mapping[str, str]] = {
    "leave": "Leave {name}",
    "skip": "Skip {name} {rest}",
    "resume": "Resume {name}",
    "end": "End {name}",
}
