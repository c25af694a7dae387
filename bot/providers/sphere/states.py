"""Map what the server says of a workspace, when asked and by its signed webhooks, to our states; pure.

Source: ``docs/providers/sphere.md``, "Workspaces".
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from bot.domain.workspaces import Action, Ending, Event, Observed, State
from bot.messages.texts.times import time_mark
from bot.providers import requests
from bot.providers.base import unknown_word
from bot.providers.requests import MAX_MESSAGE, clean, note, object_in, text_in, word_in
from bot.support.cleaning import HIDDEN
from bot.support.errors import BadAnswer, CredentialRefused

_STATES = {
    1: State.STARTING,
    2: State.RUNNING,
    3: State.STOPPED,
    4: State.GONE,
    5: State.FAILED,
}
_PERMISSIONS: Mapping[str, Action] = {"enter": "open", "stop": "stop", "remove": "remove"}
_ID = re.compile(r"[0-9a-f]{32}")
_MINUTE = 60.0
#: More minutes than this are no realistic time.
_MOST_MINUTES = 10_000_000
_TIME = "%Y-%m-%d %H:%M:%S %z"
_MAX_TOKEN = 200
INIT_FAILED = "Its set-up failed"


def is_id(text: str) -> bool:
    """Return whether a text can be the id of a workspace."""
    return _ID.fullmatch(text) is not None


def workspace_in(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the workspace in a response, either bare or under its name; raise BadAnswer."""
    inner = answer.get("workspace")
    return inner if isinstance(inner, dict) else dict(answer)


def id_in(workspace: Any) -> str:
    """Return a workspace's id; raise BadAnswer if it can't be one."""
    value = requests.id_in(workspace, "id").lower()
    if not is_id(value):
        raise BadAnswer("the answer's field id is no id")
    return value


def observed(workspace: Mapping[str, Any]) -> Observed:
    """Return what is known of a workspace; raise BadAnswer. Its own token is removed from all texts."""
    value = workspace.get("retention_time_stopped")
    is_kept = None if value is None else minutes(value) > 0
    return replace(_observed(workspace), is_kept=is_kept, last_used_at=moment(workspace.get("last_usage")))


def _observed(workspace: Mapping[str, Any]) -> Observed:
    value = object_in(workspace, "state")
    code = _code(value.get("code"))
    state = _STATES.get(code) if isinstance(code, int) else None
    actions = _actions(workspace)
    if state is None:
        strange = unknown_word(clean(f"{code} {optional_name(value)}".strip()))
        return Observed(State.UNKNOWN, detail=strange, actions=actions)
    token = word_in(workspace, "workspace_token")
    hidden = (token or "",)
    if state is State.GONE:
        return Observed(state, actions=frozenset())
    if state is State.FAILED:
        reason = clean(word_in(value, "error_reason", "state.") or "", secrets=hidden)
        return Observed(state, detail=reason or None, actions=_only(actions, "remove"))
    if state is State.STOPPED:
        may: set[Action] = {"start"}
        may |= _only(actions, "remove", "open")
        return Observed(state, actions=frozenset(may), **_kept(workspace))
    detail = _init_failure(workspace, hidden)
    if state is State.STARTING:
        return Observed(state, detail=detail, actions=actions)
    entry = token if token is not None and len(token) <= _MAX_TOKEN and token.isprintable() else None
    return Observed(state, detail=detail, actions=actions, entry=entry, **_used(workspace))


def optional_name(state: Mapping[str, Any]) -> str:
    """Return the state's name, for logging codes that no document mentions."""
    name = state.get("name")
    return name if isinstance(name, str) else ""


def moment(value: Any) -> float | None:
    """Return a time of the API in epoch seconds; None if there is none or it can't be read."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        return datetime.strptime(value, _TIME).timestamp()  # noqa: DTZ007 - %z is in the form
    except (ValueError, OverflowError):
        return None


def minutes(value: Any) -> float:
    """Return minutes as seconds; 0, which means never, if it isn't a number. Digits in a string count."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MOST_MINUTES:
        return 0.0
    return value * _MINUTE


def _code(value: Any) -> int | str:
    """Return the state's code, a number or a string; raise BadAnswer."""
    if isinstance(value, str) and value:
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else text[:40]
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadAnswer("the answer's field state.code is neither a number nor a text")
    return value


def _actions(workspace: Mapping[str, Any]) -> frozenset[Action] | None:
    """Return what the server permits now; None if it doesn't say."""
    value = workspace.get("permissions")
    if value is None:
        return None
    if not isinstance(value, dict):
        note("permissions is not an object")
        return None
    return frozenset(action for key, action in _PERMISSIONS.items() if value.get(key) is True)


def _only(actions: frozenset[Action] | None, *kept: Action) -> frozenset[Action]:
    return frozenset(kept) if actions is None else actions & set(kept)


def _init_failure(workspace: Mapping[str, Any], hidden: Iterable[str]) -> str | None:
    """Say that the initialisation failed, with the end of its output."""
    if workspace.get("workspace_init_failed") is not True:
        return None
    streams = workspace.get("streams")
    value = streams if isinstance(streams, dict) else {}
    wrote = value.get("workspace_init_error") or value.get("workspace_init_output")
    if not isinstance(wrote, str) or not wrote.strip():
        return f"{INIT_FAILED}."
    for secret in hidden:
        # Before anything is cut, because half a secret would not be recognised.
        wrote = wrote.replace(secret, HIDDEN) if secret else wrote
    room = MAX_MESSAGE - len(INIT_FAILED) - 5
    end = clean(wrote[-room:], room)
    return clean(f"{INIT_FAILED}: {'…' if len(wrote) > room else ''}{end}")


def _used(workspace: Mapping[str, Any]) -> dict[str, Any]:
    """Return when a running workspace ends: when idle, or for good, whichever comes first."""
    created = moment(workspace.get("created_at"))
    idle = minutes(workspace.get("inactivity_timeout"))
    total = minutes(workspace.get("retention_time_total"))
    keeps = minutes(workspace.get("retention_time_stopped")) > 0
    used = max((at for at in (created, moment(workspace.get("last_usage"))) if at is not None), default=None)
    stops_at = used + idle if used is not None and idle else None
    removed_at = created + total if created is not None and total else None
    if removed_at is not None and (stops_at is None or removed_at < stops_at):
        return _end(removed_at, "removed", None)
    return _end(stops_at, "stops" if keeps else "removed", idle or None)


def _kept(workspace: Mapping[str, Any]) -> dict[str, Any]:
    """Return when a stopped workspace is removed; the server doesn't say since when it has been stopped."""
    created = moment(workspace.get("created_at"))
    kept = minutes(workspace.get("retention_time_stopped"))
    total = minutes(workspace.get("retention_time_total"))
    removed_at = created + total if created is not None and total else None
    if kept:
        return _end(None, "removed", kept)
    return _end(removed_at, "removed", None)


def _end(at: float | None, how: Ending, lasts: float | None) -> dict[str, Any]:
    if at is None and lasts is None:
        return {}
    return {"ends_at": at, "ends_how": how, "lasts": lasts}


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
