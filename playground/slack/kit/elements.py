"""The limits of block elements and of the composition objects within them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.slack.kit.checks import (
    Report,
    Shape,
    anything,
    boolean,
    exactly_one,
    integer,
    items,
    one_of,
    pattern,
    string,
    text,
    typed,
    url,
)

Checker = Callable[[Any, str, Report], None]

CONFIRM = Shape(
    {"title": text(100, plain=True), "text": text(300), "confirm": text(30, plain=True),
     "deny": text(30, plain=True)},
    {"style": one_of("primary", "danger")},
)  # fmt: skip

OPTION = Shape({"text": text(75, plain=True), "value": string(150)}, {"description": text(75, plain=True)})
OVERFLOW_OPTION = Shape(OPTION.required, {**OPTION.optional, "url": url})
LIST_OPTION = Shape({"text": text(75), "value": string(150)}, {"description": text(75)})
GROUP = Shape({"label": text(75, plain=True), "options": items(OPTION, 100)})

ACTION_ID = string(255)
COMMON: dict[str, Checker] = {"action_id": ACTION_ID, "confirm": CONFIRM}
FOCUS: dict[str, Checker] = {"focus_on_load": boolean}
PLACEHOLDER: dict[str, Checker] = {"placeholder": text(150, plain=True)}
DISPATCH = Shape({}, {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), 2)})


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; what else stands there is reported elsewhere."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _initial_is_offered(value: Any, pointer: str, report: Report) -> None:
    """Slack refuses a choice at start that isn't one of the options as a whole: value, text, description."""
    offered = _objects(value.get("options"))
    for group in _objects(value.get("option_groups")):
        offered += _objects(group.get("options"))
    for option in _objects(value.get("initial_options")) + _objects([value.get("initial_option")]):
        if option not in offered:
            report.say(pointer, "initial option must exactly match one of the provided options")


def _choice(value: Any, pointer: str, report: Report) -> None:
    exactly_one("options", "option_groups")(value, pointer, report)
    _initial_is_offered(value, pointer, report)


def _select(own: dict[str, Checker], whole: Checker | None = None, *, many: bool = False) -> Shape:
    shared = {**COMMON, **FOCUS, **PLACEHOLDER, **own}
    if many:
        shared["max_selected_items"] = integer(1, 1000)
    return Shape({}, shared, whole)


def _text_input(**own: Checker) -> Shape:
    shared: dict[str, Checker] = {
        "action_id": ACTION_ID,
        "initial_value": string(3000, 0),
        "dispatch_action_config": DISPATCH,
    }
    return Shape({}, {**shared, **FOCUS, **PLACEHOLDER, **own})


BUTTON = Shape(
    {"text": text(75, plain=True)},
    {**COMMON, "url": url, "value": string(2000), "style": one_of("primary", "danger"),
     "accessibility_label": string(75)},
)  # fmt: skip

IMAGE = Shape(
    {"alt_text": string(2000)},
    {"image_url": url, "slack_file": anything},
    exactly_one("image_url", "slack_file"),
)

_FILTER: dict[str, Checker] = {"filter": anything, "default_to_current_conversation": boolean}
_RESPONSE: dict[str, Checker] = {"response_url_enabled": boolean}
_STATIC: dict[str, Checker] = {"options": items(OPTION, 100), "option_groups": items(GROUP, 100)}
_QUERY: dict[str, Checker] = {"min_query_length": integer(0, 1000)}

SELECTS: dict[str, Checker] = {
    "static_select": _select({**_STATIC, "initial_option": OPTION}, _choice),
    "external_select": _select({**_QUERY, "initial_option": OPTION}),
    "users_select": _select({"initial_user": string(50)}),
    "conversations_select": _select({"initial_conversation": string(50), **_FILTER, **_RESPONSE}),
    "channels_select": _select({"initial_channel": string(50), **_RESPONSE}),
    "multi_static_select": _select({**_STATIC, "initial_options": items(OPTION, 100)}, _choice, many=True),
    "multi_external_select": _select({**_QUERY, "initial_options": items(OPTION, 100)}, many=True),
    "multi_users_select": _select({"initial_users": items(string(50), 1000)}, many=True),
    "multi_conversations_select": _select(
        {"initial_conversations": items(string(50), 1000), **_FILTER}, many=True
    ),
    "multi_channels_select": _select({"initial_channels": items(string(50), 1000)}, many=True),
}

DATE = pattern(r"\d{4}-\d{2}-\d{2}", "YYYY-MM-DD")
NUMBER = pattern(r"-?\d{1,40}(\.\d{1,20})?", "of a number")
TIME = pattern(r"([01]\d|2[0-3]):[0-5]\d", "HH:mm")

PICKERS: dict[str, Checker] = {
    "datepicker": _select({"initial_date": DATE}),
    "timepicker": _select({"initial_time": TIME, "timezone": string(100)}),
    "datetimepicker": Shape(
        {}, {**COMMON, **FOCUS, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}
    ),
    "checkboxes": Shape(
        {"options": items(LIST_OPTION, 10)},
        {**COMMON, **FOCUS, "initial_options": items(LIST_OPTION, 10)},
        _initial_is_offered,
    ),
    "radio_buttons": Shape(
        {"options": items(LIST_OPTION, 10)},
        {**COMMON, **FOCUS, "initial_option": LIST_OPTION},
        _initial_is_offered,
    ),
}

OVERFLOW = Shape({"options": items(OVERFLOW_OPTION, 5)}, COMMON)
WORKFLOW_BUTTON = Shape({"text": text(75, plain=True), "workflow": anything}, BUTTON.optional)

INPUTS: dict[str, Checker] = {
    "plain_text_input": _text_input(
        multiline=boolean, min_length=integer(0, 3000), max_length=integer(1, 3000)
    ),
    "email_text_input": _text_input(),
    "url_text_input": _text_input(),
    "number_input": Shape(
        {"is_decimal_allowed": boolean},
        {**_text_input().optional, "min_value": NUMBER, "max_value": NUMBER},
    ),
    "rich_text_input": _text_input(initial_value=anything),
    "file_input": Shape({}, {"action_id": ACTION_ID, "filetypes": anything, "max_files": integer(1, 10)}),
}

BUTTONS: dict[str, Checker] = {"button": BUTTON, "overflow": OVERFLOW, "workflow_button": WORKFLOW_BUTTON}
IN_ACTIONS = typed({**BUTTONS, **SELECTS, **PICKERS})
IN_SECTION = typed({**BUTTONS, **SELECTS, **PICKERS, "image": IMAGE})
IN_INPUT = typed({**SELECTS, **PICKERS, **INPUTS})
IN_CONTEXT = typed({"image": IMAGE, "plain_text": text(3000, plain=True), "mrkdwn": text(3000)})
IN_CONTEXT_ACTIONS = typed({"feedback_buttons": anything, "icon_button": anything})
