"""How a trial sees what Usher relies on about Saturn Cloud, by the names of its page."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.providers.assumptions import Exchange, Looks, has, on, or_unseen

_WORKSPACE: Final = r"/api/workspaces/[^/]+$"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_STATES: Final = frozenset({"running", "stopped", "pending", "error", "stopping"})


def _status(one: Exchange) -> Any:
    return one.body.get("status") if isinstance(one.body, dict) else None


def _is_known(one: Exchange) -> bool | None:
    return _status(one) in _STATES if one.is_good else None


def _runs_with(field: str) -> Looks:
    """Look for a field of a workspace that runs."""
    return lambda one: field in one.body if one.is_good and _status(one) == "running" else None


def _ids_fit(one: Exchange) -> bool | None:
    listed = one.body.get("recipes") if one.is_good and isinstance(one.body, dict) else None
    states = [entry.get("state") for entry in listed or () if isinstance(entry, dict)]
    ids = [str(state.get("id")) for state in states if isinstance(state, dict)]
    return all(map(_ID.fullmatch, ids)) if ids else None


LOOKS: Final[Mapping[str, Looks]] = {
    "saturn-token-header": on("GET", r"/api/(user|recipes)$", or_unseen(lambda one: one.is_good)),
    "saturn-errors": lambda one: "message" in (one.body or {}) if one.status >= 400 else None,
    "saturn-pages": on("GET", r"/api/recipes$", or_unseen(lambda one: not (one.body or {}).get("next_key"))),
    "saturn-ids": on("GET", r"/api/recipes$", _ids_fit),
    "saturn-version": on("GET", r"/api/status$", has("version")),
    "saturn-user": on("GET", r"/api/user$", lambda one: None if one.status == 204 else has("username")(one)),
    "saturn-no-user": on("GET", r"/api/user$", or_unseen(lambda one: one.status == 204)),
    "saturn-user-token": on("GET", r"/api/user/token$", or_unseen(lambda one: one.is_good)),
    "saturn-states": on("GET", _WORKSPACE, _is_known),
    "saturn-stopping": on("GET", _WORKSPACE, or_unseen(lambda one: _status(one) == "stopping")),
    "saturn-url": on("GET", _WORKSPACE, _runs_with("url")),
    "saturn-start": on("POST", r"/api/workspaces/[^/]+/start$", lambda one: one.is_good and one.sent is None),
    "saturn-started-at": on(
        "GET", _WORKSPACE, lambda one: True if "started_at" in (one.body or {}) else None
    ),
    "saturn-create": on("POST", r"/api/recipes$", or_unseen(lambda one: one.is_good)),
    "saturn-clone": on("POST", r"/api/resource_recipes/clone$", or_unseen(lambda one: one.is_good)),
    "saturn-sizes": on(
        "GET", r"/api/info/servers$", or_unseen(lambda one: "price_per_hour" in str(one.body))
    ),
}
