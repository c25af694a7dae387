"""What an operator prepared in the connections file (templates), and fields that forms share."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo, field_validator

from bot.domain.forms import Choice, Field, Values, text_of
from bot.domain.people import Principal

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
NOT_OFFERED = "That template is no longer available. Choose again."
#: With more choices than this, the menu searches.
FEW = 20


class Strict(BaseModel):
    """Read part of the connections file: unknown keys are errors, and no error shows a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Prepared(Strict):
    """Name something prepared; ``who`` may use it (``U…``, ``T…:U…``), everybody if omitted."""

    name: str
    title: str = ""
    who: tuple[str, ...] | None = None

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("needs lower-case letters, digits, - and _, at most 41")
        return value

    @property
    def label(self) -> str:
        """Return its display name."""
        return self.title or self.name

    def is_for(self, asker: Principal) -> bool:
        """Return whether a person may use it."""
        if self.who is None:
            return True
        return bool({asker.user_id, f"{asker.team_id}:{asker.user_id}"} & set(self.who))


P = TypeVar("P", bound=Prepared)


def _all_differ(value: tuple[P, ...], info: ValidationInfo) -> tuple[P, ...]:
    if len({one.name for one in value}) < len(value):
        raise ValueError(f"two {info.field_name} have the same name")
    return value


#: A setting that lists prepared things.
AllOf = Annotated[tuple[P, ...], AfterValidator(_all_differ)]


def named(prepared: Iterable[P], name: str) -> P | None:
    """Return the one with a name."""
    return next((one for one in prepared if one.name == name), None)


def proposed(offered: Sequence[P], values: Values) -> P | None:
    """Return the one chosen by its name or label, or the only one."""
    asked = text_of(values, "template").casefold()
    only = offered[0] if len(offered) == 1 else None
    return next((one for one in offered if asked in {one.name, one.label.casefold()}), only)


def template_field(offered: Sequence[Prepared], chosen: Prepared | None) -> Field:
    """Return the field that asks which one."""
    choices = tuple(Choice(one.name, one.label) for one in offered)
    return choice_field(
        "template", "Template", choices, chosen.name if chosen is not None else "", redraws=True
    )


def choice_field(
    name: str, label: str, choices: tuple[Choice, ...], initial: str = "", **options: Any
) -> Field:
    """Return a field for choosing one of few, or of many."""
    return Field(name, label, "choice" if len(choices) <= FEW else "search", choices, initial, **options)


def name_problem(name: str, most: int, taken: Collection[str] = (), what: str = "workspace") -> str:
    """Return what is wrong with a new name, "" if nothing is; ``what`` is what it is for."""
    if not name:
        return "Needs a name."
    if len(name) > most:
        return f"At most {most} characters."
    return f"You already have a {what} with that name. Choose another name." if name in taken else ""


def name_field(initial: str, max_length: int, **options: Any) -> Field:
    """Return the field for a new name; no name is suggested twice."""
    return Field("name", "Name", "text", initial=initial, max_length=max_length, remembers=False, **options)
