"""How Usher's commands are typed on this machine, for every sentence that names one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

#: A wheel brings a command of its own.
NAME: Final = "usher" if Path(sys.argv[0]).stem == "usher" else "python -m bot"


def command(words: str) -> str:
    """Return one of Usher's commands as it is typed here, in backticks."""
    return f"`{NAME} {words}`"
