"""Workspaces whose state is computed from the server's clock, so nothing runs in the background."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playground.faults import Refusal
from playground.sphere.seed import CODES, ProjectSeed

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Project:
    """A project, from which workspaces are created."""

    id: str
    name: str
    behaviour: ProjectSeed


@dataclass(frozen=True, slots=True)
class Options:
    """The options with which a workspace was created, in minutes. In ``retention_time_…``, 0 means never.

    The defaults are those shown in the vendor's guide.
    """

    auto_resume: bool = True
    workspace_token_required: bool = True
    inactivity_timeout: int = 15
    retention_time_stopped: int = 0
    retention_time_total: int = 0


@dataclass(slots=True)
class Workspace:
    """A workspace. Its state is computed whenever it is read."""

    id: str
    project: Project
    created_at: float
    options: Options
    start_seconds: float
    stop_seconds: float
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    phase: str = "starting"
    phase_since: float = 0.0
    terminated_at: float | None = None
    last_usage: float | None = None
    error_reason: str | None = None
    fail: str | None = None
    init_failed: bool = False
    init_output: str | None = None
    init_error: str | None = None
    #: A code and a name that are shown instead of the actual state.
    shown: tuple[Any, str] | None = None
    overridden: dict[str, bool] = field(default_factory=dict)
    #: Tickets of visitors who were let in. When the token is rotated, they become invalid.
    tickets: set[str] = field(default_factory=set)

    def settle(self, now: float) -> None:
        """Perform everything that has become due, in order."""
        while (due := self._next()) is not None and due[0] <= now:
            at, act = due
            act(at)

    def _next(self) -> tuple[float, Callable[[float], None]] | None:
        coming: list[tuple[float, Callable[[float], None]]] = []
        options = self.options
        if self.phase == "starting":
            coming.append((self.phase_since + self.start_seconds, self._started))
        if self.phase == "running":
            used = max(self.phase_since, self.last_usage or 0.0)
            coming.append((used + options.inactivity_timeout * MINUTE, self._rest))
        if self.phase == "stopped" and options.retention_time_stopped:
            coming.append((self.phase_since + options.retention_time_stopped * MINUTE, self.end))
        if self.phase != "removed" and options.retention_time_total:
            coming.append((self.created_at + options.retention_time_total * MINUTE, self.end))
        return min(coming, key=lambda one: one[0], default=None)

    def _enter(self, phase: str, at: float) -> None:
        self.phase, self.phase_since, self.shown = phase, at, None

    def _started(self, at: float) -> None:
        behaviour = self.project.behaviour
        self.init_output = self.init_output or behaviour.init_output
        self.init_error = self.init_error or behaviour.init_error
        self.init_failed = self.init_failed or behaviour.init_failed
        if self.fail is None:
            self._enter("running", at)
        else:
            self.error(self.fail, at)

    def _rest(self, at: float) -> None:
        if self.options.retention_time_stopped > 0:
            self._enter("stopped", at)
        else:
            self.end(at)

    def error(self, reason: str, at: float) -> None:
        """Enter state 5 for a reason."""
        self._enter("error", at)
        self.error_reason, self.terminated_at = reason, at

    def end(self, at: float) -> None:
        """Remove the workspace. From then on, it is shown as removed."""
        self._enter("removed", at)
        self.terminated_at = at
        self.tickets.clear()

    def is_live(self, now: float) -> bool:
        """Return whether the workspace counts towards the quota."""
        self.settle(now)
        return self.phase in {"starting", "running"}

    def is_stopping(self, now: float) -> bool:
        """Return whether it is still being stopped. It is shown as stopped but can't be resumed yet."""
        self.settle(now)
        return self.phase == "stopped" and now < self.phase_since + self.stop_seconds

    def permissions(self, now: float) -> dict[str, bool]:
        """Return the actions that are allowed now. A workspace that is starting can only be entered."""
        self.settle(now)
        can_enter = {"starting", "running"} | ({"stopped"} if self.options.auto_resume else set())
        return {
            "enter": self.phase in can_enter,
            "remove": self.phase in {"running", "stopped", "error"},
            "stop": self.phase == "running" and self.options.retention_time_stopped > 0,
        } | self.overridden

    def stop(self, now: float) -> None:
        """Stop. Raises Refusal."""
        self.check("stop", now)
        self._rest(now)

    def resume(self, now: float) -> None:
        """Start a stopped workspace again. Raises Refusal."""
        self.check_resume(now)
        self._enter("starting", now)

    def check_resume(self, now: float) -> None:
        """Raise Refusal if the workspace can't be resumed."""
        self.settle(now)
        if self.phase != "stopped":
            raise Refusal(400, f"Workspace cannot be resumed: it is {self.phase}")
        if self.is_stopping(now):
            raise Refusal(409, "Workspace is still being stopped, try again later")

    def remove(self, now: float) -> None:
        """Remove the workspace, unless it is already removed. Raises Refusal."""
        self.check("remove", now)
        if self.phase != "removed":
            self.end(now)

    def check(self, permission: str, now: float) -> None:
        """Raise Refusal: 403 if the action isn't allowed, or 400 if it's a stop and the workspace is down."""
        permitted = self.permissions(now)[permission]
        if not permitted and self.phase in {"starting", "running"}:
            raise Refusal(403, f"Not permitted: {permission}; the workspace is {self.phase}")
        if permission == "stop" and self.phase != "running":
            raise Refusal(400, f"Workspace cannot be stopped: it is {self.phase}")

    def admits(self, token: str | None) -> bool:
        """Return whether a visitor with this workspace token, or with none, may enter."""
        return not self.options.workspace_token_required or token == self.token

    def enter(self, now: float) -> str | None:
        """Let a visitor in, which counts as usage and may resume it; return a ticket or None."""
        if not self.permissions(now)["enter"] or self.phase in {"removed", "error"}:
            return None
        if self.phase == "stopped":
            if not self.options.auto_resume:
                return None
            # If the visitor comes while it is being stopped, it starts again once that has finished.
            self._enter("starting", max(now, self.phase_since + self.stop_seconds))
        self.last_usage = now
        ticket = secrets.token_urlsafe(16)
        self.tickets.add(ticket)
        return ticket

    def rotate(self) -> str:
        """Replace the workspace token. The old token, and all views opened with it, become invalid."""
        self.token = str(uuid.uuid4())
        self.tickets.clear()
        return self.token

    def force(self, phase: str, now: float, reason: str | None = None) -> None:
        """Set the state as if the change had come from elsewhere."""
        self.settle(now)
        self.error_reason = self.terminated_at = None
        if phase == "error":
            self.error(reason or "Unknown error", now)
        elif phase == "removed":
            self.end(now)
        else:
            self._enter(phase, now)

    def code(self) -> int:
        """Return the code of the current state."""
        return CODES[self.phase]
