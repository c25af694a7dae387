"""A template's form: fields for its rich parameters, and checks on the values entered. No I/O.

Only Coder itself checks values against a template's own patterns, because matching such a pattern could take
forever. The template's explanation of the pattern appears below the field.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import usher.provider as up

#: Prefix of the fields for parameters, so that their names don't clash with those of Usher's own fields.
PARAMETER = "p_"
_LONGEST_HINT = 150


@dataclass(frozen=True, slots=True)
class Parameter:
    """A rich parameter of a template."""

    name: str
    label: str
    kind: str
    hint: str = ""
    default: str = ""
    required: bool = False
    options: tuple[up.Choice, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    is_long: bool = False

    @classmethod
    def read(cls, one: Any) -> Parameter | None:
        """Read a parameter; return None if it applies only to a single build.

        Raises BadAnswer if the parameter has no name.
        """
        name = up.require_text(_object(one), "name")
        if one.get("ephemeral") is True:
            return None
        kind = up.find_text(one, "type") or "string"
        options = tuple(
            up.Choice(value, up.clean(up.find_text(option, "name") or value or "None", up.MAX_NAME_LENGTH))
            for option in objects(one, "options")
            if (value := _value(option)) is not None
        )
        if kind == "bool" and not options:
            options = (up.Choice("true", "Yes"), up.Choice("false", "No"))
        said = (up.find_text(one, "description_plaintext"), up.find_text(one, "validation_error"))
        return cls(
            name,
            up.clean(up.find_text(one, "display_name") or name, 48) or "Parameter",
            kind,
            up.clean(" ".join(text for text in said if text), _LONGEST_HINT),
            up.find_text(one, "default_value") or "",
            one.get("required") is True,
            options,
            _bound(one, "validation_min"),
            _bound(one, "validation_max"),
            one.get("form_type") == "textarea",
        )

    def field(self) -> up.Field:
        """Return the form field for this parameter."""
        kind: up.FieldKind = "long_text" if self.is_long else "text"
        initial: up.Value = self.default
        if self.kind == "list(string)":
            kind, initial = ("searches" if self.options else "text"), _listed(self.default)
            initial = initial if self.options else ", ".join(initial)
        elif self.options:
            kind = "choice" if len(self.options) <= up.MAX_MENU_CHOICES else "search"
        elif self.kind == "number":
            kind = "number"
        return up.Field(
            PARAMETER + self.name,
            self.label,
            kind,
            self.options,
            initial,
            optional=not self.required,
            hint=self.hint,
            minimum=self.minimum,
            maximum=self.maximum,
        )

    def problem(self, value: up.Value) -> str:
        """Return the problem with a value, or "" if there is none or Coder explains it better."""
        if not value and not self.can_be_empty:
            return self.lacking if self.required and not self.default else ""
        if not value and not self.options:
            return ""
        chosen = {value} if isinstance(value, str) else set(value)
        if self.options and not chosen <= {one.value for one in self.options}:
            return "That isn't offered. Choose another one."
        if self.kind == "number" and isinstance(value, str):
            return self._out_of_bounds(value)
        texts = [value] if isinstance(value, str) else value
        allowed = "\r\n\t" if self.is_long else ""
        is_clean = all(letter.isprintable() or letter in allowed for text in texts for letter in text)
        return "" if is_clean else "Needs to have no invisible characters."

    @property
    def lacking(self) -> str:
        """Return the message to show if the value is missing."""
        return f"Needs a {self.label.lower()}."

    @property
    def can_be_empty(self) -> bool:
        """Return whether a value may be empty, either as an option or to override the default."""
        if self.options and self.kind != "list(string)":
            return any(not one.value for one in self.options)
        return bool(self.default) and not self.required and self.kind != "number"

    def written(self, value: up.Value) -> str:
        """Return a value in the form that Coder expects."""
        if self.kind != "list(string)":
            return str(value)
        several = [one.strip() for one in value.split(",")] if isinstance(value, str) else list(value)
        return json.dumps([one for one in several if one])

    def _out_of_bounds(self, text: str) -> str:
        try:
            number = float(text)
        except ValueError:
            return "Needs a number."
        least = -math.inf if self.minimum is None else self.minimum
        most = math.inf if self.maximum is None else self.maximum
        if not math.isfinite(number) or not least <= number <= most:
            return f"Needs a number from {least:g} to {most:g}."
        return ""


@dataclass(frozen=True, slots=True)
class Template:
    """A template, with its active version and the parameters of that version."""

    id: str
    name: str
    label: str
    version: str
    parameters: tuple[Parameter, ...] = ()

    @classmethod
    def read(cls, one: Any) -> Template | None:
        """Read a template without its parameters; return None if it is deprecated or deleted.

        Raises BadAnswer if the template has no id, name or active version.
        """
        remote_id = up.require_id(one, "id")
        if one.get("deprecated") or one.get("deleted"):
            return None
        name = up.clean(up.require_text(one, "name"), up.MAX_NAME_LENGTH)
        label = up.clean(up.find_text(one, "display_name") or name, up.MAX_NAME_LENGTH)
        return cls(remote_id, name, label, up.require_id(one, "active_version_id"))


@dataclass(frozen=True, slots=True)
class Offer:
    """The templates that an account may use, and the names of its workspaces."""

    templates: tuple[Template, ...] = ()
    names: tuple[str, ...] = ()

    def chosen(self, values: up.Values) -> Template | None:
        """Return the template that was chosen by id, name or label, or the only template offered."""
        asked = up.text_of(values, "template").casefold()
        found = (one for one in self.templates if asked in {one.id, one.name, one.label.casefold()})
        only = self.templates[0] if len(self.templates) == 1 and not asked else None
        return next(found, only)


def form_of(offer: Offer, naming: up.NameRule, longest: int, values: up.Values) -> up.Form:
    """Build the form that asks for a template, a name, and the template's parameters."""
    template = offer.chosen(values)
    choices = tuple(up.Choice(one.id, one.label) for one in offer.templates)
    if not choices:
        return up.Form((), note="There are no templates that you may use.")
    free = up.find_free_name(naming.to_stem(template.name if template else "", "workspace"), offer.names)
    fields = [
        up.choice_field("template", "Template", choices, template.id if template else "", has_dependents=True)
    ]
    fields.append(up.name_field(free, longest))
    fields += [one.field() for one in (template.parameters if template else ())]
    return up.Form(tuple(fields))


def spec_of(offer: Offer, naming: up.NameRule, longest: int, values: up.Values) -> up.Spec:
    """Return the values that ``create`` needs; raise FormProblems with a sentence for each invalid field.

    Specs are stored and reused after the template has been updated, so ``create`` goes by ``template_id``.
    Specs of earlier releases have only ``version``.
    """
    template, problems = offer.chosen(values), dict[str, str]()
    name = up.text_of(values, "name").lower()
    if wrong := up.find_name_problem(name, longest, offer.names):
        problems["name"] = wrong
    elif not naming.allows(name):
        problems["name"] = (
            "Lower-case letters, digits and single hyphens, with a letter or digit at both ends."
        )
    if template is None:
        raise up.FormProblems({"template": up.TEMPLATE_NOT_OFFERED, **problems})
    chosen: dict[str, up.Value] = {
        "template": template.name,
        "template_id": template.id,
        "version": template.version,
    }
    for one in template.parameters:
        given = values.get(PARAMETER + one.name)
        if given is None:
            if one.required and not one.default:
                problems[PARAMETER + one.name] = one.lacking
            continue
        value: up.Value = given.strip() if isinstance(given, str) and not one.options else given
        if wrong := one.problem(value):
            problems[PARAMETER + one.name] = wrong
        elif value or one.can_be_empty:
            chosen[PARAMETER + one.name] = one.written(value)
    if problems:
        raise up.FormProblems(problems)
    return up.Spec(name, chosen)


def objects(holder: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the objects in the list under a key. The list may be missing, and may contain other values."""
    listed = holder.get(key)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _object(one: Any) -> dict[str, Any]:
    if not isinstance(one, dict):
        raise up.errors.BadAnswer("an entry is not an object")
    return one


def _bound(one: Mapping[str, Any], key: str) -> float | None:
    value = one.get(key)
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else float(value)


def _value(option: Mapping[str, Any]) -> str | None:
    value = option.get("value")
    return value if isinstance(value, str) else up.find_text(option, "value")


def _listed(text: str) -> tuple[str, ...]:
    try:
        value = json.loads(text or "[]")
    except ValueError:
        return ()
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
