"""Checks of Usher's assumptions about Posit Workbench."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.providers.assumptions import Check, Exchange, has_in_each, match_call, none_unless

_SESSION_PATH: Final = re.compile(r"/s/[0-9a-f]{16,}/?$")
_METHOD: Final = r"/api/\w+$"


def _unwrap_result(one: Exchange) -> Any:
    return one.body.get("result", one.body) if isinstance(one.body, dict) else None


def _list_objects(one: Exchange, key: str) -> list[Mapping[str, Any]]:
    found = _unwrap_result(one)
    listed = found.get(key) if isinstance(found, dict) else None
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _has_owner_names(one: Exchange) -> bool:
    return any("username" in session for session in _list_objects(one, "sessions"))


def _is_bare_or_wrapped_twice(one: Exchange) -> bool:
    found = _unwrap_result(one)
    return found is one.body or (isinstance(found, dict) and "result" in found)


def _has_jobs(one: Exchange) -> bool | None:
    asked = (one.sent or {}).get("kwparams", {})
    return isinstance((_unwrap_result(one) or {}).get("jobs"), list) if asked.get("include_jobs") else None


def _list_limits(one: Exchange) -> list[Mapping[str, Any]]:
    found = [
        limit for cluster in _list_objects(one, "clusters") for limit in cluster.get("resourceLimits") or ()
    ]
    return [limit for limit in found if isinstance(limit, dict)]


def _is_default_unlisted(one: Exchange) -> bool:
    named = (_unwrap_result(one) or {}).get("default_cluster")
    return bool(named) and named not in {cluster.get("name") for cluster in _list_objects(one, "clusters")}


CHECKS: Final[Mapping[str, Check]] = {
    "posit-envelope": match_call("POST", _METHOD, lambda one: one.status not in {404, 405}),
    "posit-error-in-200": match_call(
        "POST", _METHOD, none_unless(lambda one: one.status == 200 and "error" in (one.body or {}))
    ),
    "posit-bearer": match_call("POST", _METHOD, none_unless(lambda one: one.is_good)),
    "posit-version-any-token": match_call("GET", r"/api/version$", none_unless(lambda one: one.is_good)),
    "posit-wrappings": match_call(
        "GET|POST", r"/api/(version|launch_job)$", none_unless(_is_bare_or_wrapped_twice)
    ),
    "posit-session-username": match_call("POST", r"/api/get_session$", none_unless(_has_owner_names)),
    "posit-session-path": match_call(
        "POST",
        r"/api/launch_session$",
        lambda one: _SESSION_PATH.search(str((_unwrap_result(one) or {}).get("url"))) is not None,
    ),
    "posit-tags-come-back": match_call(
        "POST", r"/api/get_session$", has_in_each(lambda one: _list_objects(one, "jobs"), "tags")
    ),
    "posit-jobs-flag": match_call("POST", r"/api/get_session$", _has_jobs),
    "posit-limit-kind": match_call(
        "GET|POST", r"/api/get_compute_envs$", has_in_each(_list_limits, "name|type")
    ),
    "posit-default-unlisted": match_call(
        "GET|POST", r"/api/get_compute_envs$", none_unless(_is_default_unlisted)
    ),
}
