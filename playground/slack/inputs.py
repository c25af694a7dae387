"""What a person enters into elements, in the form that payloads carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.slack.kit.blocks import elements_of

if TYPE_CHECKING:
    from playground.slack.records import Json

#: Element type → (field of its value, field of its value at start).
SINGLE = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
MANY = {
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
}
ONE_OPTION = {"static_select", "external_select", "radio_buttons", "overflow"}
MANY_OPTIONS = {"multi_static_select", "multi_external_select", "checkboxes"}
EXTERNAL = {"external_select", "multi_external_select"}


class InputError(ValueError):
    """Somebody entered what the element does not take."""


def offered(element: Json) -> list[Json]:
    """Return the options that an element brings along."""
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(option for group in groups for option in group["options"])]


def _option(element: Json, value: Any) -> Json | None:
    """Find an option by its value; an external one may also be given whole, or by its value alone."""
    if value in (None, ""):
        return None
    if isinstance(value, dict):
        if element["type"] not in EXTERNAL and value not in offered(element):
            raise InputError("no such option")
        return value
    for option in offered(element):
        if option["value"] == value:
            return option
    if element["type"] in EXTERNAL:
        return {"text": {"type": "plain_text", "text": str(value), "emoji": True}, "value": str(value)}
    raise InputError(f"no option has the value {value!r}")


def filled(element: Json, value: Any) -> Json:
    """Return the state of an element that holds a value; raises InputError when it can't."""
    kind = element["type"]
    many = value if isinstance(value, list) else [] if value in (None, "") else [value]
    if kind in SINGLE:
        return {"type": kind, SINGLE[kind][0]: None if value == "" else value}
    if kind in MANY:
        return {"type": kind, MANY[kind][0]: many}
    if kind in ONE_OPTION:
        return {"type": kind, "selected_option": _option(element, value)}
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": [_option(element, one) for one in many]}
    raise InputError(f"{kind} holds no value")


def at_start(element: Json) -> Json | None:
    """Return the state of an element that nobody has touched; None for buttons and the like."""
    kind = element["type"]
    if kind in SINGLE:
        return {"type": kind, SINGLE[kind][0]: element.get(SINGLE[kind][1])}
    if kind in MANY:
        return {"type": kind, MANY[kind][0]: element.get(MANY[kind][1]) or []}
    if kind in ONE_OPTION - {"overflow"}:
        return {"type": kind, "selected_option": element.get("initial_option")}
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": element.get("initial_options") or []}
    return None


def state_values(blocks: list[Json], entered: Json) -> Json:
    """Return ``{block_id: {action_id: state}}`` of all elements that hold a value."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            start = at_start(element)
            if start is None:
                continue
            held = entered.get(block["block_id"], {}).get(element["action_id"], start)
            values.setdefault(block["block_id"], {})[element["action_id"]] = held
    return values


def find(blocks: list[Json], action_id: str, block_id: str | None = None) -> tuple[Json, Json] | None:
    """Find an element by its action_id (and block_id); return the block and the element."""
    for block in blocks:
        if block_id is not None and block.get("block_id") != block_id:
            continue
        for element in elements_of(block):
            if element.get("action_id") == action_id:
                return block, element
    return None


def is_empty(state: Json) -> bool:
    """Tell whether an input holds nothing."""
    return all(value in (None, "", []) for key, value in state.items() if key != "type")


def complaints(blocks: list[Json], values: Json) -> dict[str, str]:
    """Return what Slack's own client objects to before it submits, by block id."""
    found: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        text = state.get("value")
        if is_empty(state):
            if not block.get("optional"):
                found[block["block_id"]] = "Please complete this required field."
        elif isinstance(text, str) and len(text) < element.get("min_length", 0):
            found[block["block_id"]] = f"Please enter at least {element['min_length']} characters."
        elif isinstance(text, str) and len(text) > element.get("max_length", 3000):
            found[block["block_id"]] = (
                f"Please enter no more than {element.get('max_length', 3000)} characters."
            )
    return found


def action(block: Json, element: Json, value: Any, action_ts: str) -> Json:
    """Make the entry of ``actions`` for what was pressed or chosen; a button keeps the value it was given."""
    made: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"]}
    if element["type"] in ("button", "workflow_button"):
        made["text"] = element["text"]
        made |= {key: element[key] for key in ("value", "style", "url") if key in element}
    else:
        made |= filled(element, value)
        made |= {key: element[key] for key in ("placeholder", "initial_option") if key in element}
    return {**made, "action_ts": action_ts}
