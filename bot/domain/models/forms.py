"""Forms as data: what a provider wants to know before it makes something; ``bot.messages`` draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: What a field holds: a text (also of *choice* and *search*), or several.
Value = str | tuple[str, ...]
Values = Mapping[str, Value]

#: ``search`` is a choice among many: the menu asks for what matches; ``searches`` takes several.
FieldKind = Literal["text", "long_text", "number", "choice", "search", "searches"]

Purpose = Literal["workspace", "job"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Offer one value under a label that people read."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """Describe one field. ``initial`` is what it holds at first, a ``Choice.value`` where there are choices.

    ``redraws``: other fields depend on it, so the form is drawn anew when it changes. ``minimum`` and
    ``maximum`` bound a number. ``remembers``: the person finds their last value there the next time.
    """

    name: str
    label: str
    kind: FieldKind
    choices: tuple[Choice, ...] = ()
    initial: Value = ""
    optional: bool = False
    hint: str = ""
    redraws: bool = False
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    remembers: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """Hold the fields in the order in which they are shown, and a sentence above them where one is needed."""

    fields: tuple[Field, ...]
    note: str = ""

    def field(self, name: str) -> Field | None:
        """Return a field by its name."""
        return next((one for one in self.fields if one.name == name), None)


class FormProblems(Exception):
    """Tell what is wrong with a filled form: a sentence for each field, by its name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(sorted(problems)))
        self.problems = dict(problems)
