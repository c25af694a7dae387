"""Block elements and the composition objects within them."""

from __future__ import annotations

from typing import Any

from playground.slack.kit.checks import (
    Checker,
    Report,
    Shape,
    anything,
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
from playground.slack.kit.published import LIMITS, shape


def limited(name: str, least: int = 1) -> Checker:
    """Return the check for a string, given the name of its limit."""
    return string(LIMITS[f"{name}.max_length"], least)


def limited_text(name: str, *, plain: bool = False) -> Checker:
    """Return the check for a text object, given the name of its limit; ``plain`` allows only plain_text."""
    return text(LIMITS[f"{name}.max_length"], plain=plain, least=LIMITS["text.min_length"])


def limited_items(name: str, check: Checker, least: int = 1) -> Checker:
    """Return the check for a list, given the name of its limit."""
    return items(check, LIMITS[f"{name}.max_items"], LIMITS.get(f"{name}.min_items", least))


def limited_url(name: str) -> Checker:
    """Return the check for a URL, given the name of its limit."""
    return url(LIMITS[f"{name}.max_length"])


CONFIRM = shape(
    "confirmation",
    title=limited_text("confirmation.title", plain=True),
    text=limited_text("confirmation.text"),
    confirm=limited_text("confirmation.confirm", plain=True),
    deny=limited_text("confirmation.deny", plain=True),
)


def _option(*, plain: bool = True, without: str = "url", **checks: Checker) -> Checker:
    return shape(
        "option",
        None,
        without,
        text=limited_text("option.text", plain=plain),
        value=limited("option.value"),
        description=limited_text("option.description", plain=plain),
        **checks,
    )


OPTION = _option()
#: Options of checkboxes and radio buttons, which may contain formatted text.
LIST_OPTION = _option(plain=False)
OVERFLOW_OPTION = _option(without="", url=limited_url("option.url"))
GROUP = shape(
    "option_group",
    label=limited_text("option_group.label", plain=True),
    options=limited_items("option_group.options", OPTION),
)

_DISPATCH = shape(
    "dispatch_action_configuration",
    trigger_actions_on=limited_items(
        "dispatch_action_configuration.trigger_actions_on", one_of("on_enter_pressed", "on_character_entered")
    ),
)
#: Generous limits, because none are published for the ids of people and channels or for the number of initial
#: choices.
_ID = string(50)
_CHOSEN_IDS = items(_ID, 1000)


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list. Other checks report anything else in it."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _initial_is_offered(value: Any, pointer: str, report: Report) -> None:
    """Report an initial option that isn't identical to one of the options: in value, text and description."""
    offered = _objects(value.get("options"))
    for group in _objects(value.get("option_groups")):
        offered += _objects(group.get("options"))
    for option in _objects(value.get("initial_options")) + _objects([value.get("initial_option")]):
        if option not in offered:
            report.say(pointer, "initial option must exactly match one of the provided options")


def _choice(value: Any, pointer: str, report: Report) -> None:
    exactly_one("options", "option_groups")(value, pointer, report)
    _initial_is_offered(value, pointer, report)


def _button_label(kind: str) -> dict[str, Checker]:
    return {
        "text": limited_text(f"{kind}.text", plain=True),
        "accessibility_label": limited(f"{kind}.accessibility_label"),
    }


_ACTION_ID: dict[str, Checker] = {"action_id": limited("action_id")}
_ACTION: dict[str, Checker] = {**_ACTION_ID, "confirm": CONFIRM}
_SELECT: dict[str, Checker] = {**_ACTION, "placeholder": limited_text("select.placeholder", plain=True)}
_MULTI_SELECT: dict[str, Checker] = {
    **_SELECT,
    "max_selected_items": integer(LIMITS["multi_select.max_selected_items.min"], 1000),
}
_OFFER: dict[str, Checker] = {
    "options": limited_items("select.options", OPTION),
    "option_groups": limited_items("select.option_groups", GROUP),
}
_QUERY: dict[str, Checker] = {"min_query_length": integer(LIMITS["select.min_query_length.min"], 1000)}
_INITIAL_OPTIONS = limited_items("select.options", OPTION)

SELECTS: dict[str, Checker] = {
    "static_select": shape("static_select", _choice, **_SELECT, **_OFFER, initial_option=OPTION),
    "external_select": shape("external_select", **_SELECT, **_QUERY, initial_option=OPTION),
    "users_select": shape("users_select", **_SELECT, initial_user=_ID),
    "conversations_select": shape(
        "conversations_select", **_SELECT, initial_conversation=_ID, filter=anything
    ),
    "channels_select": shape("channels_select", **_SELECT, initial_channel=_ID),
    "multi_static_select": shape(
        "multi_static_select", _choice, **_MULTI_SELECT, **_OFFER, initial_options=_INITIAL_OPTIONS
    ),
    "multi_external_select": shape(
        "multi_external_select", **_MULTI_SELECT, **_QUERY, initial_options=_INITIAL_OPTIONS
    ),
    "multi_users_select": shape("multi_users_select", **_MULTI_SELECT, initial_users=_CHOSEN_IDS),
    "multi_conversations_select": shape(
        "multi_conversations_select", **_MULTI_SELECT, initial_conversations=_CHOSEN_IDS, filter=anything
    ),
    "multi_channels_select": shape("multi_channels_select", **_MULTI_SELECT, initial_channels=_CHOSEN_IDS),
}

_DATE = pattern(r"\d{4}-\d{2}-\d{2}", "YYYY-MM-DD")
_NUMBER = pattern(r"-?\d{1,40}(\.\d{1,20})?", "of a number")
_TIME = pattern(r"([01]\d|2[0-3]):[0-5]\d", "HH:mm")


def _placeholder(kind: str) -> dict[str, Checker]:
    return {"placeholder": limited_text(f"{kind}.placeholder", plain=True)}


PICKERS: dict[str, Checker] = {
    "datepicker": shape("datepicker", **_ACTION, **_placeholder("date_picker"), initial_date=_DATE),
    "timepicker": shape(
        "timepicker", **_ACTION, **_placeholder("time_picker"), initial_time=_TIME, timezone=string(100)
    ),
    "datetimepicker": shape(
        "datetimepicker", **_ACTION, initial_date_time=integer(1_000_000_000, 9_999_999_999)
    ),
    "checkboxes": shape(
        "checkboxes",
        _initial_is_offered,
        **_ACTION,
        options=limited_items("checkboxes.options", LIST_OPTION),
        initial_options=limited_items("checkboxes.options", LIST_OPTION),
    ),
    "radio_buttons": shape(
        "radio_buttons",
        _initial_is_offered,
        **_ACTION,
        options=limited_items("radio_buttons.options", LIST_OPTION),
        initial_option=LIST_OPTION,
    ),
}


def _between(name: str) -> Checker:
    return integer(LIMITS[f"{name}.min"], LIMITS[f"{name}.max"])


#: An initial value can be at most as long as the highest limit that a field may set.
_INITIAL_VALUE = string(LIMITS["plain_text_input.max_length.max"], 0)


def _input(kind: str, field: str, **checks: Checker) -> Checker:
    checks = {"initial_value": _INITIAL_VALUE, **checks}
    return shape(kind, **_ACTION_ID, **_placeholder(field), dispatch_action_config=_DISPATCH, **checks)


INPUTS: dict[str, Checker] = {
    "plain_text_input": _input(
        "plain_text_input",
        "plain_text_input",
        min_length=_between("plain_text_input.min_length"),
        max_length=_between("plain_text_input.max_length"),
    ),
    "email_text_input": _input("email_text_input", "email_input"),
    "url_text_input": _input("url_text_input", "url_input"),
    "number_input": _input("number_input", "number_input", min_value=_NUMBER, max_value=_NUMBER),
    "rich_text_input": _input(
        "rich_text_input",
        "rich_text_input",
        initial_value=anything,
        min_lines=_between("rich_text_input.min_lines"),
        max_lines=_between("rich_text_input.max_lines"),
    ),
    "file_input": shape(
        "file_input", **_ACTION_ID, filetypes=anything, max_files=_between("file_input.max_files")
    ),
}

BUTTON = shape(
    "button",
    **_ACTION,
    **_button_label("button"),
    url=limited_url("button.url"),
    value=limited("button.value"),
    agent_prompt=limited("button.agent_prompt"),
)
IMAGE = shape(
    "image_element",
    exactly_one("image_url", "slack_file"),
    alt_text=limited("image_element.alt_text"),
    image_url=limited_url("image_element.image_url"),
    slack_file=anything,
)
OVERFLOW = shape("overflow", **_ACTION, options=limited_items("overflow.options", OVERFLOW_OPTION))
WORKFLOW_BUTTON = shape("workflow_button", **_ACTION, **_button_label("workflow_button"), workflow=anything)
ICON_BUTTON = shape(
    "icon_button",
    **_ACTION,
    icon=string(50),
    text=limited_text("button.text", plain=True),
    value=limited("icon_button.value"),
    accessibility_label=limited("icon_button.accessibility_label"),
    visible_to_user_ids=limited_items("icon_button.visible_to_user_ids", _ID),
)
_FEEDBACK_LABEL = _button_label("feedback_button")
_FEEDBACK_BUTTON = Shape(
    {"text": _FEEDBACK_LABEL["text"], "value": limited("feedback_button.value")},
    {"accessibility_label": _FEEDBACK_LABEL["accessibility_label"]},
)
FEEDBACK_BUTTONS = shape(
    "feedback_buttons", **_ACTION_ID, positive_button=_FEEDBACK_BUTTON, negative_button=_FEEDBACK_BUTTON
)

_BUTTONS: dict[str, Checker] = {"button": BUTTON, "overflow": OVERFLOW, "workflow_button": WORKFLOW_BUTTON}
IN_ACTIONS = typed({**_BUTTONS, **SELECTS, **PICKERS, "rich_text_input": INPUTS["rich_text_input"]})
IN_SECTION = typed({**_BUTTONS, **SELECTS, **PICKERS, "image": IMAGE})
IN_INPUT = typed({**SELECTS, **PICKERS, **INPUTS})
IN_CONTEXT = typed({
    "image": IMAGE,
    "plain_text": limited_text("text", plain=True),
    "mrkdwn": limited_text("text"),
})  # fmt: skip
IN_CONTEXT_ACTIONS = typed({"feedback_buttons": FEEDBACK_BUTTONS, "icon_button": ICON_BUTTON})
