"""Conversations: what an answer was about, so that the user's next message may refer to it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Referents:
    """The ids of the workspaces and runs that an answer shows, which the user can refer to without a name.

    ``is_question``: the answer is a question, which is settled once one of its buttons is pressed.
    """

    workspaces: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    is_question: bool = False

    def as_body(self) -> dict[str, Any]:
        """Return the ids as JSON-ready data."""
        return {"workspaces": self.workspaces, "runs": self.runs}
