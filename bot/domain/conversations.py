"""Conversations: what an answer was about, to which the person's next words may refer."""

from dataclasses import dataclass, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Referents:
    """The subjects of an answer, by their ids. Free text that names nothing is about them.

    ``workspaces`` and ``runs`` are in the order in which the answer shows them, ``listed`` in that of the
    last list of several. ``what`` is a verb, perhaps with the times that it may be for (``doing``), or the
    request that the answer asks about. ``ask`` is the button of a question, as its action id and value.
    ``takes_press``: the question is about something irreversible, so only the button answers it. ``question``
    is the key of the question's message if it is about several things. ``says_english``: the answer said that
    answers are in English.
    """

    workspaces: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    connection: str = ""
    what: str = ""
    ask: str = ""
    takes_press: bool = False
    says_english: bool = False
    question: str = ""

    def doing(self, verb: str, *times: float | None) -> Self:
        """Return the referents with a verb and the times that it may be for, in epoch seconds."""
        return replace(self, what=" ".join([verb, *(f"{one:.0f}" for one in times if one is not None)]))

    @property
    def verb(self) -> str:
        """Return the verb, or the first word of the request."""
        return self.what.partition(" ")[0]

    @property
    def times(self) -> tuple[float, ...]:
        """Return the times that it may be for, in epoch seconds."""
        return tuple(float(one) for one in self.what.split()[1:])

    def as_body(self) -> dict[str, Any]:
        """Return the referents as JSON-ready data."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value}
