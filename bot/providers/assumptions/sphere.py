"""How a trial sees what Usher relies on about Sphere Engine, by the names of its page."""

from collections.abc import Mapping
from typing import Any, Final

from bot.providers.assumptions import Exchange, Looks, has, on, or_unseen

_WORKSPACE: Final = r"/workspaces/[^/]+$"


def _workspace(one: Exchange) -> Mapping[str, Any]:
    """Return the workspace of an answer, bare or not."""
    body = one.body if isinstance(one.body, dict) else {}
    found = body.get("workspace", body)
    return found if isinstance(found, dict) else {}


def _state_code(one: Exchange) -> bool | None:
    state = _workspace(one).get("state")
    code = state.get("code") if isinstance(state, dict) else None
    return str(code) in {"1", "2", "3", "4", "5"} if one.is_good else None


LOOKS: Final[Mapping[str, Looks]] = {
    "sphere-token-in-address": lambda one: True if "access_token" in one.query and one.is_good else None,
    "sphere-test": on("GET", r"/test$", has("message")),
    "sphere-quota": on("POST", r"/workspaces$", or_unseen(lambda one: one.status in {402, 403})),
    "sphere-stop": on("PUT", r"/stop$", lambda one: one.is_good if one.status not in {400, 409} else None),
    "sphere-resume": on("PUT", r"/resume$", or_unseen(lambda one: one.is_good)),
    "sphere-wrapping": on("GET", _WORKSPACE, lambda one: "id" in _workspace(one) if one.is_good else None),
    "sphere-state-code": on("GET", _WORKSPACE, _state_code),
    "sphere-terminated-at": on(
        "GET", _WORKSPACE, or_unseen(lambda one: bool(_workspace(one).get("terminated_at")))
    ),
}
