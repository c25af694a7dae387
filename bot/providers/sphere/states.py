"""Sphere Engine's states in Usher's terms (``docs/internals/providers/sphere.md``). Pure functions."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bot.domain import failure_causes
from bot.domain.observations import Observed
from bot.domain.workspaces import Action, State
from bot.providers import answers, base
from bot.providers.answers import find_text, log_oddity
from bot.providers.words import MAX_MESSAGE_LENGTH, clean, clean_words
from bot.support import errors

#: Matches ids of projects and workspaces: 32 hex characters.
ID_PATTERN = re.compile(r"[0-9a-f]{32}")
_STATES_BY_CODE = {
    1: State.STARTING,
    2: State.RUNNING,
    3: State.STOPPED,
    4: State.GONE,
    5: State.FAILED,
}
_ACTIONS_BY_PERMISSION: Mapping[str, Action] = {"enter": "open", "stop": "stop", "remove": "remove"}
_MINUTE_SECONDS = 60.0
#: Maximum number of minutes that ``parse_minutes`` accepts. Larger numbers become 0 (never).
_MAX_READABLE_MINUTES = 10_000_000
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S %z"
_MAX_TOKEN_LENGTH = 200
INIT_FAILED = "Its set-up failed"
_URL_PATTERN = re.compile(r"https?://\S+", re.IGNORECASE)


def unwrap_workspace(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the workspace in a response: the ``workspace`` field or, without one, the whole body."""
    inner = answer.get("workspace")
    return inner if isinstance(inner, dict) else dict(answer)


def read_id(workspace: Any) -> str:
    """Return a workspace's id; raise BadAnswer if the value can't be an id."""
    value = answers.require_id(workspace, "id").lower()
    if not ID_PATTERN.fullmatch(value):
        raise errors.BadAnswer("the answer's field id is no id")
    return value


def to_observed(workspace: Mapping[str, Any]) -> Observed:
    """Convert a workspace to Usher's terms, with its token hidden; raise BadAnswer if it can't be read."""
    value = workspace.get("retention_time_stopped")
    is_kept = None if value is None else parse_minutes(value) > 0
    return replace(
        _observe(workspace),
        survives_stop=is_kept,
        last_used_at=parse_sphere_time(workspace.get("last_usage")),
    )


def _observe(workspace: Mapping[str, Any]) -> Observed:
    value = answers.find_object(workspace, "state")
    code = _parse_code(value.get("code"))
    state = _STATES_BY_CODE.get(code) if isinstance(code, int) else None
    actions = _read_actions(workspace)
    if state is None:
        name = value.get("name")
        strange = base.describe_unknown_state(
            clean(f"{code} {name if isinstance(name, str) else ''}".strip())
        )
        return Observed(State.UNKNOWN, detail=strange, actions=actions)
    token = find_text(workspace, "workspace_token")
    secrets = (token or "",)
    if state is State.GONE:
        ended = parse_sphere_time(workspace.get("terminated_at"))
        why = None if ended is None else _find_removal_reason(workspace, ended)
        return Observed(state, detail=why, actions=frozenset(), down_at=ended)
    if state is State.FAILED:
        reason = clean_words(
            find_text(value, "error_reason", "state.") or "", failure_causes.MAX_REASON_LENGTH, secrets
        )
        ended = parse_sphere_time(workspace.get("terminated_at"))
        return Observed(
            state, reason=reason or None, actions=_restrict_actions(actions, "remove"), down_at=ended
        )
    if state is State.STOPPED:
        may: set[Action] = {"start"}
        may |= _restrict_actions(actions, "remove", "open")
        return Observed(state, actions=frozenset(may), **_read_expiry(workspace, is_up=False))
    detail = _init_failure(workspace, secrets)
    if state is State.STARTING:
        return Observed(state, detail=detail, actions=actions)
    entry = token if token is not None and len(token) <= _MAX_TOKEN_LENGTH and token.isprintable() else None
    return Observed(state, detail=detail, actions=actions, entry=entry, **_read_expiry(workspace, is_up=True))


def parse_sphere_time(value: Any) -> float | None:
    """Convert a time from the API to epoch seconds; None if it is missing or unreadable."""
    return answers.parse_time(value, _TIME_FORMAT)


def parse_minutes(value: Any) -> float:
    """Convert a number of minutes, which may be a string, to seconds. Anything else becomes 0 (never)."""
    number = _parse_whole(value)
    return number * _MINUTE_SECONDS if number is not None and 0 < number <= _MAX_READABLE_MINUTES else 0.0


def _parse_whole(value: Any) -> int | None:
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if number is not None and number.is_integer() else None


def _parse_code(value: Any) -> int | str:
    number = _parse_whole(value)
    return number if number is not None else value.strip()[:40] if isinstance(value, str) else ""


def _read_actions(workspace: Mapping[str, Any]) -> frozenset[Action] | None:
    value = workspace.get("permissions")
    if value is None:
        return None
    if not isinstance(value, dict):
        log_oddity("permissions is not an object")
        return None
    return frozenset(action for key, action in _ACTIONS_BY_PERMISSION.items() if value.get(key) is True)


def _restrict_actions(actions: frozenset[Action] | None, *kept: Action) -> frozenset[Action]:
    return frozenset(kept) if actions is None else actions & set(kept)


def _init_failure(workspace: Mapping[str, Any], secrets: Iterable[str]) -> str | None:
    if workspace.get("workspace_init_failed") is not True:
        return None
    streams = workspace.get("streams")
    value = streams if isinstance(streams, dict) else {}
    wrote = value.get("workspace_init_error") or value.get("workspace_init_output")
    if not isinstance(wrote, str) or not wrote.strip() or _URL_PATTERN.fullmatch(wrote.strip()):
        # Leave out the link to the log, because only the account's owner can open it.
        return f"{INIT_FAILED}."
    for secret in secrets:
        # Remove secrets before shortening the text, which might cut a secret in half.
        wrote = wrote.replace(secret, "…") if secret else wrote
    room = MAX_MESSAGE_LENGTH - len(INIT_FAILED) - 5
    end = clean(wrote[-room:], room)
    return clean(f"{INIT_FAILED}: {'…' if len(wrote) > room else ''}{end}")


def _find_removal_reason(workspace: Mapping[str, Any], ended: float) -> str | None:
    """Return a sentence naming the time limit that removed a workspace, or None if no limit has passed."""
    made, total, idle, kept = (
        parse_sphere_time(workspace.get("created_at")),
        *(
            parse_minutes(workspace.get(name))
            for name in ("retention_time_total", "inactivity_timeout", "retention_time_stopped")
        ),
    )
    used = parse_sphere_time(workspace.get("last_usage")) or made
    if made is not None and total and ended >= made + total - _MINUTE_SECONDS:
        return "It was removed because its time was up."
    if used is not None and idle and ended >= used + idle + kept - _MINUTE_SECONDS:
        return "It was removed because nobody was using it."
    return None


def _read_expiry(workspace: Mapping[str, Any], *, is_up: bool) -> dict[str, Any]:
    """Return when a workspace will be stopped if it stays idle, and when it will be removed in any case."""
    created = parse_sphere_time(workspace.get("created_at"))
    kept = parse_minutes(workspace.get("retention_time_stopped"))
    total = parse_minutes(workspace.get("retention_time_total"))
    removed_at = created + total if created is not None and total else None
    lasts = parse_minutes(workspace.get("inactivity_timeout")) if is_up else kept
    if not lasts:
        return {"removed_at": removed_at}
    used = (created, parse_sphere_time(workspace.get("last_usage"))) if is_up else ()
    last_used_at = max((at for at in used if at is not None), default=None)
    return {
        "removed_at": removed_at,
        "expires_at": None if last_used_at is None else last_used_at + lasts,
        "expiry_mode": "stops" if is_up and kept else "removed",
        "expires_after": lasts,
    }
