"""Checks of Usher's assumptions about Saturn Cloud."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.providers.assumptions import Check, Exchange, has_fields, match_call, none_unless

_WORKSPACE_PATH: Final = r"/api/workspaces/[^/]+$"
_ID_PATTERN: Final = re.compile(r"[0-9a-f]{32}")
_KNOWN_STATES: Final = frozenset({"running", "stopped", "pending", "error", "stopping"})


def _read_status(one: Exchange) -> Any:
    return one.body.get("status") if isinstance(one.body, dict) else None


def _is_known(one: Exchange) -> bool | None:
    return _read_status(one) in _KNOWN_STATES if one.is_good else None


def _has_field_when_running(field: str) -> Check:
    return lambda one: field in one.body if one.is_good and _read_status(one) == "running" else None


def _has_valid_ids(one: Exchange) -> bool | None:
    listed = one.body.get("recipes") if one.is_good and isinstance(one.body, dict) else None
    states = [entry.get("state") for entry in listed or () if isinstance(entry, dict)]
    ids = [str(state.get("id")) for state in states if isinstance(state, dict)]
    return all(map(_ID_PATTERN.fullmatch, ids)) if ids else None


CHECKS: Final[Mapping[str, Check]] = {
    "saturn-token-header": match_call("GET", r"/api/(user|recipes)$", none_unless(lambda one: one.is_good)),
    "saturn-errors": lambda one: "message" in (one.body or {}) if one.status >= 400 else None,
    "saturn-pages": match_call(
        "GET", r"/api/recipes$", none_unless(lambda one: not (one.body or {}).get("next_key"))
    ),
    "saturn-ids": match_call("GET", r"/api/recipes$", _has_valid_ids),
    "saturn-version": match_call("GET", r"/api/status$", has_fields("version")),
    "saturn-user": match_call(
        "GET", r"/api/user$", lambda one: None if one.status == 204 else has_fields("username")(one)
    ),
    "saturn-no-user": match_call("GET", r"/api/user$", none_unless(lambda one: one.status == 204)),
    "saturn-user-token": match_call("GET", r"/api/user/token$", none_unless(lambda one: one.is_good)),
    "saturn-states": match_call("GET", _WORKSPACE_PATH, _is_known),
    "saturn-stopping": match_call(
        "GET", _WORKSPACE_PATH, none_unless(lambda one: _read_status(one) == "stopping")
    ),
    "saturn-url": match_call("GET", _WORKSPACE_PATH, _has_field_when_running("url")),
    "saturn-start": match_call(
        "POST", r"/api/workspaces/[^/]+/start$", lambda one: one.is_good and one.sent is None
    ),
    "saturn-started-at": match_call(
        "GET", _WORKSPACE_PATH, lambda one: True if "started_at" in (one.body or {}) else None
    ),
    "saturn-create": match_call("POST", r"/api/recipes$", none_unless(lambda one: one.is_good)),
    "saturn-clone": match_call("POST", r"/api/resource_recipes/clone$", none_unless(lambda one: one.is_good)),
    "saturn-sizes": match_call(
        "GET", r"/api/info/servers$", none_unless(lambda one: "price_per_hour" in str(one.body))
    ),
}
