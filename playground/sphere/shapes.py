"""Workspaces in the format of answers (``docs/internals/providers/sphere.md``, "Workspaces")."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from playground.sphere.seed import CODES
from playground.sphere.state import Switches
from playground.sphere.workspaces import Workspace

_NAMES = {code: name for name, code in CODES.items()}


def timestamp(moment: float | None) -> str | None:
    """Format epoch seconds as ``YYYY-MM-DD HH:MM:SS +0000``; return None for None."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S +0000")


def shape(
    workspace: Workspace, now: float, switches: Switches, base_url: str, *, listed: bool = False
) -> dict[str, Any]:
    """Return a workspace as JSON values. In lists, the reference makes the state's code a string."""
    permissions = workspace.permissions(now)
    options = workspace.options
    return {
        "id": workspace.id,
        "project": {"id": workspace.project.id, "name": workspace.project.name},
        "created_at": timestamp(workspace.created_at),
        "terminated_at": timestamp(workspace.terminated_at),
        "last_usage": timestamp(workspace.last_usage),
        "inactivity_timeout": options.inactivity_timeout,
        "workspace_token": workspace.token,
        "workspace_token_required": options.workspace_token_required,
        "state": _state(workspace, now, switches, listed=listed),
        "auto_resume": options.auto_resume,
        "workspace_init_failed": workspace.init_failed,
        "streams": {
            "workspace_init_output": workspace.init_output,
            "workspace_init_error": workspace.init_error,
        },
        "retention_time_stopped": options.retention_time_stopped,
        "retention_time_total": options.retention_time_total,
        "permissions": permissions,
        "config": workspace.project.behaviour.config,
        "workspace_url": f"{base_url}/workspace/{workspace.id}",
    }


def _state(workspace: Workspace, now: float, switches: Switches, *, listed: bool) -> dict[str, Any]:
    code: Any
    if workspace.shown is not None:
        code, name = workspace.shown
    else:
        code = switches.stopping_code if workspace.is_stopping(now) else workspace.code()
        name = _NAMES[code]
    as_text = switches.code == "string" or (switches.code == "documents" and listed)
    return {
        "code": str(code) if as_text else code,
        "name": name,
        "error_reason": workspace.error_reason,
    }
