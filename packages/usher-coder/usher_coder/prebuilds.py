"""Prebuilt workspaces, which Coder builds in advance. A creation may claim one instead of building one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import usher.provider as up

#: The id of Coder's own account for prebuilt workspaces. It is the same in every deployment
#: (PrebuildsSystemUserID in codersdk).
PREBUILDS_ID = "c42fdf75-3097-471c-8c33-fb52454d81c0"
_FIRST, _CLAIM = 1, 2


async def was_claimed_since(access: up.Access, workspace: Mapping[str, Any], earliest: float) -> bool:
    """Return whether one of the user's own workspaces was prebuilt, and claimed at ``earliest`` or later.

    A claimed workspace keeps the ``created_at`` of its first build, which Coder's own account initiated. Its
    second build is the claim. The time of the latest build isn't enough: the user may have just started an
    older workspace of the same name. But the first build of that one was the user's own, or it was claimed
    earlier.
    """
    name, build = up.require_text(workspace, "name"), up.find_object(workspace, "latest_build")
    number = build.get("build_number")
    if number == _FIRST:
        return False
    claim = build if number == _CLAIM else await _read_build(access, name, _CLAIM)
    if (up.parse_time(claim.get("created_at")) or 0.0) < earliest:
        return False
    return (await _read_build(access, name, _FIRST)).get("initiator_id") == PREBUILDS_ID


async def _read_build(access: up.Access, name: str, number: int) -> dict[str, Any]:
    path = "/users/me/workspace/{}/builds/{}"
    response = await up.none_if_absent(access.api.call("GET", path, name, str(number)))
    return {} if response is None else response.json_object()
