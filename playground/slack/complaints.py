"""The checks that Slack's own client makes before it submits a modal."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from playground.slack.inputs import held, is_empty
from playground.slack.kit.published import LIMITS
from playground.slack.records import Json

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


def _number(element: Json, text: str) -> str | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        return "Please enter a number."
    if not element.get("is_decimal_allowed") and number != number.to_integral_value():
        return "Please enter a whole number."
    least, most = element.get("min_value"), element.get("max_value")
    if least is not None and number < Decimal(least):
        return f"Please enter a number greater than or equal to {least}."
    if most is not None and number > Decimal(most):
        return f"Please enter a number less than or equal to {most}."
    return None


def _text(element: Json, text: str) -> str | None:
    kind, most = element["type"], element.get("max_length", LIMITS["plain_text_input.max_length.max"])
    if kind == "number_input":
        return _number(element, text)
    if kind == "email_text_input" and not _EMAIL.fullmatch(text):
        return "Please enter a valid email address."
    if kind == "url_text_input" and not _URL.fullmatch(text):
        return "Please enter a valid URL."
    if len(text) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if len(text) > most:
        return f"Please enter no more than {most} characters."
    return None


def complaints(blocks: list[Json], values: Json) -> dict[str, str]:
    """Return the errors by block id. If there are any, the form isn't submitted and the app isn't told."""
    found: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        value = held(state)
        wrong = None
        if is_empty(state):
            wrong = None if block.get("optional") else "Please complete this required field."
        elif isinstance(value, str):
            wrong = _text(element, value)
        if wrong:
            found[block["block_id"]] = wrong
    return found
