"""Sphere Engine's webhooks: checks their signature, and reads messages about finished scenarios.

A scenario is a task that runs in a workspace and may report a result and a score. Pure functions.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from bot.domain.observations import Event
from bot.domain.time_marks import make_time_placeholder
from bot.providers.answers import read_entries, require_object, require_text
from bot.providers.sphere.states import ID_PATTERN, parse_sphere_time
from bot.providers.words import clean
from bot.support import errors

SIGNATURE = "X-Sphere-Engine-Signature"
FINISHED = "workspace.scenario.finished"
#: Maximum number of messages in one webhook request.
MAX_MESSAGES = 10
_SIGNATURE_PATTERN = re.compile(r"[0-9a-fA-F]{64}")
_MAX_KEY_LENGTH = 100
_MAX_SCENARIO_NAME_LENGTH = 60
#: Maps the codes of a result's status to what users are told. The vendor documents these codes, which are the
#: same for all kinds of executions.
_RESULTS_BY_CODE = {
    **dict.fromkeys((11, 12, 13, 14), ": did not pass"),
    15: ": passed",
}
#: Like ``_RESULTS_BY_CODE``, for scenarios that ended without a result. Their score, if any, means nothing.
_FAILURES_BY_CODE = {
    20: ": no result, because of an error at Sphere Engine",
    22: ": no result, because of an error in the project's settings",
}
#: Names of statuses that Usher treats as success if it doesn't know their code.
_PASSED = {"ok", "passed", "pass", "success", "accepted"}


def check_signature(secret: SecretStr | None, signature: str, body: bytes) -> None:
    """Raise CredentialRefused unless the body is signed with the secret."""
    key = secret.get_secret_value().encode() if secret is not None else b""
    right = hmac.new(key, body, hashlib.sha256).hexdigest()
    is_shaped = _SIGNATURE_PATTERN.fullmatch(signature) is not None
    # Always compare, so that checking a missing signature takes as long as checking a wrong one.
    is_right = hmac.compare_digest(right, signature.lower() if is_shaped else "0" * 64)
    if secret is None or not is_shaped or not is_right:
        raise errors.CredentialRefused("the signature is wrong")


def parse_messages(body: bytes) -> list[Event]:
    """Return the events in a verified body, one per finished scenario.

    An account has a single webhook for all of the vendor's modules. Messages from other modules are ignored;
    they may be sent one at a time, without a list around them. A broken message doesn't affect the others,
    because the vendor would send all of them again. Raises BadAnswer if none of the messages can be read.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and isinstance(value.get("origin"), str):
        value = [value]
    if (
        not isinstance(value, list)
        or len(value) > MAX_MESSAGES
        or not all(isinstance(one, dict) for one in value)
    ):
        raise errors.BadAnswer("the body is no list of messages")
    finished = {"messages": [one for one in value if one.get("type") == FINISHED]}
    return read_entries([finished], "messages", _parse_event)


def _parse_event(message: Mapping[str, Any]) -> Event:
    key = require_text(message, "id")
    if len(key) > _MAX_KEY_LENGTH or not key.isprintable():
        raise errors.BadAnswer("the message's field id is no id")
    payload = require_object(message, "payload")
    remote_id = require_text(
        require_object(payload, "workspace", "payload."), "id", "payload.workspace."
    ).lower()
    if not ID_PATTERN.fullmatch(remote_id):
        raise errors.BadAnswer("the message's field payload.workspace.id is no id")
    return Event(key, remote_id, _describe_result(payload, message.get("timestamp")))


def _describe_result(payload: Mapping[str, Any], timestamp: Any) -> str:
    value = payload.get("scenario")
    name = clean(value, _MAX_SCENARIO_NAME_LENGTH) if isinstance(value, str) else ""
    result = payload.get("result")
    result = result if isinstance(result, dict) else {}
    came = _describe_status(result.get("status"))
    score = result.get("score")
    is_number = isinstance(score, (int, float)) and not isinstance(score, bool) and abs(score) < 1e6
    points = f", score {score:g}" if is_number and came not in _FAILURES_BY_CODE.values() else ""
    at = parse_sphere_time(timestamp)
    when = f" at {make_time_placeholder(at)}" if at is not None else ""
    return f"{f'Scenario {name}' if name else 'A scenario'} finished{when}{came}{points}."


def _describe_status(status: Any) -> str:
    if not isinstance(status, dict):
        return ""
    known, code = _RESULTS_BY_CODE | _FAILURES_BY_CODE, status.get("code")
    if isinstance(code, int) and code in known:
        return known[code]
    name = status.get("name")
    word = clean(name, _MAX_SCENARIO_NAME_LENGTH).casefold() if isinstance(name, str) else ""
    return ": passed" if word in _PASSED else ": did not pass" if word else ""
