"""How a trial sees what Usher relies on about JupyterHub, by the names of its page."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.providers.assumptions import Exchange, Looks, every, has, on, or_unseen

_USER: Final = r"/hub/api/users/[^/]+$"
_SERVER: Final = r"/hub/api/users/[^/]+/servers?(/[^/]+)?$"
_PROGRESS: Final = r"/progress$"
_NAME: Final = re.compile(r"[a-z](?:-?[a-z0-9]){0,29}")


def _servers(one: Exchange) -> list[Mapping[str, Any]]:
    servers = one.body.get("servers") if isinstance(one.body, dict) else None
    return (
        [entry for entry in servers.values() if isinstance(entry, dict)] if isinstance(servers, dict) else []
    )


def _names_fit(one: Exchange) -> bool | None:
    """Return whether a refused name is one that the rule refuses, and an accepted one isn't."""
    name = one.path.rpartition("/servers/")[2]
    if one.status not in {201, 202, 400} or name == one.path:
        return None
    return (_NAME.fullmatch(name) is not None) == (one.status != 400) or None


LOOKS: Final[Mapping[str, Looks]] = {
    "jupyterhub-token-header": on("GET", r"/hub/api/user$", or_unseen(lambda one: one.is_good)),
    "jupyterhub-version": on("GET", r"/hub/api/$", has("version")),
    "jupyterhub-version-header": on(
        "GET", r"/hub/api/", lambda one: "X-JupyterHub-Version" in one.headers if one.is_good else None
    ),
    "jupyterhub-bad-token": on(
        "GET", r"/hub/api/user$", lambda one: None if one.is_good else one.status == 403
    ),
    "jupyterhub-start": on("POST", _SERVER, lambda one: one.status in {201, 202} if one.is_good else None),
    "jupyterhub-servers": on("GET", _USER, every(_servers, "pending", "ready", "started", "url")),
    "jupyterhub-stopped-servers": on(
        "GET", _USER, or_unseen(lambda one: any(not entry.get("ready") for entry in _servers(one)))
    ),
    "jupyterhub-progress": on(
        "GET",
        _PROGRESS,
        lambda one: "event-stream" in one.headers.get("Content-Type", "") if one.is_good else None,
    ),
    "jupyterhub-stop": on("DELETE", _SERVER, lambda one: one.status in {202, 204} if one.is_good else None),
    "jupyterhub-remove": on(
        "DELETE",
        _SERVER,
        lambda one: one.status in {202, 204, 404} if (one.sent or {}).get("remove") else None,
    ),
    "jupyterhub-server-names": on("POST", _SERVER, _names_fit),
    "jupyterhub-display-name": on(
        "GET", _USER, or_unseen(lambda one: any("display_name" in entry for entry in _servers(one)))
    ),
    "jupyterhub-named-limit": on(
        "POST", _SERVER, or_unseen(lambda one: one.status == 400 and "named servers" in str(one.body))
    ),
    "jupyterhub-start-limits": on("POST", _SERVER, or_unseen(lambda one: one.status == 429)),
    "jupyterhub-token-made": on("POST", r"/tokens$", has("token", "id")),
}
