"""Forms as data: what a provider wants to know before it makes something, and what a filled form says.

``bot.messages`` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

#: What a field holds: a text (also of *choice* and *search*), or several.
Value = str | tuple[str, ...]
Values = Mapping[str, Value]

#: ``search`` is a choice among many: the menu asks for what matches; ``searches`` takes several.
FieldKind = Literal["text", "long_text", "number", "choice", "search", "searches"]

Purpose = Literal["workspace", "job"]

#: How a provider's own limits are called among the fields.
LIMIT: Final = "limit_"


@dataclass(frozen=True, slots=True)
class Choice:
    """Offer one value under a label that people read."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FlagProblem:
    """Say what is wrong with a flag: nothing stands behind it, it stands there twice, or that isn't offered.

    ``offered`` are the labels of what ``value`` is none of.
    """

    kind: Literal["empty", "twice", "not_offered"]
    value: str = ""
    offered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """Describe one field. ``initial`` is what it holds at first, a ``Choice.value`` where there are choices.

    ``redraws``: other fields depend on it, so the form is redrawn when it changes. ``minimum`` and
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


def text_of(values: Values, name: str) -> str:
    """Return a text that was filled in, without white space around it; "" for none."""
    value = values.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def several_of(values: Values, name: str) -> tuple[str, ...]:
    """Return what was chosen of many."""
    value = values.get(name, ())
    return value if isinstance(value, tuple) else (value,) if value else ()


@dataclass(frozen=True, slots=True)
class Spec:
    """Say what is to be made or launched: a filled form, as its provider found it good.

    ``chosen`` has the provider's own keys; nobody else reads them. Rows keep ``as_json``.
    """

    name: str
    chosen: Values = field(default_factory=dict)

    def word(self, key: str) -> str:
        """Return what was chosen; "" for nothing."""
        return text_of(self.chosen, key)

    def several(self, key: str) -> tuple[str, ...]:
        """Return what was chosen of many."""
        return several_of(self.chosen, key)

    def as_json(self) -> dict[str, Value]:
        """Return it as one JSON-ready object."""
        return {"name": self.name, **self.chosen}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read back what ``as_json`` gave."""
        chosen = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        return cls(str(chosen.pop("name", "")), chosen)


def flag_name(name: str) -> str:
    """Return a field's name as a flag is written; a provider's own limits are called by what they limit."""
    return name.removeprefix(LIMIT).replace("_", "-")


class FormProblems(Exception):
    """Tell what is wrong with a filled form: a sentence for each field, by its name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(sorted(problems)))
        self.problems = dict(problems)
