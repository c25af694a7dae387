"""Checks the shape of Slack's payloads, so that a signed body of the wrong shape gets status 400, not 500.

Bolt and our handlers read fields of payloads without checking that they exist. Who is acting, and in which
Slack workspace, is determined later.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from bot.support.responses import is_deeper

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

_MAX_FIELDS = 100
_MAX_DEPTH = 60


class Malformed(Exception):
    """Raised if a body isn't in Slack's format. The message says what is wrong, without quoting the body."""


def find_kind(payload: Mapping[str, Any]) -> str:
    """Return a payload's type, or ``command`` for a slash command, whose payload has no type."""
    return payload.get("type") or "command"


def read(content_type: str, raw: bytes) -> dict[str, Any]:
    """Parse a verified request body. Raise Malformed if it can't be parsed."""
    text = _text(raw)
    if content_type == JSON:
        return check_payload(_parse_object(text))
    if content_type != FORM:
        raise Malformed("content type")
    fields = _parse_form(text)
    if "payload" in fields:
        return check_payload(_parse_object(fields["payload"]))
    if "command" in fields:
        return _check_payload("command", fields)
    if fields.get("ssl_check") == "1":
        return dict(fields)
    raise Malformed("neither payload nor command")


def read_call(content_type: str, raw: bytes) -> dict[str, Any]:
    """Parse a verified request body from Slack's assistant. Raise Malformed if it can't be parsed."""
    if content_type != JSON:
        raise Malformed("content type")
    return _parse_object(_text(raw))


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None


def read_envelope(kind: str, payload: object) -> dict[str, Any]:
    """Check the shape of a payload received in Socket Mode, and return the payload.

    ``kind`` is the type of the envelope. Raise Malformed if the shape is wrong.
    """
    if not isinstance(payload, dict):
        raise Malformed("payload")
    if is_deeper(payload, _MAX_DEPTH):
        raise Malformed("too deep")
    if kind == "slash_commands":
        if any(not isinstance(value, str) and value is not None for value in payload.values()):
            raise Malformed("command field")
        return _check_payload("command", payload)
    return check_payload(payload)


def check_payload(payload: dict[str, Any]) -> dict[str, Any]:
    """Check the shape of an interaction or event, and return it.

    Raise Malformed if it lacks a field that its type requires.
    """
    kind = payload.get("type")
    if not isinstance(kind, str) or not kind:
        raise Malformed("type")
    if "command" in payload:
        # Bolt would treat any payload with this field as a slash command.
        payload = {key: value for key, value in payload.items() if key != "command"}
    return _check_payload(kind, payload)


def _parse_form(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Malformed("form") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Malformed("a field twice")
    return fields


def _refuse_constant(_name: str) -> None:
    raise ValueError


def _parse_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            # JSON may contain a lone surrogate. It can be parsed, but encoding the string later would fail.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    if is_deeper(value, _MAX_DEPTH):
        raise Malformed("too deep")
    return value


#: The type that a key's value must have, wherever the key occurs. Null counts as missing.
_TYPE_BY_KEY: Final[Mapping[str, type | tuple[type, ...]]] = {
    **dict.fromkeys(("user", "team", "enterprise", "channel"), (dict, str)),
    **dict.fromkeys(("view", "message", "previous_message", "container", "item"), dict),
    **dict.fromkeys(("assistant_thread", "function_data"), dict),
    **dict.fromkeys(("authorizations", "actions", "response_urls"), list),
    **dict.fromkeys(("id", "type", "command", "user_id", "team_id", "enterprise_id", "channel_id"), str),
    **dict.fromkeys(("trigger_id", "response_url", "action_id", "block_id", "callback_id", "action_ts"), str),
    **dict.fromkeys(("event_id", "thread_ts", "ts", "private_metadata", "app_installed_team_id"), str),
    **dict.fromkeys(("bot_id", "subtype", "channel_type", "user_team"), str),
    "is_enterprise_install": (bool, str),
}

#: The fields that each kind of payload must have for its listener. ``a.b`` is the field b within a.
_REQUIRED_PATHS: Mapping[str, tuple[str, ...]] = {
    "command": ("command",),
    "block_actions": ("actions",),
    # Bolt reads the view's type without checking whether there is one.
    "view_submission": ("view.id", "view.callback_id", "view.type"),
    "view_closed": ("view.id", "view.callback_id"),
    "block_suggestion": ("action_id",),
    "shortcut": ("callback_id",),
    "message_action": ("callback_id",),
    "event_callback": ("event_id", "event.type"),
    "url_verification": ("challenge",),
}


def _check_payload(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    _check_types(payload)
    event = payload.get("event")
    if event is not None:
        if not isinstance(event, dict):
            raise Malformed("event")
        _check_types(event)
        if not isinstance(event.get("text", ""), (str, type(None))):
            raise Malformed("event.text")
    for path in _REQUIRED_PATHS.get(kind, ()):
        value: Any = payload
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if not value:
            raise Malformed(path)
    if kind == "block_actions":
        for action in payload["actions"]:
            if not action.get("action_id") or not action.get("type"):
                raise Malformed("actions")
    if kind == "url_verification" and not isinstance(payload["challenge"], str):
        raise Malformed("challenge")
    if kind == "command" and not payload["command"].startswith("/"):
        raise Malformed("command")
    return payload


def _check_types(node: dict[str, Any]) -> None:
    for key, value in node.items():
        expected = _TYPE_BY_KEY.get(key)
        if expected is None or value is None:
            continue
        if not isinstance(value, expected):
            raise Malformed(key)
        if isinstance(value, dict):
            _check_types(value)
        elif isinstance(value, list):
            for element in value:
                if not isinstance(element, dict):
                    raise Malformed(key)
                _check_types(element)
