"""The output lines of pods."""

from __future__ import annotations

from playground.saturn.asking import timestamp
from playground.saturn.resources import Resource, Run


def lines_of(resource: Resource, run: Run) -> list[str]:
    """Return the lines that a pod has written so far."""
    lines = [f"{timestamp(run.created_at)} Scheduling {run.name} on {resource.spec.get('instance_type')}"]
    if run.started_at is not None:
        command = resource.spec.get("command") or "the IDE"
        lines.append(f"{timestamp(run.started_at)} Starting {command}")
        lines += [f"line {number} of {run.name}" for number in range(1, resource.log_lines + 1)]
    elif run.status == "error":
        lines.append(f"{timestamp(run.ended_at)} The container could not be started: image pull failed")
    if run.ended_at is not None and run.started_at is not None:
        lines.append(f"{timestamp(run.ended_at)} Ended: {run.status}, exit code {run.exit_code}")
    return lines
