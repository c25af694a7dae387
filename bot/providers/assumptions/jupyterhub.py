"""Checks of Usher's assumptions about JupyterHub."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.providers.assumptions import Check, Exchange, has_fields, has_in_each, match_call, none_unless

_USER_PATH: Final = r"/hub/api/users/[^/]+$"
_SERVER_PATH: Final = r"/hub/api/users/[^/]+/servers?(/[^/]+)?$"
_PROGRESS_PATH: Final = r"/progress$"
_NAME_PATTERN: Final = re.compile(r"[a-z](?:-?[a-z0-9]){0,29}")


def _list_servers(one: Exchange) -> list[Mapping[str, Any]]:
    servers = one.body.get("servers") if isinstance(one.body, dict) else None
    return (
        [entry for entry in servers.values() if isinstance(entry, dict)] if isinstance(servers, dict) else []
    )


def _is_name_answer_expected(one: Exchange) -> bool | None:
    """Return True if the hub accepts or refuses a new server's name as Usher expects, otherwise None."""
    name = one.path.rpartition("/servers/")[2]
    if one.status not in {201, 202, 400} or name == one.path:
        return None
    return (_NAME_PATTERN.fullmatch(name) is not None) == (one.status != 400) or None


CHECKS: Final[Mapping[str, Check]] = {
    "jupyterhub-token-header": match_call("GET", r"/hub/api/user$", none_unless(lambda one: one.is_good)),
    "jupyterhub-version": match_call("GET", r"/hub/api/$", has_fields("version")),
    "jupyterhub-version-header": match_call(
        "GET", r"/hub/api/", lambda one: "X-JupyterHub-Version" in one.headers if one.is_good else None
    ),
    "jupyterhub-bad-token": match_call(
        "GET", r"/hub/api/user$", lambda one: None if one.is_good else one.status == 403
    ),
    "jupyterhub-start": match_call(
        "POST", _SERVER_PATH, lambda one: one.status in {201, 202} if one.is_good else None
    ),
    "jupyterhub-servers": match_call(
        "GET", _USER_PATH, has_in_each(_list_servers, "pending", "ready", "started", "url")
    ),
    "jupyterhub-stopped-servers": match_call(
        "GET",
        _USER_PATH,
        none_unless(lambda one: any(not entry.get("ready") for entry in _list_servers(one))),
    ),
    "jupyterhub-progress": match_call(
        "GET",
        _PROGRESS_PATH,
        lambda one: "event-stream" in one.headers.get("Content-Type", "") if one.is_good else None,
    ),
    "jupyterhub-stop": match_call(
        "DELETE", _SERVER_PATH, lambda one: one.status in {202, 204} if one.is_good else None
    ),
    "jupyterhub-remove": match_call(
        "DELETE",
        _SERVER_PATH,
        lambda one: one.status in {202, 204, 404} if (one.sent or {}).get("remove") else None,
    ),
    "jupyterhub-server-names": match_call("POST|PUT", _SERVER_PATH, _is_name_answer_expected),
    "jupyterhub-display-name": match_call(
        "GET",
        _USER_PATH,
        none_unless(lambda one: any("display_name" in entry for entry in _list_servers(one))),
    ),
    "jupyterhub-named-limit": match_call(
        "POST|PUT",
        _SERVER_PATH,
        none_unless(lambda one: one.status == 400 and "named servers" in str(one.body)),
    ),
    "jupyterhub-start-limits": match_call("POST", _SERVER_PATH, none_unless(lambda one: one.status == 429)),
    "jupyterhub-token-made": match_call("POST", r"/tokens$", has_fields("token", "id")),
}
