"""Forms for creating workspaces and runs: their fields and values, and the search for a free name."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from bot.support.cleaning import fold

#: The value of a field: a string or, for *searches*, several strings.
Value = str | tuple[str, ...]
#: The values filled in so far, by field name.
Values = Mapping[str, Value]

#: Kinds of fields.
#: - ``text``: one line.
#: - ``long_text``: several lines.
#: - ``number``: a number between ``minimum`` and ``maximum``.
#: - ``choice``: one of a few choices.
#: - ``search``: one of many choices, searched as the user types.
#: - ``searches``: several of many choices.
FieldKind = Literal["text", "long_text", "number", "choice", "search", "searches"]

#: What a form creates: a workspace, or a run of a job.
Purpose = Literal["workspace", "job"]

#: Key, in ``Spec.chosen``, of the name that users see. It is set only if the provider doesn't accept this
#: name, so that the workspace has a different name there.
DISPLAY_NAME_KEY: Final = "display_name"
#: Prefix of the names of fields for resource limits. The provider decides which limits there are.
LIMIT_PREFIX: Final = "limit_"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value with its display label.

    Attributes:
        value: The value used in the ``spec``.
        label: What users see.
    """

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FlagProblem:
    """A problem with a flag: it has no value, its value isn't one of those offered, or the flag is repeated.

    ``offered`` contains the labels of the allowed values.
    """

    kind: Literal["empty", "twice", "not_offered"]
    value: str = ""
    offered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    Attributes:
        name: Its key in the values, unique in the form.
        label: What users see above it.
        kind: How it is filled in.
        choices: The available choices, even if the field is searchable.
        initial: Its initial value, a ``Choice.value`` if it has choices.
        optional: Whether it may be left empty.
        hint: A sentence below it, of at most 150 characters.
        has_dependents: Whether other fields depend on it, so that the form is redrawn when it changes.
        minimum: The smallest number allowed.
        maximum: The largest number allowed.
        max_length: The maximum length of a string, in characters.
        is_remembered: Whether the form is prefilled with the user's last value.
    """

    name: str
    label: str
    kind: FieldKind
    choices: tuple[Choice, ...] = ()
    initial: Value = ""
    optional: bool = False
    hint: str = ""
    has_dependents: bool = False
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    is_remembered: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """A form as data.

    Attributes:
        fields: The fields in display order.
        note: A sentence above them.
        advice: What administrators can do if there are no fields.
    """

    fields: tuple[Field, ...]
    note: str = ""
    advice: str = ""

    def field(self, name: str) -> Field | None:
        """Return the field called ``name``, or None."""
        return next((one for one in self.fields if one.name == name), None)


#: Text shown if the chosen template has since been removed.
TEMPLATE_NOT_OFFERED = "That template is no longer available. Choose again."
NAME_IN_USE = "There's already a workspace with that name. Choose another name."
#: Maximum number of choices in a menu. If there are more, the field is searchable instead.
MAX_MENU_CHOICES = 20


def choice_field(
    name: str, label: str, choices: tuple[Choice, ...], initial: str = "", **options: Any
) -> Field:
    """Return a field for picking one of several choices. If there are many, the field is searchable."""
    kind: FieldKind = "choice" if len(choices) <= MAX_MENU_CHOICES else "search"
    return Field(name, label, kind, choices, initial, **options)


def find_name_problem(
    name: str, max_length: int, taken: Collection[str] = (), what: str = "workspace"
) -> str:
    """Return what is wrong with a new name, or "" if it is fine. ``what`` says what is being named."""
    if not name:
        return "Needs a name."
    if len(name) > max_length:
        return f"At most {max_length} characters."
    if is_in_use(name, taken):
        return f"You already have a {what} with that name. Choose another name."
    return ""


def is_in_use(name: str, taken: Collection[str]) -> bool:
    """Return whether a name is already in use. Case and differences in Unicode form are ignored."""
    return fold(name) in set(map(fold, taken))


def name_field(initial: str, max_length: int, **options: Any) -> Field:
    """Return a field for a new name. It isn't prefilled with the name that was last used."""
    return Field(
        "name", "Name", "text", initial=initial, max_length=max_length, is_remembered=False, **options
    )


def text_of(values: Values, name: str) -> str:
    """Return a field's text without surrounding white space, or "" if it is empty."""
    value = values.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def texts_of(values: Values, name: str) -> tuple[str, ...]:
    """Return the selected values of a field."""
    value = values.get(name, ())
    return value if isinstance(value, tuple) else (value,) if value else ()


@dataclass(frozen=True, slots=True)
class Spec:
    """What to create or launch: a completed form that the provider has validated.

    Attributes:
        name: The name of the new workspace or run.
        chosen: The other values, under the provider's own keys, which only the provider reads.
        stem: The beginning of the name, if Usher chooses it. ``name`` is then empty until a free name
            is found, just before the first call.
    """

    name: str
    #: The form's values other than the name. They are left out of the hash, because specs are put into sets
    #: and mappings aren't hashable.
    chosen: Values = field(default_factory=dict, hash=False)
    stem: str = ""

    def text(self, key: str) -> str:
        """Return the text chosen for ``key``, or ""."""
        return text_of(self.chosen, key)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the values selected for ``key``."""
        return texts_of(self.chosen, key)

    @property
    def label(self) -> str:
        """Return the name that users see."""
        return self.text(DISPLAY_NAME_KEY) or self.name or self.stem

    @property
    def is_unnamed(self) -> bool:
        """Return whether Usher still has to find a free name."""
        return bool(self.stem) and not self.name

    def as_json(self) -> dict[str, Value]:
        """Return the spec as an object that can be serialised to JSON."""
        return {"name": self.name, **self.chosen, **({"stem": self.stem} if self.stem else {})}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild a spec from an object that ``as_json`` returned."""
        chosen = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        name, stem = (str(chosen.pop(key, "")) for key in ("name", "stem"))
        return cls(name, chosen, stem)


def flag_name(name: str) -> str:
    """Return a field's name as a flag. The prefix of a field that sets a provider's limit is left out."""
    return name.removeprefix(LIMIT_PREFIX).replace("_", "-")


class FormProblems(Exception):
    """What is wrong with a completed form: one sentence per field, keyed by the field's name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(sorted(problems)))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class NameRule:
    """The rule for names chosen by Usher: lower-case letters and digits, separated by single hyphens.

    Attributes:
        max_length: The maximum number of characters.
        needs_letter: Whether the name must begin with a letter.
    """

    max_length: int = 35
    needs_letter: bool = False

    def allows(self, name: str) -> bool:
        """Return whether a name follows this rule."""
        is_plain = re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) is not None
        return is_plain and len(name) <= self.max_length and not (self.needs_letter and name[0].isdigit())

    def to_stem(self, text: str, word: str) -> str:
        """Turn a string into a stem that leaves room for a suffix. If nothing is left, return ``word``."""
        plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode().casefold()
        name = "-".join(re.findall(r"[a-z0-9]+", plain)) or word
        name = f"{word}-{name}" if self.needs_letter and name[:1].isdigit() else name
        return name[: self.max_length - _MARK_LENGTH - 1].rstrip("-")


_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_MARK_LENGTH: Final = 6


@dataclass(frozen=True, slots=True)
class FreeName:
    """A name that Usher has yet to choose: its stem, and the names already taken at the provider."""

    stem: str
    taken: Collection[str] = ()

    def choose_name(self, others: Iterable[str]) -> str:
        """Return the stem. If that is taken or in ``others``, add a number or a suffix."""
        taken = (*self.taken, *others)
        return find_free_name(self.stem, taken) or append_suffix(self.stem, repr(sorted(taken)))


def find_free_name(stem: str, taken: Collection[str], between: str = "-") -> str:
    """Return a name for which ``is_in_use`` is false, or "" if a thousand candidates are all taken."""
    folded = set(map(fold, taken))
    tries = (stem if number == 1 else f"{stem}{between}{number}" for number in range(1, 1000))
    return next((name for name in tries if fold(name) not in folded), "")


def shorten_key(key: str) -> str:
    """Shorten one of Usher's ids to eight letters and digits, so that it fits into a name or another id."""
    return re.sub(r"[^0-9a-z]", "", key.casefold())[-8:].rjust(8, "0")


def append_suffix(stem: str, key: str) -> str:
    """Return the stem with a suffix computed from ``key``, for names that are shared with other users."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    mark = ""
    for _ in range(_MARK_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        mark += _DIGITS[digit]
    return f"{stem}-{mark}"
