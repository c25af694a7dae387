"""Conversations: what an answer was about, so that the user's next message may refer to it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Referents:
    """The ids of what an answer shows, so that free text that names nothing can refer to it.

    ``is_question``: the answer is a question, which is over once one of its buttons is pressed.
    """

    workspaces: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    is_question: bool = False

    def as_body(self) -> dict[str, Any]:
        """Return the subjects as JSON-ready data."""
        return {"workspaces": self.workspaces, "runs": self.runs}
