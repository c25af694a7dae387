"""What is said about the output of runs, and where asking for a run's end came to nothing."""

from __future__ import annotations

from typing import Final

#: In the output itself, on lines of their own: plain text, said by Usher and not by the run.
CUT: Final = "[Usher: the output is longer than {size} MB; the rest is not in this file]"
NOT_KEPT: Final = "[Usher: there was no room to keep more of the output]"
NOT_READ: Final = "[Usher: the output could not be read to its end. {because}]"

#: The file with the whole of it; ``{id}`` tells it from the files of other runs of that name.
FILE_NAME: Final = "{name}-{id}.log"
FILE: Final = "The whole output of *{name}*."
FILE_SHORT: Final = "The whole output of {name}"
FILE_MISSING: Final = (
    "Slack did not take the file with the whole output of *{name}*; its end is in the thread."
)
FILE_NOT_ALLOWED: Final = (
    "I may not send files here yet, so the whole output of *{name}* is missing; its end is in the thread. "
    "Ask whoever runs me to install me anew with the scope `files:write`."
)

STOP_REFUSED: Final = "*{name}* was not stopped. {because}"
STOP_GIVEN_UP: Final = "*{name}* was not stopped: {title} did not answer in many tries. Try again in a while."
