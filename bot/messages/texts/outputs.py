"""What is said about the output of runs, and where asking for a run's end came to nothing."""

from __future__ import annotations

from typing import Final

#: In the output itself, on lines of their own: plain text, said by Usher and not by the run.
CUT: Final = "[Usher: the output is longer than {size} MB; the rest is not in this file]"
NOT_KEPT: Final = "[Usher: there was no room to keep more of the output]"
NOT_READ: Final = "[Usher: the output could not be read to its end. {because}]"

#: The file with the whole of it; ``{id}`` tells it from the files of other runs of that name.
FILE_NAME: Final = "{name}-{id}.log"
FILE: Final = "The full output of *{name}*."
FILE_SHORT: Final = "The full output of {name}"
FILE_MISSING: Final = (
    "Slack didn't accept the file with the full output of *{name}*. The last lines are in the thread."
)
FILE_NOT_ALLOWED: Final = (
    "I'm not allowed to send files here yet, so I can't send the full output of *{name}*. "
    "The last lines are in the thread. "
    "Ask your Usher admin to reinstall me with the scope `files:write`."
)

STOP_REFUSED: Final = "I couldn't stop *{name}*. {because}"
STOP_GIVEN_UP: Final = (
    "I couldn't stop *{name}*: {title} didn't answer after many tries. Try again in a while."
)
