"""Jobs whose status, exit code and output so far are computed from the server's clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from playground.posit.errors import invalid
from playground.posit.scripts import Script

ENDED = frozenset({"Finished", "Failed", "Canceled", "Killed"})

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """When and how a job ends."""

    at: float
    status: str
    exit_code: int | None


@dataclass(slots=True)
class Job:
    """A job. Its status is computed whenever it is read.

    ``values`` contains the properties with which it was launched; ``word`` is a status set by a test.
    """

    id: str
    owner: str
    values: Values
    script: Script
    submitted: float
    starts_at: float
    pid: int
    failed_status: str = "Finished"
    apply_config_settings: bool = True
    launched_by: str = ""
    ordered: End | None = None
    word: str | None = field(default=None)

    def end(self) -> End:
        """Return when and how the job ends, according to what is known now."""
        if self.script.start_fails:
            own = End(self.starts_at, "Failed", None)
        else:
            code = self.script.exit_code
            status = "Finished" if code == 0 else self.failed_status
            own = End(self.starts_at + self.script.duration, status, code)
        return self.ordered if self.ordered is not None and self.ordered.at <= own.at else own

    def status(self, now: float) -> str:
        """Return Pending, Running, Finished, Failed, Canceled, Killed, or a word set by a test."""
        end = self.end()
        if now >= end.at:
            return end.status
        return self.word or ("Running" if now >= self.starts_at else "Pending")

    def ended(self, now: float) -> bool:
        """Tell whether it is over."""
        return now >= self.end().at

    def printed(self, now: float) -> int:
        """Return the number of lines written so far."""
        if self.script.start_fails:
            return 0
        return self.script.printed(min(now, self.end().at) - self.starts_at)

    def next_change(self, printed: int) -> float:
        """Return the time on the server's clock at which the next line is written or the job ends."""
        end = self.end().at
        age = self.script.next_line_at(printed)
        return end if age is None else min(end, self.starts_at + age)

    def stop(self, now: float, seconds: float, *, force_quit: bool) -> None:
        """End the job: at once if it is killed, otherwise after some seconds.

        As in the launcher, a job that is stopped while it runs is Finished. One that hasn't begun is
        Canceled.

        Raises CallError if it has already ended.
        """
        self.check_stop(now)
        runs = now >= self.starts_at
        if force_quit:
            self.ordered = End(now, "Killed", 137 if runs else None)
        elif self.ordered is None:
            self.ordered = End(now + seconds, "Finished" if runs else "Canceled", 143 if runs else None)

    def check_stop(self, now: float) -> None:
        """Raise CallError if the job has already ended."""
        if self.ended(now):
            raise invalid(f"The job is not running: {self.status(now)}")

    def shown(self, now: float) -> Values:
        """Return the job as a WorkbenchJob, in which times are ISO 8601 in UTC."""
        status, values = self.status(now), self.values
        changed = self.end().at if self.ended(now) else self.starts_at if now >= self.starts_at else None
        shown: Values = {
            "id": self.id,
            "cluster": values["cluster"],
            "name": values["name"],
            "user": self.owner,
            "group": self.owner,
            "queues": values["queues"],
            "workingDirectory": values.get("workingDirectory", ""),
            "host": "localhost" if now >= self.starts_at else "",
            "status": status,
            "statusMessage": "The job could not be started" if status == "Failed" else "",
            "statusCode": "",
            "pid": self.pid,
            "command": values.get("command", ""),
            "exe": values.get("exe", ""),
            "stdoutFile": values.get("stdoutFile", ""),
            "stderrFile": values.get("stderrFile", ""),
            "stdin": values.get("stdin", ""),
            "args": values["args"],
            "container": values.get("container", ""),
            "environment": values["environment"],
            "placementConstraints": values["placementConstraints"],
            "lastUpdateTime": timestamp(changed or self.submitted),
            "submissionTime": timestamp(self.submitted),
            "exposedPorts": values["exposedPorts"],
            "mounts": values["mounts"],
            "config": values["config"],
            "resourceLimits": values["resourceLimits"],
            "tags": values["tags"],
            "metadata": values.get("metadata", {}),
            "resourceProfile": values.get("resourceProfile") or "custom",
        }
        if self.ended(now) and self.end().exit_code is not None:
            shown["exitCode"] = self.end().exit_code
        return shown


def timestamp(moment: float) -> str:
    """Format epoch seconds as ISO 8601 with microseconds and a Z."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
