"""Sessions whose state is computed from the server's clock, so nothing runs in the background."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from playground.posit.errors import CallError, invalid
from playground.posit.settings import Settings

ENDED = frozenset({"finished", "failed", "killed"})
#: The workbenches whose sessions can be suspended. The reference allows it "for sessions that support
#: suspension, e.g. RStudio".
SUSPENDS = frozenset({"RStudio"})
#: The id of the project of sessions without one, as in the reference's examples.
NO_PROJECT = "cfc78a31"

Values = dict[str, Any]


@dataclass(slots=True)
class Session:
    """A session. Its state is computed whenever it is read.

    ``plan`` contains the future states and their times. If ``stuck`` is set, the session ignores stops unless
    they are forced.
    """

    id: str
    owner: str
    name: str
    workbench: str
    launch_parameters: Values
    created: float
    state: str = "launching"
    since: float = 0.0
    plan: list[tuple[str, float]] = field(default_factory=list)
    working_directory: str = "~"
    open_file: str | None = None
    environment: list[Values] = field(default_factory=list)
    start_hooks: list[Values] = field(default_factory=list)
    stop_hooks: list[Values] = field(default_factory=list)
    stuck: bool = False
    executing: bool = False
    save_prompt_required: bool = False
    status_detail: str = ""
    launched_by: str = ""

    @property
    def hex(self) -> str:
        """Return the id in the session's URL: the ids of its owner, its project and itself, joined."""
        owner = hashlib.sha256(self.owner.encode()).hexdigest()[:5]
        return f"{owner}{NO_PROJECT}{self.id}"

    @property
    def ended(self) -> bool:
        """Tell whether it is over."""
        return self.state in ENDED

    def settle(self, now: float) -> None:
        """Update the state to what it is at this time."""
        while self.plan and self.plan[0][1] <= now:
            self.state, self.since = self.plan.pop(0)

    def force(self, state: str, now: float) -> None:
        """Enter a state as if the change had come from elsewhere, and stay in it."""
        self.plan.clear()
        self.state, self.since = state, now

    def begin(
        self, first: str, seconds: float, settings: Settings, now: float, *, fails: bool = False
    ) -> None:
        """Start on the way to running: launching or resuming, pending, starting, then running (or failed)."""
        self.force(first, now)
        last = "failed" if fails else "running"
        steps = (
            ("pending", seconds),
            ("starting", settings.pending_seconds),
            (last, settings.starting_seconds),
        )
        at = now
        for state, wait in steps:
            at += wait
            self.plan.append((state, at))
        self.status_detail = "The session exited before it was ready" if fails else ""

    def stop(self, settings: Settings, now: float, *, suspend: bool, force_quit: bool) -> None:
        """Stop, suspend or kill the session. Stopping it again while it is stopping changes nothing.

        The reference has no state for a session that is stopping, so it keeps its state until it has
        finished.
        """
        if force_quit:
            self.force("killed", now)
            return
        suspends = suspend and self.workbench in SUSPENDS
        if suspend:
            self.check_suspend(settings)
        leaving = bool(self.plan) and self.plan[-1][0] in {"finished", "suspended"}
        if self.stuck or (leaving and suspends) or (suspends and self.state == "suspended"):
            return
        if suspends:
            self.force("suspending", now)
            self.plan = [("suspended", now + settings.suspending_seconds)]
        elif not (self.plan and self.plan[-1][0] == "finished"):
            self.plan = [("finished", now + settings.stop_seconds)]

    def resume(self, settings: Settings, now: float) -> None:
        """Resume; raise CallError."""
        self.settle(now)
        self.check_resume()
        self.begin("resuming", settings.resuming_seconds, settings, now)

    def check_suspend(self, settings: Settings) -> None:
        """Raise CallError if this kind of session can't be suspended and the server is set to refuse that."""
        if self.workbench not in SUSPENDS and settings.suspend_elsewhere == "refuse":
            raise invalid(f"{self.workbench} sessions cannot be suspended")

    def check_resume(self) -> None:
        """Raise CallError unless this is a suspended RStudio session."""
        if self.workbench not in SUSPENDS:
            raise CallError(11, f"{self.workbench} sessions cannot be resumed")
        if self.state != "suspended":
            raise CallError(11, f"The session is {self.state}, not suspended")

    def shown(self, url: str) -> Values:
        """Return the session as a WorkbenchSession, in which times are epoch milliseconds."""
        is_r = self.workbench == "RStudio"
        return {
            "url": url,
            "id": self.id,
            "name": self.name,
            "launch_parameters": self.launch_parameters,
            "created": int(self.created * 1000),
            "activity_state": self.state,
            "last_state_updated": int(self.since * 1000),
            "label": self.name,
            "display_name": self.name,
            "status_detail": self.status_detail,
            "project": None,
            "project_id": "none",
            "running": self.state == "running",
            "working_dir": self.working_directory,
            "executing": self.executing,
            "save_prompt_required": self.save_prompt_required,
            "last_used": int(self.since * 1000),
            "r_version": "4.3.0" if is_r else "",
            "r_version_label": "",
            "r_version_home": "/usr/lib/R" if is_r else "",
            "suspend_size": 20324197 if self.state == "suspended" else 0,
            "workbench": self.workbench,
        }


def new_id(taken: dict[str, Any]) -> str:
    """Return eight hexadecimal digits that aren't in use yet."""
    while True:
        identifier = secrets.token_hex(4)
        if identifier not in taken:
            return identifier
