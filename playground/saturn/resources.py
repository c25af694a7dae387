"""Workspaces and jobs as a function of the server's clock: nothing runs in the background."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apscheduler.triggers.cron import CronTrigger

from playground.faults import Refusal
from playground.saturn.seed import ResourceSeed

#: An ended pod is still among the active ones for so many seconds, then in the history only.
LINGER_SECONDS = 60.0
#: Missed runs of a schedule are not all made up for when the clock is moved far.
MOST_SCHEDULED_RUNS = 50


@dataclass(slots=True)
class Run:
    """Hold one life of a workspace or job: Saturn calls it a pod."""

    name: str
    created_at: float
    status: str = "pending"
    due_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None


@dataclass(slots=True)
class Resource:
    """Hold a resource and work out its state whenever it is looked at."""

    id: str
    type: str
    owner: str
    spec: dict[str, Any]
    start_seconds: float = 4.0
    stop_seconds: float = 2.0
    run_seconds: float = 6.0
    fail: bool = False
    exit_code: int = 0
    runs: list[Run] = field(default_factory=list)
    resting: str = "stopped"
    forced: str | None = None
    cron: str | None = None
    next_fire_at: float | None = None

    @property
    def name(self) -> str:
        """Return the name that the owner gave."""
        return str(self.spec["name"])

    def status(self, now: float) -> str:
        """Return one of stopped, pending, running, stopping, error, or a word set by a test."""
        self.settle(now)
        if self.forced is not None:
            return self.forced
        live = {run.status for run in self.live()}
        return next((word for word in ("running", "pending", "stopping") if word in live), self.resting)

    def live(self) -> list[Run]:
        """Return the runs that have not ended."""
        return [run for run in self.runs if run.ended_at is None]

    def active(self, now: float) -> list[Run]:
        """Return the runs that the active list still shows, newest first."""
        self.settle(now)
        shown = [run for run in self.runs if run.ended_at is None or now - run.ended_at < LINGER_SECONDS]
        return shown[::-1]

    def start(self, now: float) -> None:
        """Start; a job gets one more run, a workspace that is up or coming up stays as it is.

        A workspace that is stopping refuses with 409: the documents are silent there.
        """
        self.check_start(now)
        self.forced = None
        if self.type == "job" or not self.live():
            self._new_run(now)

    def check_start(self, now: float) -> None:
        """Raise Refusal where a start would be refused."""
        if self.type == "workspace" and self.status(now) == "stopping":
            raise Refusal(409, "The workspace is stopping")

    def stop(self, now: float) -> None:
        """Stop whatever runs; stopping what is stopped changes nothing."""
        self.settle(now)
        self.forced = None
        self.resting = "stopped"
        for run in self.live():
            if run.status != "stopping":
                run.status, run.due_at = "stopping", now + self.stop_seconds

    def restart(self, now: float) -> None:
        """End what runs and begin again."""
        self.settle(now)
        for run in self.live():
            self._end(run, now, "stopped")
        self.start(now)

    def force(self, status: str, now: float) -> None:
        """Take a state as if it had been brought about elsewhere; an unknown word is shown as it is."""
        self.settle(now)
        self.forced = None
        if status == "stopping" and self.live():
            self.stop(now)
            return
        for run in self.live():
            self._end(run, now, "error" if status == "error" else "stopped")
        if status in {"stopped", "error"}:
            self.resting = status
        elif status == "pending":
            self._new_run(now)
        elif status == "running":
            self._begin(self._new_run(now), now)
        else:
            self.forced = status

    def set_cron(self, expression: str) -> None:
        """Set the five-field cron expression; raise Refusal 400 when it is none."""
        try:
            CronTrigger.from_crontab(expression, timezone=UTC)
        except ValueError as error:
            raise Refusal(400, f"Invalid cron schedule: {error}") from None
        self.cron = expression

    def schedule(self, now: float) -> None:
        """Switch the schedule on; raise Refusal 400 when there is none."""
        if self.cron is None:
            raise Refusal(400, "The job has no cron schedule")
        self.next_fire_at = self._fire_after(now)

    def settle(self, now: float) -> None:
        """Bring every run to where it is at this time."""
        for _ in range(MOST_SCHEDULED_RUNS):
            if self.next_fire_at is None or self.next_fire_at > now:
                break
            self._new_run(self.next_fire_at)
            self.next_fire_at = self._fire_after(self.next_fire_at)
        if self.next_fire_at is not None and self.next_fire_at <= now:
            self.next_fire_at = self._fire_after(now)
        for run in self.runs:
            while run.due_at is not None and run.due_at <= now:
                self._step(run, run.due_at)

    def _step(self, run: Run, at: float) -> None:
        if run.status == "stopping":
            self._end(run, at, "stopped")
        elif run.status == "pending" and self.fail:
            self.resting = "error"
            self._end(run, at, "error", 1)
        elif run.status == "pending":
            self._begin(run, at)
        else:
            self._end(run, at, "completed" if self.exit_code == 0 else "error", self.exit_code)

    def _new_run(self, now: float) -> Run:
        self.resting = "stopped"
        letter = self.type[0]
        slug = "".join(c for c in self.name.lower() if c.isascii() and c.isalnum())[:12]
        run = Run(
            f"{letter}-{self.owner}-{slug}-{secrets.token_hex(5)}", now, due_at=now + self.start_seconds
        )
        self.runs.append(run)
        return run

    def _begin(self, run: Run, at: float) -> None:
        run.status, run.started_at = "running", at
        run.due_at = at + self.run_seconds if self.type == "job" else None

    def _end(self, run: Run, at: float, status: str, exit_code: int | None = None) -> None:
        run.status, run.due_at, run.ended_at, run.exit_code = status, None, at, exit_code

    def _fire_after(self, now: float) -> float | None:
        trigger = CronTrigger.from_crontab(self.cron, timezone=UTC)
        moment = datetime.fromtimestamp(now, UTC)
        fires = trigger.get_next_fire_time(moment, moment)
        return None if fires is None else float(fires.timestamp())


def from_seed(seed: ResourceSeed, organisation: str, now: float) -> Resource:
    """Make a resource in the state that its seed tells."""
    spec: dict[str, Any] = {
        "name": seed.name,
        "owner": f"{organisation}/{seed.owner}",
        "instance_type": seed.instance_type,
        "disk_space": seed.disk_space,
        "auto_shutoff": seed.auto_shutoff,
        "working_directory": seed.working_directory,
        "start_script": seed.start_script,
        "git_repositories": list(seed.git_repositories),
    }
    if seed.command is not None:
        spec["command"] = seed.command
    resource = Resource(seed.id or secrets.token_hex(16), seed.type, seed.owner, spec)
    for name in ("start_seconds", "stop_seconds", "run_seconds", "fail", "exit_code"):
        setattr(resource, name, getattr(seed, name))
    if seed.schedule is not None:
        resource.set_cron(seed.schedule)
        resource.schedule(now)
    if seed.status != "stopped":
        resource.force(seed.status, now)
    return resource
