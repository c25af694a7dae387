"""The results of scenarios, and the events that report them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from playground.sphere.shapes import timestamp
from playground.sphere.workspaces import Workspace

#: The system identifier for workspaces of the Containers module (documentation of webhooks, "Message core").
ORIGIN = "secow"
FINISHED, CUSTOM = "workspace.scenario.finished", "workspace.scenario.custom"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of running a scenario."""

    scenario: str = "run"
    passed: bool = True
    score: float = 100.0
    seconds: float = 1.0
    output: str = "Hello\n"


def result(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON values, with a status from the documentation ("Submission status")."""
    status = {"code": 15, "name": "ok"} if outcome.passed else {"code": 14, "name": "fail"}
    return {"status": status, "score": outcome.score, "time": outcome.seconds}


def finished(workspace: Workspace, outcome: Outcome, now: float, base_url: str) -> dict[str, Any]:
    """Return the event that reports a finished scenario."""
    name = str(uuid.uuid4())
    streams = {
        "stage_run_output": {
            "size": len(outcome.output.encode()),
            "uri": f"{base_url}/api/v1/webhooks/streams/{FINISHED}/{name}/stage_run_output",
        }
    }
    payload = {
        "started_at": timestamp(now - outcome.seconds),
        "scenario": outcome.scenario,
        "result": {**result(outcome), "streams": streams},
    }
    return _message(name, FINISHED, workspace, payload, now)


def custom(workspace: Workspace, data: Any, now: float) -> dict[str, Any]:
    """Return the event that a project's own code sends."""
    return _message(str(uuid.uuid4()), CUSTOM, workspace, {"data": data}, now)


def _message(
    name: str, kind: str, workspace: Workspace, payload: dict[str, Any], now: float
) -> dict[str, Any]:
    where = {
        "workspace": {"id": workspace.id},
        "project": {"id": workspace.project.id, "name": workspace.project.name},
    }
    return {
        "id": name,
        "origin": ORIGIN,
        "timestamp": int(now),
        "type": kind,
        "payload": {**where, **payload},
    }
