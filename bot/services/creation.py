"""Forms that specify a workspace or run, based on the provider's latest offer, and flags that fill them in.

Nothing here waits for a provider. Because a form changes with each choice, flags (``--NAME VALUE``) are
applied one at a time, each to the form that resulted from the previous flag. Flags for fields that other
fields depend on are applied first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from bot.domain.forms import (
    LIMIT_PREFIX,
    Choice,
    Field,
    FlagProblem,
    Form,
    Purpose,
    Spec,
    Value,
    Values,
    flag_name,
)
from bot.domain.people import Principal
from bot.domain.snapshots import Snapshot
from bot.providers import base, facets
from bot.support.cleaning import fold
from bot.support.errors import Refused


def check_offered(
    provider: base.Provider, spec: Spec | None, principal: Principal, purpose: Purpose = "workspace"
) -> None:
    """Raise Refused (``workspace.withheld``, ``job.withheld``) if this person may no longer use a spec."""
    if spec is not None and provider.is_withheld(spec, principal):
        raise Refused(f"{purpose}.withheld", cause="withheld", title=provider.settings.title)


class PersonalOffer(NamedTuple):
    """A provider's latest offer, limited to what a person may use for a given purpose."""

    provider: base.Provider
    snapshot: Snapshot[Any]
    purpose: Purpose
    asker: Principal

    def form(self, values: Values) -> Form:
        """Return the form, given the values that have been filled in so far."""
        forms = self.provider.require_facet(facets.Forms)
        return forms.form(self.snapshot.payload, self.purpose, values, self.asker)

    def spec(self, values: Values) -> Spec:
        """Return the spec of a completed form. Raise FormProblems if the form is invalid."""
        forms = self.provider.require_facet(facets.Forms)
        return forms.spec(self.snapshot.payload, self.purpose, values, self.asker)


#: Names of fields that limit a run's resources. A flag for such a limit is dropped if the form has no size
#: fields, and no other choice would add one.
_LIMIT_NAMES: Final = (
    frozenset({"cpus", "cpu", "cores", "processors"}),
    frozenset({"memory", "mem", "ram"}),
)
#: Sets of alternative names for the same field, so that a flag may use any of them. A form uses at most one
#: name from each set.
SYNONYMS: Final = (
    *_LIMIT_NAMES,
    frozenset({"gpus", "gpu"}),
    frozenset({"directory", "dir", "workdir", "cwd", "working_directory"}),
    frozenset({"environment", "env"}),
    frozenset({"image", "container", "container_image"}),
    frozenset({"queue", "queues", "partition"}),
    frozenset({"profile", "resource_profile", "size"}),
    frozenset({"constraints", "constraint", "placement"}),
    frozenset({"command", "cmd"}),
)
COMMAND_FIELD: Final = "command"
TEMPLATE_FIELD: Final = "template"
#: Fields that Usher never fills in for a person: where to run, and which template to use.
_OWN_CHOICE: Final = frozenset({"cluster", TEMPLATE_FIELD})
#: Maximum number of a field's choices to try while looking for a form that accepts the flags.
_MAX_ALTERNATIVES: Final = 30
_MAX_ROUNDS: Final = 20


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag, ``--NAME VALUE`` or ``--NAME=VALUE``. ``value`` is None if the flag has no value."""

    name: str
    value: str | None


@dataclass(slots=True)
class FilledForm:
    """A form filled in from flags: its values, the form itself, and the problem with each invalid flag."""

    values: dict[str, Value]
    form: Form
    problems: dict[str, FlagProblem] = field(default_factory=dict)
    #: Flags that don't match any field of the form.
    unknown: list[Flag] = field(default_factory=list)
    #: Flags for limits, dropped because the form has no fields for limits.
    left_out: list[Flag] = field(default_factory=list)


def apply_flags(form_of: Callable[[Values], Form], flags: Sequence[Flag]) -> FilledForm:
    """Apply flags to a form and return the result. ``form_of`` returns the provider's form for given values.

    Fields without a flag keep the form's defaults. If the person left a field open, and exactly one of its
    choices makes all flags valid, that choice is made. If the form has no limits, flags for limits are
    dropped.
    """
    result = _apply_in_order(form_of, flags, {})
    if result.unknown:
        found = [
            (name, value)
            for name, value in _list_alternatives(result, _OWN_CHOICE | set(result.values))
            if not _apply_in_order(form_of, flags, {name: value}).unknown
        ]
        if len(found) == 1:
            result = _apply_in_order(form_of, flags, dict(found))
    _leave_out(form_of, result)
    for one in result.form.fields:
        if one.initial and one.name not in result.values and one.name not in result.problems:
            result.values[one.name] = one.initial
    return result


def propose_defaults(form_of: Callable[[Values], Form], template: str) -> tuple[dict[str, Value], Form, str]:
    """Return default values that complete a form, the form itself, and the template's label.

    If ``template`` isn't "", that template is chosen first. If the label is empty, the template isn't
    offered.
    """
    values: dict[str, Value] = {TEMPLATE_FIELD: template} if template else {}
    form = form_of(values)
    label = ""
    if template and (found := find_choice(form, template)) is not None:
        name, chosen = found
        values[name], label = chosen.value, chosen.label
    for _ in range(_MAX_ROUNDS):
        form = form_of(values)
        missing = {one.name: one.initial for one in form.fields if one.initial and one.name not in values}
        if not missing:
            break
        values |= missing
    return values, form, label


def find_choice(form: Form, said: str) -> tuple[str, Choice] | None:
    """Return a field's name and its choice with this value or label, or None if no field offers it."""
    every = ((one.name, choice) for one in form.fields for choice in one.choices)
    return next(
        (found for found in every if fold(said) in {fold(found[1].value), fold(found[1].label)}), None
    )


def find_enabling_choices(
    form_of: Callable[[Values], Form], result: FilledForm, flag: Flag
) -> list[tuple[str, str]]:
    """Return the choices, as (field, value) pairs, that would make an unknown flag valid."""
    return [
        (name, value)
        for name, value in _list_alternatives(result, frozenset())
        if find_field(form_of(result.values | {name: value}), flag.name) is not None
    ]


def find_field(form: Form, name: str) -> Field | None:
    """Return the field that a flag sets. The flag may be the field's name, its label or a synonym."""
    needle = _fold_flag(name)
    for one in form.fields:
        if needle in {_fold_flag(one.name), _fold_flag(flag_name(one.name)), _fold_flag(one.label)}:
            return one
    same = next((row for row in SYNONYMS if needle in row), frozenset[str]())
    return next((one for one in form.fields if _fold_flag(flag_name(one.name)) in same), None)


def _leave_out(form_of: Callable[[Values], Form], result: FilledForm) -> None:
    """Drop flags for limits if the form has no limits and no other choice would add any."""
    if any(_is_size(one) for one in result.form.fields):
        return
    others = [
        form_of(result.values | {name: value})
        for name, value in _list_alternatives(result, frozenset(result.values))
    ]
    for flag in list(result.unknown):
        is_limit = any(_fold_flag(flag.name) in row for row in _LIMIT_NAMES)
        if is_limit and not any(find_field(form, flag.name) is not None for form in others):
            result.unknown.remove(flag)
            result.left_out.append(flag)


def _is_size(one: Field) -> bool:
    sizes = [*SYNONYMS[:3], frozenset({"profile", "resource_profile", "size"})]
    return one.name.startswith(LIMIT_PREFIX) or any(_fold_flag(one.name) in row for row in sizes)


def _apply_in_order(form_of: Callable[[Values], Form], flags: Sequence[Flag], chosen: Values) -> FilledForm:
    form = form_of(chosen)
    result = FilledForm(dict(chosen), form)
    for _ in range(_MAX_ROUNDS):
        given = _group_by_field(form, flags)
        waiting = [
            one
            for one in form.fields
            if one.name in given and one.name not in {*result.values, *result.problems}
        ]
        if not waiting:
            break
        # First apply the fields that others depend on, one at a time, because each may change the form.
        first = next((one for one in waiting if one.has_dependents), None)
        for one in [first] if first is not None else waiting:
            _set_field(result, one, given[one.name])
        form = result.form = form_of(result.values)
    result.unknown = [flag for flag in flags if find_field(form, flag.name) is None]
    return result


def _group_by_field(form: Form, flags: Sequence[Flag]) -> dict[str, list[str | None]]:
    given: dict[str, list[str | None]] = {}
    for flag in flags:
        wanted = find_field(form, flag.name)
        if wanted is not None:
            given.setdefault(wanted.name, []).append(flag.value)
    return given


def _set_field(result: FilledForm, wanted: Field, given: Sequence[str | None]) -> None:
    found = [value for value in given if value is not None]
    if len(found) < len(given):
        result.problems[wanted.name] = FlagProblem("empty")
        return
    match wanted.kind:
        case "long_text":
            result.values[wanted.name] = "\n".join(found)
            return
        case "searches":
            several = [part for value in found for part in _split_values(wanted, value)]
        case _:
            if len(found) > 1:
                result.problems[wanted.name] = FlagProblem("twice")
                return
            several = found
    if wanted.kind in {"text", "number"}:
        result.values[wanted.name] = several[0]
        return
    chosen: list[str] = []
    for value in several:
        choice = _find_field_choice(wanted, value)
        if choice is None:
            offered = tuple(one.label for one in wanted.choices)
            result.problems[wanted.name] = FlagProblem("not_offered", value, offered)
            return
        chosen.append(choice.value)
    result.values[wanted.name] = tuple(chosen) if wanted.kind == "searches" else chosen[0]


def _split_values(wanted: Field, value: str) -> list[str]:
    """Split values separated by commas, unless the string as a whole is one value."""
    return (
        [value]
        if _find_field_choice(wanted, value) is not None
        else [part for part in value.split(",") if part]
    )


def _find_field_choice(wanted: Field, value: str) -> Choice | None:
    needle = fold(value)
    exact = next((choice for choice in wanted.choices if choice.value == value), None)
    return exact or next(
        (choice for choice in wanted.choices if needle in {fold(choice.value), fold(choice.label)}), None
    )


def _list_alternatives(result: FilledForm, besides: frozenset[str]) -> list[tuple[str, str]]:
    """Return choices that would change the form, as (field, value) pairs. Skip the fields in ``besides``."""
    return [
        (one.name, choice.value)
        for one in result.form.fields
        if one.has_dependents and one.kind in {"choice", "search"} and one.name not in besides
        for choice in one.choices[:_MAX_ALTERNATIVES]
        if choice.value != result.values.get(one.name, one.initial)
    ]


def _fold_flag(word: str) -> str:
    return "_".join(word.casefold().replace("-", " ").replace("_", " ").replace(".", " ").split())
