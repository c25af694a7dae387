"""Workspaces and jobs whose state is computed from the server's clock, so nothing runs in the background."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apscheduler.triggers.cron import CronTrigger

from playground.faults import Refusal
from playground.saturn.seed import ResourceSeed

#: Seconds for which a pod that has ended still appears among the active ones. Then it is only in the history.
LINGER_SECONDS = 60.0
#: The properties of a resource, other than its spec, that a seed or a test may set, with their types.
TIMINGS: dict[str, Any] = {
    "start_seconds": float,
    "stop_seconds": float,
    "run_seconds": float,
    "fail": bool,
    "exit_code": int,
    "reason": str,
    "condition": str,
    "log_lines": int,
}
#: Maximum number of missed scheduled runs to catch up on if the clock is moved far ahead.
MOST_SCHEDULED_RUNS = 50


@dataclass(slots=True)
class Run:
    """A pod: one run of a workspace, or part of a job's run. ``job`` is the name of the Kubernetes job."""

    name: str
    created_at: float
    job: str = ""
    status: str = "pending"
    due_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    reason: str | None = None
    #: Why it was never scheduled.
    unscheduled: str | None = None


@dataclass(slots=True)
class Resource:
    """A workspace or job. Its state is computed whenever it is read."""

    id: str
    type: str
    owner: str
    spec: dict[str, Any]
    start_seconds: float = 4.0
    stop_seconds: float = 2.0
    run_seconds: float = 6.0
    fail: bool = False
    exit_code: int = 0
    #: Running time in seconds and exit code of each run's first pods. Other pods use ``run_seconds`` and
    #: ``exit_code``.
    pods: tuple[tuple[float, int], ...] = ()
    #: The reason for which its pods fail (such as ``OOMKilled``), and the condition that keeps them from
    #: being scheduled.
    reason: str | None = None
    condition: str | None = None
    log_lines: int = 0
    created_at: float = 0.0
    runs: list[Run] = field(default_factory=list)
    resting: str = "stopped"
    forced: str | None = None
    cron: str | None = None
    next_fire_at: float | None = None
    #: Returns the scheduler's message if there is no machine for its pod, otherwise None.
    unscheduled: Callable[[Resource], str | None] = lambda _resource: None

    @property
    def name(self) -> str:
        """Return the name that the owner chose."""
        return str(self.spec["name"])

    def status(self, now: float) -> str:
        """Return one of stopped, pending, running, stopping, error, or a word set by a test."""
        self.settle(now)
        if self.forced is not None:
            return self.forced
        live = {run.status for run in self.live()}
        return next((word for word in ("running", "pending", "stopping") if word in live), self.resting)

    @property
    def scale(self) -> int:
        """Return how many of a run's pods have to succeed."""
        return int(self.spec.get("scale") or 1)

    def is_destroyed(self, now: float) -> bool:
        """Return whether the resource deleted itself after it was stopped."""
        self.settle(now)
        return bool(self.spec.get("self_destruct") and self.runs) and not self.live()

    def live(self) -> list[Run]:
        """Return the runs that have not ended."""
        return [run for run in self.runs if run.ended_at is None]

    def active(self, now: float) -> list[Run]:
        """Return the runs in the list of active ones, newest first."""
        self.settle(now)
        shown = [run for run in self.runs if run.ended_at is None or now - run.ended_at < LINGER_SECONDS]
        return shown[::-1]

    def start(self, now: float) -> None:
        """Start a new run of a job, or start a workspace unless it is already up or starting.

        A workspace that is stopping refuses with 409. The documents don't say what happens then.
        """
        self.check_start(now)
        self.forced = None
        if self.type == "job" or not self.live():
            self._new_run(now)

    def check_start(self, now: float) -> None:
        """Raise Refusal if a start would be refused."""
        if self.type == "workspace" and self.status(now) == "stopping":
            raise Refusal(409, "The workspace is stopping")

    def stop(self, now: float, job: str = "") -> None:
        """Stop everything that is running, or only one run of a job. If nothing is running, do nothing."""
        self.settle(now)
        self.forced = None
        self.resting = "stopped"
        for run in self.live():
            if run.status != "stopping" and job in {"", run.job}:
                run.status, run.due_at = "stopping", now + self.stop_seconds

    def restart(self, now: float) -> None:
        """End everything that is running, and start again."""
        self.settle(now)
        for run in self.live():
            self._end(run, now, "stopped")
        self.start(now)

    def force(self, status: str, now: float) -> None:
        """Set the state as if the change had come from elsewhere. An unknown state is shown unchanged."""
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
        """Set the five-field cron expression; raise Refusal 400 if it is invalid."""
        try:
            CronTrigger.from_crontab(expression, timezone=UTC)
        except ValueError as error:
            raise Refusal(400, f"Invalid cron schedule: {error}") from None
        self.cron = expression

    def schedule(self, now: float) -> None:
        """Switch the schedule on; raise Refusal 400 if there is no cron expression."""
        if self.cron is None:
            raise Refusal(400, "The job has no cron schedule")
        self.next_fire_at = self._fire_after(now)

    def settle(self, now: float) -> None:
        """Update every run to its state at this time."""
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
        elif run.status == "pending" and (why := self.unscheduled(self)) is not None:
            self.resting = "error"
            self._end(run, at, "error")
            run.unscheduled = why
        elif run.status == "pending" and self.fail:
            self.resting = "error"
            self._fail(run, at, 1)
        elif run.status == "pending":
            self._begin(run, at)
        elif (code := self._planned(run)[1]) == 0:
            self._end(run, at, "completed", 0)
        else:
            self._fail(run, at, code)

    def _fail(self, run: Run, at: float, code: int) -> None:
        self._end(run, at, "error", code)
        run.reason = self.reason
        failed = sum(one.status == "error" for one in self.runs if one.job == run.job)
        if self.type == "job" and failed <= int(self.spec.get("retries") or 0):
            self._new_pod(at, run.job)

    def _planned(self, run: Run) -> tuple[float, int]:
        """Return how many seconds a pod runs, and its exit code."""
        place = [one.name for one in self.runs if one.job == run.job].index(run.name)
        return self.pods[place] if place < len(self.pods) else (self.run_seconds, self.exit_code)

    def _new_run(self, now: float) -> Run:
        self.resting = "stopped"
        slug = "".join(c for c in self.name.lower() if c.isascii() and c.isalnum())[:12]
        job = f"{self.type[0]}-{self.owner}-{slug}-{secrets.token_hex(5)}"
        made = [self._new_pod(now, job) for _ in range(self.scale if self.type == "job" else 1)]
        return made[0]

    def _new_pod(self, now: float, job: str) -> Run:
        run = Run(f"{job}-{secrets.token_hex(3)}", now, job, due_at=now + self.start_seconds)
        self.runs.append(run)
        return run

    def _begin(self, run: Run, at: float) -> None:
        run.status, run.started_at = "running", at
        run.due_at = at + self._planned(run)[0] if self.type == "job" else None

    def _end(self, run: Run, at: float, status: str, exit_code: int | None = None) -> None:
        run.status, run.due_at, run.ended_at, run.exit_code = status, None, at, exit_code

    def _fire_after(self, now: float) -> float | None:
        trigger = CronTrigger.from_crontab(self.cron, timezone=UTC)
        moment = datetime.fromtimestamp(now, UTC)
        fires = trigger.get_next_fire_time(moment, moment)
        return None if fires is None else float(fires.timestamp())


def from_seed(seed: ResourceSeed, organisation: str, now: float) -> Resource:
    """Create the resource that a seed describes."""
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
    for name in ("command", "image", "scale", "retries", "self_destruct"):
        if getattr(seed, name) is not None:
            spec[name] = getattr(seed, name)
    resource = Resource(seed.id or secrets.token_hex(16), seed.type, seed.owner, spec, created_at=now)
    for name in (*TIMINGS, "pods"):
        setattr(resource, name, getattr(seed, name))
    if seed.schedule is not None:
        resource.set_cron(seed.schedule)
        resource.schedule(now)
    if seed.status != "stopped":
        resource.force(seed.status, now)
    return resource
