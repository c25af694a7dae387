"""Conversations: what an answer was about, to which the person's next words may refer."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Referents:
    """The subjects of an answer, by their ids, as it shows them. Free text that names nothing is about them.

    ``is_question``: the answer is a question, which is over once one of its buttons is pressed.
    """

    workspaces: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    is_question: bool = False

    def as_body(self) -> dict[str, Any]:
        """Return the subjects as JSON-ready data."""
        return {"workspaces": self.workspaces, "runs": self.runs}
