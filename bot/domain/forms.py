"""Forms as data: the input a provider needs to create something, and what was filled in.

``bot.messages`` renders them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

#: A field's value: one text (also for *choice* and *search*), or several.
Value = str | tuple[str, ...]
Values = Mapping[str, Value]

#: ``search`` is a choice among many, with options loaded as the person types; ``searches`` takes several.
FieldKind = Literal["text", "long_text", "number", "choice", "search", "searches"]

Purpose = Literal["workspace", "job"]

#: The prefix of fields that set a provider's own limits.
LIMIT: Final = "limit_"


@dataclass(frozen=True, slots=True)
class Choice:
    """Pair a value with its display label."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FlagProblem:
    """Describe what is wrong with a flag: its value is missing, it is repeated, or its value isn't offered.

    ``offered`` holds the labels of the allowed values.
    """

    kind: Literal["empty", "twice", "not_offered"]
    value: str = ""
    offered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """Describe one field. ``initial`` is its initial value, a ``Choice.value`` if it has choices.

    ``redraws``: other fields depend on it, so the form is redrawn when it changes. ``minimum`` and
    ``maximum`` bound a number. ``remembers``: the form is prefilled with the person's last value.
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
    """Hold the fields in display order, and an optional sentence above them."""

    fields: tuple[Field, ...]
    note: str = ""

    def field(self, name: str) -> Field | None:
        """Return the field called ``name``, or None."""
        return next((one for one in self.fields if one.name == name), None)


def text_of(values: Values, name: str) -> str:
    """Return the text of a field, stripped of surrounding white space; "" if it is empty."""
    value = values.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def several_of(values: Values, name: str) -> tuple[str, ...]:
    """Return the selected values of a field."""
    value = values.get(name, ())
    return value if isinstance(value, tuple) else (value,) if value else ()


@dataclass(frozen=True, slots=True)
class Spec:
    """Describe what to create or launch: a filled form after the provider validated it.

    ``chosen`` uses the provider's own keys; nobody else reads them. Rows store ``as_json``. ``stem`` is what
    Usher names it by itself: then ``name`` is empty until a free one is found, just before the first call.
    """

    name: str
    chosen: Values = field(default_factory=dict)
    stem: str = ""

    def word(self, key: str) -> str:
        """Return the text chosen for ``key``, or ""."""
        return text_of(self.chosen, key)

    def several(self, key: str) -> tuple[str, ...]:
        """Return the values selected for ``key``."""
        return several_of(self.chosen, key)

    @property
    def is_unnamed(self) -> bool:
        """Return whether a free name still has to be found."""
        return bool(self.stem) and not self.name

    def as_json(self) -> dict[str, Value]:
        """Return the spec as a JSON-ready object."""
        return {"name": self.name, **self.chosen, **({"stem": self.stem} if self.stem else {})}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read a spec back from ``as_json``."""
        chosen = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        name, stem = (str(chosen.pop(key, "")) for key in ("name", "stem"))
        return cls(name, chosen, stem)


#: What providers call the field in which people choose a template.
_TEMPLATES: Final = frozenset({"preset", "project"})


def flag_name(name: str) -> str:
    """Return a field's name in flag spelling, without the prefix of a provider's own limits."""
    return "template" if name in _TEMPLATES else name.removeprefix(LIMIT).replace("_", "-")


class FormProblems(Exception):
    """Report what is wrong with a filled form: one sentence per field, keyed by field name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(sorted(problems)))
        self.problems = dict(problems)
