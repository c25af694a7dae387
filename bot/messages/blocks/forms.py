"""Forms: each field of a provider's form becomes an input block of a modal or a flag of a command.

A block's id is the field's name plus a digest of the field's choices or default. Slack keeps what people
entered in a block as long as the block's id stays the same, so changing a field's choices resets the field.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from bot.domain.forms import Choice, Field, FlagProblem, Form, Purpose, Values, flag_name
from bot.domain.notices import Answer
from bot.messages.blocks import kit, limits
from bot.messages.blocks.kit import Block, Element, Markup, fill, line
from bot.messages.texts import runs, verbs

START_FIELD: Final = "workspace"
#: Value of the option for an empty choice. Slack requires every option to have a value.
EMPTY_CHOICE: Final = "\u2205"
_MAX_SELECTED: Final = 20
_ID_SEPARATOR: Final = "~"
#: Maximum number of alternatives listed when a flag or its value is wrong.
MAX_FLAGS: Final = 8


def make_view(
    form: Form,
    *,
    purpose: Purpose,
    metadata: Mapping[str, Any],
    title: str,
    username: str,
    values: Values,
    has_people: bool = True,
) -> dict[str, Any]:
    """Return a form's modal, filled with ``values``, or a modal that says that nothing is offered.

    The latter is for a form without fields. ``has_people`` is False if the operator's account creates
    everyone's workspaces.
    """
    template = verbs.AT if username else "On *{title}*, with your own account."
    head = fill(template if has_people else verbs.AT_NOBODYS, title=title, username=username)
    blocks: list[Block] = [kit.context(head)]
    if form.note:
        blocks.append(kit.section(kit.safe(form.note)))
    if not form.fields:
        blocks.append(kit.section(fill(verbs.NOTHING_TO_CHOOSE, title=title)))
        return _build_modal(purpose, blocks)
    blocks += [_build_input(field, values) for field in form.fields]
    return _build_modal(
        purpose,
        blocks[: limits.MAX_VIEW_BLOCKS],
        submit=verbs.SUBMIT[purpose],
        callback_id="make",
        private_metadata=_encode_metadata(metadata),
    )


def sentence_view(purpose: Purpose, sentence: str, *, external_id: str | None = None) -> dict[str, Any]:
    """Return a modal that contains only a sentence. It is shown while a form loads, or instead of a form."""
    view = _build_modal(purpose, [kit.section(sentence)])
    return view if external_id is None else {**view, "external_id": external_id}


def answer_view(
    answer: Answer, purpose: Purpose | None = None, *, external_id: str | None = None
) -> dict[str, Any]:
    """Return a modal that shows an answer with its buttons. What these buttons answer appears in it, too."""
    title = verbs.ANSWER_TITLE if purpose is None else verbs.TITLE[purpose]
    said = list(answer.blocks) or [kit.section(kit.safe(answer.text))]
    return kit.modal(title, said, **({"external_id": external_id} if external_id else {}))


def start_view(choices: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the form for starting one of the given workspaces.

    Each workspace is given as its id, name and state. Without choices, the form has a search field instead of
    a menu.
    """
    options = [
        kit.option(key, label) | {"description": kit.plain(state, limits.MAX_OPTION_LENGTH)}
        for key, label, state in choices
    ]
    placeholder = kit.plain(verbs.PICK, limits.MAX_PLACEHOLDER_LENGTH)
    menu: Element = {"action_id": START_FIELD, "placeholder": placeholder}
    if not options:
        # Menus in messages use this search as well. The part of the action id before the colon tells them
        # apart.
        menu |= {"type": "external_select", "action_id": "start:workspace", "min_query_length": 0}
    else:
        menu |= {"type": "static_select", "options": options}
        menu |= {"initial_option": options[0]} if len(options) == 1 else {}
    return kit.modal(
        verbs.START_TITLE,
        [kit.field(START_FIELD, "Workspace", menu), kit.context("I'll message you when it's ready.")],
        callback_id="start_workspace",
        submit="Start",
    )


def get_field_name(block_id: str) -> str:
    """Return the name of a block's field."""
    return block_id.partition(_ID_SEPARATOR)[0]


def is_typed(field: Field) -> bool:
    """Return whether people type into a field rather than choose from a list."""
    return field.kind in {"text", "long_text", "number"}


def list_options(choices: Sequence[Choice]) -> list[dict[str, Any]]:
    """Return choices as menu options, up to Slack's limit, without those whose values are too long."""
    usable = [
        kit.option(choice.value or EMPTY_CHOICE, choice.label)
        for choice in choices
        if choice.value != EMPTY_CHOICE and len(choice.value) <= limits.MAX_OPTION_VALUE_LENGTH
    ]
    return usable[: limits.MAX_SELECT_OPTIONS]


def read_option_value(value: str) -> str:
    """Return the value of the choice behind an option."""
    return "" if value == EMPTY_CHOICE else value


def _encode_metadata(metadata: Mapping[str, Any]) -> str:
    values = dict(metadata)
    for dispensable in ("proposed", "chosen"):
        if len(json.dumps(values, sort_keys=True)) > limits.MAX_METADATA_LENGTH:
            values[dispensable] = {}
    return json.dumps(values, sort_keys=True)


def _build_modal(purpose: Purpose, blocks: list[Block], **keys: str) -> dict[str, Any]:
    return kit.modal(verbs.TITLE[purpose], blocks, close="Cancel", **keys)


def _build_input(field: Field, values: Values) -> Block:
    label, hint = (
        kit.safe(field.label, limits.MAX_LABEL_LENGTH),
        kit.safe(field.hint, limits.MAX_LABEL_LENGTH) if field.hint else "",
    )
    block = kit.field(_block_id(field), label, _build_element(field, values), hint, optional=field.optional)
    return block | ({"dispatch_action": True} if field.has_dependents else {})


def _block_id(field: Field) -> str:
    if is_typed(field):
        proposed = field.initial if isinstance(field.initial, str) else ""
        return f"{field.name}{_ID_SEPARATOR}{zlib.crc32(proposed.encode()):08x}" if proposed else field.name
    values = "\n".join(f"{choice.value}\t{choice.label}" for choice in field.choices)
    return f"{field.name}{_ID_SEPARATOR}{zlib.crc32(f'{field.kind}{values}'.encode()):08x}"


def _build_element(field: Field, values: Values) -> Element:
    given = values.get(field.name, field.initial)
    action_id = f"field:{field.name}"
    match field.kind:
        case "text" | "long_text" | "number":
            return _build_text_input(field, action_id, given if isinstance(given, str) else "")
        case "choice" | "search":
            element: Element = {"action_id": action_id, **_build_menu(field)}
            chosen = list_options([one for one in field.choices if one.value == given])
            return element | ({"initial_option": chosen[0]} if chosen else {})
        case "searches":
            before = given if isinstance(given, tuple) else (given,) if given else ()
            several = list_options([one for one in field.choices if one.value in before])
            element = {
                "type": "multi_external_select",
                "action_id": action_id,
                "min_query_length": 0,
                "max_selected_items": _MAX_SELECTED,
                "placeholder": kit.plain("Choose what you need", limits.MAX_PLACEHOLDER_LENGTH),
            }
            return element | ({"initial_options": several[:_MAX_SELECTED]} if several else {})


def _build_menu(field: Field) -> Element:
    offered = list_options(field.choices)
    if field.kind == "choice" and offered and len(field.choices) <= limits.MAX_SELECT_OPTIONS:
        placeholder = kit.plain(verbs.PICK, limits.MAX_PLACEHOLDER_LENGTH)
        return {"type": "static_select", "options": offered, "placeholder": placeholder}
    placeholder = kit.plain("Type to find one", limits.MAX_PLACEHOLDER_LENGTH)
    return {"type": "external_select", "min_query_length": 0, "placeholder": placeholder}


def _build_text_input(field: Field, action_id: str, given: str) -> Element:
    if field.kind == "number":
        element: Element = {"type": "number_input", "action_id": action_id, "is_decimal_allowed": True}
        bounds = {"min_value": field.minimum, "max_value": field.maximum}
        element |= {key: _format_number(bound) for key, bound in bounds.items() if bound is not None}
        given = given if _is_within(field, given) else ""
    else:
        element = {
            "type": "plain_text_input",
            "action_id": action_id,
            "multiline": field.kind == "long_text",
            "max_length": min(field.max_length or limits.MAX_INPUT_LENGTH, limits.MAX_INPUT_LENGTH),
        }
    if field.has_dependents:
        element["dispatch_action_config"] = {"trigger_actions_on": ["on_enter_pressed"]}
    return element | (
        {"initial_value": given[: element.get("max_length", limits.MAX_INPUT_LENGTH)]} if given else {}
    )


def _is_within(field: Field, given: str) -> bool:
    """Return whether a number is within a field's bounds. If a default isn't, Slack rejects the form."""
    try:
        number = float(given)
    except ValueError:
        return False
    least, most = field.minimum, field.maximum
    return (least is None or number >= least) and (most is None or number <= most)


def _format_number(bound: float) -> str:
    """Format a bound without rounding, and without an exponent, which Slack doesn't accept."""
    return f"{Decimal(str(bound)).normalize():f}"


def format_flag(name: str, *value: str) -> str:
    """Return the flag for a field, followed by the value if one is given."""
    return f"`--{' '.join(line(word, 40) for word in (flag_name(name), *value))}`"


def format_flag_problem(problem: FlagProblem) -> str:
    """Explain what is wrong with a flag."""
    match problem.kind:
        case "empty":
            return "Needs a value after it."
        case "twice":
            return "It's given twice. Keep only one."
    if not problem.offered:
        return "There's nothing to choose from here. Leave it out."
    named = Markup(", ".join(f"`{line(label, 40)}`" for label in problem.offered[:MAX_FLAGS]))
    template = runs.FLAG_NOT_OFFERED if len(problem.offered) <= MAX_FLAGS else runs.FLAG_SOME_OFFERED
    return fill(template, value=Markup(f"`{line(problem.value, 40)}`"), offered=named)
