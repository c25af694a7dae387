"""Hides those parts of requests and answers that would give someone access."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from playground.values import loads

HIDDEN = "(hidden)"
#: Names of fields whose values are secret.
SECRETS = frozenset(
    {
        "access_token", "authorization", "bot_access_token", "client_secret", "code", "code_verifier",
        "id_token", "refresh_token", "ticket", "token", "x-slack-signature",
    }
)  # fmt: skip
_SLACK_TOKEN = re.compile(r"\b(?:xox[a-z]|xapp|xoxe\.xox[a-z])-[\w.-]+")
_ADDRESS = re.compile(r"\b(?:https?|wss?)://[^\s<>|\"']+")
#: Ids of rows and requests. They look as random as tokens but don't give access to anything.
_ID = re.compile(r"[a-z_]+_[0-9a-f]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RANDOM = re.compile(r"[\w-]{32,}", re.ASCII)
#: The random parts of a URL. One-time links, response_urls and uploads contain their secret there.
_RANDOM_IN_ADDRESS = re.compile(r"[\w-]{20,}", re.ASCII)


def masked(value: Any, name: str = "") -> Any:
    """Return JSON with secrets hidden, recognized by the name of the field or by what they look like."""
    if isinstance(value, dict):
        return {key: masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, name) for inner in value]
    if not isinstance(value, str):
        return value
    return HIDDEN if value and name.lower() in SECRETS else masked_text(value)


def masked_text(text: str) -> str:
    """Return a string with tokens, and the secret parts of URLs, hidden."""
    text = _SLACK_TOKEN.sub(HIDDEN, text)
    text = _ADDRESS.sub(lambda found: _RANDOM_IN_ADDRESS.sub(_unless_id, found[0]), text)
    return _RANDOM.sub(_unless_id, text)


def _unless_id(found: re.Match[str]) -> str:
    text = found[0]
    # Text written by people, such as a workspace's name, usually has only one kind of character: digits,
    # lowercase letters or capitals.
    kinds = (str.isdigit, str.islower, str.isupper)
    looks_random = sum(any(map(is_kind, text)) for is_kind in kinds) > 1
    return text if _ID.fullmatch(text) or not looks_random else HIDDEN


def read(body: bytes, content_type: str) -> Any:
    """Return the content of a body: JSON, a form (with any JSON in its fields parsed), or text."""
    text = body.decode("utf-8", "replace")
    if "x-www-form-urlencoded" in content_type:
        return {key: _parsed(value) for key, value in parse_qsl(text, keep_blank_values=True)}
    return _parsed(text)


def _parsed(text: str) -> Any:
    if text[:1] not in ("{", "["):
        return text
    try:
        return loads(text)
    except ValueError:
        return text
