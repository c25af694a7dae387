"""How a trial sees what Usher relies on about Workbench, by the names of its page."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.providers.assumptions import Exchange, Looks, every, on, or_unseen

_SESSION_PATH: Final = re.compile(r"/s/[0-9a-f]{16,}/?$")
_METHOD: Final = r"/api/\w+$"


def _result(one: Exchange) -> Any:
    return one.body.get("result", one.body) if isinstance(one.body, dict) else None


def _listed(one: Exchange, key: str) -> list[Mapping[str, Any]]:
    found = _result(one)
    listed = found.get(key) if isinstance(found, dict) else None
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _names_owners(one: Exchange) -> bool:
    """Return whether sessions name their owners, as newer servers do."""
    return any("username" in session for session in _listed(one, "sessions"))


def _wrapped(one: Exchange) -> bool:
    """Return whether an answer is bare, or wrapped twice."""
    found = _result(one)
    return found is one.body or (isinstance(found, dict) and "result" in found)


def _has_jobs(one: Exchange) -> bool | None:
    asked = (one.sent or {}).get("kwparams", {})
    return isinstance((_result(one) or {}).get("jobs"), list) if asked.get("include_jobs") else None


def _limits(one: Exchange) -> list[Mapping[str, Any]]:
    found = [limit for cluster in _listed(one, "clusters") for limit in cluster.get("resourceLimits") or ()]
    return [limit for limit in found if isinstance(limit, dict)]


def _default_is_unlisted(one: Exchange) -> bool:
    named = (_result(one) or {}).get("default_cluster")
    return bool(named) and named not in {cluster.get("name") for cluster in _listed(one, "clusters")}


LOOKS: Final[Mapping[str, Looks]] = {
    "posit-envelope": on("POST", _METHOD, lambda one: one.status not in {404, 405}),
    "posit-error-in-200": on(
        "POST", _METHOD, or_unseen(lambda one: one.status == 200 and "error" in (one.body or {}))
    ),
    "posit-bearer": on("POST", _METHOD, or_unseen(lambda one: one.is_good)),
    "posit-version-any-token": on("POST", r"/api/version$", lambda one: one.is_good),
    "posit-wrappings": on("POST", r"/api/(version|launch_job)$", or_unseen(_wrapped)),
    "posit-session-username": on("POST", r"/api/get_session$", or_unseen(_names_owners)),
    "posit-session-path": on(
        "POST",
        r"/api/launch_session$",
        lambda one: _SESSION_PATH.search(str((_result(one) or {}).get("url"))) is not None,
    ),
    "posit-tags-come-back": on("POST", r"/api/get_session$", every(lambda one: _listed(one, "jobs"), "tags")),
    "posit-jobs-flag": on("POST", r"/api/get_session$", _has_jobs),
    "posit-limit-kind": on("POST", r"/api/get_compute_envs$", every(_limits, "name|type")),
    "posit-default-unlisted": on("POST", r"/api/get_compute_envs$", or_unseen(_default_is_unlisted)),
}
