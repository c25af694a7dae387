"""Checks of Usher's assumptions about Sphere Engine."""

from collections.abc import Mapping
from typing import Any, Final

from bot.providers.assumptions import Check, Exchange, has_fields, match_call, none_unless

_WORKSPACE_PATH: Final = r"/workspaces/[^/]+$"


def _unwrap_workspace(one: Exchange) -> Mapping[str, Any]:
    body = one.body if isinstance(one.body, dict) else {}
    found = body.get("workspace", body)
    return found if isinstance(found, dict) else {}


def _read_state_code(one: Exchange) -> bool | None:
    state = _unwrap_workspace(one).get("state")
    code = state.get("code") if isinstance(state, dict) else None
    return str(code) in {"1", "2", "3", "4", "5"} if one.is_good else None


CHECKS: Final[Mapping[str, Check]] = {
    "sphere-token-in-address": lambda one: True if "access_token" in one.query and one.is_good else None,
    "sphere-test": match_call("GET", r"/test$", has_fields("message")),
    "sphere-quota": match_call("POST", r"/workspaces$", none_unless(lambda one: one.status in {402, 403})),
    "sphere-stop": match_call(
        "PUT", r"/stop$", lambda one: one.is_good if one.status not in {400, 409} else None
    ),
    "sphere-resume": match_call("PUT", r"/resume$", none_unless(lambda one: one.is_good)),
    "sphere-wrapping": match_call(
        "GET", _WORKSPACE_PATH, lambda one: "id" in _unwrap_workspace(one) if one.is_good else None
    ),
    "sphere-state-code": match_call("GET", _WORKSPACE_PATH, _read_state_code),
    "sphere-terminated-at": match_call(
        "GET", _WORKSPACE_PATH, none_unless(lambda one: bool(_unwrap_workspace(one).get("terminated_at")))
    ),
}
