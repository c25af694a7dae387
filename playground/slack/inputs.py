"""The values that a person enters into elements, in the format of payloads."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from playground.slack.errors import SlackError
from playground.slack.kit.blocks import elements_of
from playground.slack.records import Json

#: Maps each type of element to the fields for its value and its initial value.
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
TYPED = {"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"}

#: The formats of pickers' values. Other values can't be picked.
_FORMS = {
    "datepicker": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "timepicker": re.compile(r"([01]\d|2[0-3]):[0-5]\d"),
}


class InputError(SlackError):
    """Raised if a person enters a value that an element doesn't accept."""

    def __init__(self, detail: str) -> None:
        super().__init__("invalid_value", detail=detail)


def offered(element: Json) -> list[Json]:
    """Return the options listed in an element."""
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(option for group in groups for option in group["options"])]


def _option(element: Json, value: Any) -> Json | None:
    """Return an option by its value. If the app supplies the options, any value or whole option will do."""
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


def _is_pickable(kind: str, value: str) -> bool:
    if not _FORMS[kind].fullmatch(value):
        return False
    try:
        return kind != "datepicker" or bool(date.fromisoformat(value))
    except ValueError:
        return False


def _single(kind: str, value: Any) -> Any:
    """Return a value as its element sends it. An empty value becomes null."""
    if value in (None, ""):
        return None
    if kind == "datetimepicker":
        if not str(value).isdigit():
            raise InputError("not a time in epoch seconds")
        return int(value)
    if kind == "rich_text_input" and isinstance(value, str):
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": value}]}
        return {"type": "rich_text", "elements": [section]}
    if kind in _FORMS and not _is_pickable(kind, str(value)):
        raise InputError(f"{value!r} cannot be picked")
    return str(value) if kind == "number_input" else value


def _zone(element: Json) -> Json:
    """Return the time zone set in a time picker. Slack sends it back to the app with the time."""
    return {"timezone": element["timezone"]} if "timezone" in element else {}


def filled(element: Json, value: Any) -> Json:
    """Return the state of an element with this value; raise InputError if the value isn't valid."""
    kind = element["type"]
    many = value if isinstance(value, list) else [] if value in (None, "") else [value]
    if len(many) > element.get("max_selected_items", len(many)):
        raise InputError(f"no more than {element['max_selected_items']} can be chosen")
    if kind in SINGLE:
        return {"type": kind, SINGLE[kind][0]: _single(kind, value), **_zone(element)}
    if kind in MANY:
        return {"type": kind, MANY[kind][0]: many}
    if kind in ONE_OPTION:
        return {"type": kind, "selected_option": _option(element, value)}
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": [_option(element, one) for one in many]}
    raise InputError(f"{kind} holds no value")


def at_start(element: Json) -> Json | None:
    """Return the initial state of an element, or None for buttons and other elements without a value."""
    kind = element["type"]
    if kind in SINGLE:
        return {"type": kind, SINGLE[kind][0]: element.get(SINGLE[kind][1]), **_zone(element)}
    if kind in MANY:
        return {"type": kind, MANY[kind][0]: element.get(MANY[kind][1]) or []}
    if kind in ONE_OPTION - {"overflow"}:
        return {"type": kind, "selected_option": element.get("initial_option")}
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": element.get("initial_options") or []}
    return None


def held(state: Json) -> Any:
    """Return the value in an element's state, without the type."""
    return next((value for key, value in state.items() if key != "type"), None)


def state_values(blocks: list[Json], entered: Json) -> Json:
    """Return ``{block_id: {action_id: state}}`` for all elements that have a value."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            start = at_start(element)
            if start is None:
                continue
            known = entered.get(block["block_id"], {}).get(element["action_id"], start)
            values.setdefault(block["block_id"], {})[element["action_id"]] = known
    return values


def carried_over(known: Json, blocks: list[Json]) -> Json:
    """Return the states of elements that still exist: with the same block, action and type."""
    kept: Json = {}
    for block in blocks:
        for element in elements_of(block):
            state = known.get(block["block_id"], {}).get(element["action_id"])
            if state is not None and state["type"] == element["type"]:
                kept.setdefault(block["block_id"], {})[element["action_id"]] = state
    return kept


def find(blocks: list[Json], action_id: str, block_id: str | None = None) -> tuple[Json, Json]:
    """Return the block and the element with this action_id (and block_id); raise ``no_such_element``."""
    for block in blocks:
        if block_id is not None and block.get("block_id") != block_id:
            continue
        for element in elements_of(block):
            if element.get("action_id") == action_id:
                return block, element
    raise SlackError("no_such_element")


def is_live(block: Json, element: Json) -> bool:
    """Return whether the app is told about each choice. In an input block, this needs ``dispatch_action``."""
    return at_start(element) is None or block["type"] != "input" or bool(block.get("dispatch_action"))


def is_empty(state: Json) -> bool:
    """Return whether an input is empty."""
    return held(state) in (None, "", [])


def action(block: Json, element: Json, value: Any, action_ts: str) -> Json:
    """Return the payload's entry in ``actions`` for a press or choice. A button keeps the app's own value."""
    made: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"]}
    if element["type"] in ("button", "workflow_button"):
        made["text"] = element["text"]
        made |= {key: element[key] for key in ("value", "style", "url") if key in element}
    else:
        made |= filled(element, value)
        made |= {key: element[key] for key in element if key == "placeholder" or key.startswith("initial_")}
    return {**made, "action_ts": action_ts}
