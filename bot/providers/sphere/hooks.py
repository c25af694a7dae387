"""The server's webhooks: signed arrays of messages about scenarios."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from bot.domain.models import Event
from bot.messages.texts.times import time_mark
from bot.providers.reading import clean, object_in, text_in
from bot.providers.sphere.states import is_id, moment
from bot.support.errors import BadAnswer, CredentialRefused

SIGNATURE = "X-Sphere-Engine-Signature"
FINISHED = "workspace.scenario.finished"
#: The most messages in one request.
MOST = 10
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_MAX_KEY = 100
_MAX_NAME = 60
#: How a successful result is named; the codes of results aren't published, so their names are compared.
_PASSED = {"ok", "passed", "pass", "success", "accepted"}


def check(secret: SecretStr | None, signature: str, body: bytes) -> None:
    """Raise CredentialRefused unless the body is signed with the secret; compared in constant time."""
    key = secret.get_secret_value().encode() if secret is not None else b""
    right = hmac.new(key, body, hashlib.sha256).hexdigest()
    is_shaped = _HEX.fullmatch(signature) is not None
    # Compared in any case, so that a missing signature takes as long as a wrong one.
    is_right = hmac.compare_digest(right, signature.lower() if is_shaped else "0" * 64)
    if secret is None or not is_shaped or not is_right:
        raise CredentialRefused("the signature is wrong")


def events_of(body: bytes) -> list[Event]:
    """Read the messages of a verified body; other kinds are left out. Raises BadAnswer."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list) or len(value) > MOST or not all(isinstance(one, dict) for one in value):
        raise BadAnswer("the body is no list of messages")
    return [_event(one) for one in value if one.get("type") == FINISHED]


def _event(message: Mapping[str, Any]) -> Event:
    key = text_in(message, "id")
    if len(key) > _MAX_KEY or not key.isprintable():
        raise BadAnswer("the message's field id is no id")
    payload = object_in(message, "payload")
    remote_id = text_in(object_in(payload, "workspace", "payload."), "id", "payload.workspace.").lower()
    if not is_id(remote_id):
        raise BadAnswer("the message's field payload.workspace.id is no id")
    return Event(key, remote_id, _remark(payload, message.get("timestamp")))


def _remark(payload: Mapping[str, Any], timestamp: Any) -> str:
    """Describe the result of a scenario in a sentence."""
    value = payload.get("scenario")
    name = clean(value, _MAX_NAME) if isinstance(value, str) else ""
    result = payload.get("result")
    result = result if isinstance(result, dict) else {}
    status = result.get("status")
    word = status.get("name") if isinstance(status, dict) else None
    word = clean(word, _MAX_NAME).casefold() if isinstance(word, str) else ""
    came = ": passed" if word in _PASSED else ": did not pass" if word else ""
    score = result.get("score")
    is_number = isinstance(score, (int, float)) and not isinstance(score, bool) and abs(score) < 1e6
    points = f", score {score:g}" if is_number else ""
    at = _time(timestamp)
    when = f" at {time_mark(at)}" if at is not None else ""
    return f"{f'Scenario {name}' if name else 'A scenario'} finished{when}{came}{points}."


def _time(value: Any) -> float | None:
    """Return the time of a message: epoch seconds, or in the API's own format."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return moment(value)
    return float(value) if 0 < value < 1e10 else None
