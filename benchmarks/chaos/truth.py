"""A comparison of the provider's real state at the end with what Usher shows and has told people."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from benchmarks.chaos.rows import rows, waits_for_answer
from benchmarks.chaos.stage import Stage

#: Maps the provider's state of a pod to the state that the run should have in Usher's database.
_ENDED = {"completed": "succeeded", "error": "failed", "stopped": "cancelled"}
#: Tolerance, in seconds, when the time of a message is compared with the time of an event on a server.
_ROUNDING = 1.0


class Truth:
    """The comparison; ``told`` has the time at which each message arrived, by person and key."""

    def __init__(
        self,
        stage: Stage,
        operations: list[dict[str, Any]],
        told: Mapping[tuple[str, str], float],
        asked: Mapping[str, float],
    ) -> None:
        self._stage = stage
        self._operations = operations
        self._told = told
        #: The earliest time at which each operation can have been recorded, by a clock that isn't changed.
        self._asked = asked
        #: When requests were acknowledged that have no row, by person, name of the workspace or job, and
        #: verb.
        self.lost: dict[tuple[str, str, str], list[float]] = {}
        self._now = stage.saturn.harness.clock.now()
        self._resources = stage.saturn.state.resources
        asked_for = rows(stage.database, "SELECT * FROM runs WHERE reference != ''")
        self.runs = [{**row, "job": json.loads(row["spec"]).get("job")} for row in asked_for]
        #: The operation that creates a workspace later becomes its start, so the creation is read from the
        #: workspace.
        self.created = rows(stage.database, "SELECT * FROM workspaces WHERE spec IS NOT NULL")
        self._called = {name: call.at for call in stage.calls for name in call.begun}

    def starts(self) -> dict[str, int]:
        """Count the starts that the provider performed for each operation, by a description of them.

        A start counts for the latest operation that had been requested when the provider was called.
        """
        asked: dict[str, list[float]] = defaultdict(list)
        for operation in self._operations:
            if operation["verb"] != "stop":
                asked[operation["remote_id"]].append(self._since(operation))
        for resource in self._of_kind("workspace"):
            for verb in ("start", "restart", "create"):
                asked[resource.id] += self.lost.get((resource.owner, resource.name, verb), [])
        begun: dict[str, list[str]] = defaultdict(list)
        counts: Counter[str] = Counter()
        for resource in self._of_kind("workspace"):
            for run in resource.runs:
                called = self._called.get(run.name, run.created_at)
                number = bisect_right(sorted(asked[resource.id]), called)
                request = f"{resource.id}, request {number}"
                begun[request].append(f"{run.name} called {called:.1f}, {run.started_at}-{run.ended_at}")
                # A start that no operation had asked for counts as two, since it is one too many.
                counts[request] += 1 if number else 2
        return {f"{request}: {'; '.join(begun[request])}": count for request, count in counts.items()}

    def most_runs(self) -> int:
        """Return the largest number of runs that one request for a job led to."""
        asked = Counter(str(row["job"]) for row in self.runs)
        counts = [
            _share(len(job.runs), asked[job.id] + len(self.lost.get((job.owner, job.name, "run"), ())))
            for job in self._of_kind("job")
        ]
        return max(counts, default=0)

    def most_creations(self) -> int:
        """Return the largest number of workspaces that one request for a new one led to."""
        names = {person.principal.key: person.name for person in self._stage.people}
        asked = Counter((names[row["principal"]], row["name"]) for row in self.created)
        asked.update(key[:2] for key in self.lost if key[2] == "create")
        made = Counter((one.owner, one.name) for one in self._of_kind("workspace") if not self._is_old(one))
        return max((_share(count, asked[key]) for key, count in made.items()), default=0)

    def unseen(self) -> list[str]:
        """Describe the provider's workspaces and runs that Usher doesn't know, or wrongly shows as down."""
        found = []
        known = {row["remote_id"]: row for row in rows(self._stage.database, "SELECT * FROM workspaces")}
        for one in self._of_kind("workspace"):
            status, row = one.status(self._now), known.get(one.id)
            if row is None:
                found.append(f"{one.owner}'s {one.name}: stands at the provider, {status}, and is not known")
            elif status in {"running", "pending"} and row["state"] not in {"running", "starting"}:
                found.append(f"{one.owner}'s {one.name}: {status}, and shown as {row['state']}")
        named = {str(row["remote_id"]) for row in self.runs}
        asked = {str(row["job"]) for row in self.runs if waits_for_answer(row)}
        for job in self._of_kind("job"):
            # If the person was asked about a run of this job, they have been told that its outcome is
            # unknown.
            if job.id in asked:
                continue
            lost = [run.name for run in job.runs if f"{job.id}/{run.name}" not in named]
            # A run that ended before Usher learned its id has none in its row.
            unnamed = sum(_is_unnamed(row) for row in self.runs if row["job"] == job.id)
            lost = lost[unnamed + len(self.lost.get((job.owner, job.name, "run"), ())) :]
            found += [f"{job.owner}'s run of {job.name}: {name} is not known" for name in lost]
        return found

    def untrue(self) -> list[str]:
        """Describe each state that Usher shows wrongly, and each message that was wrong when it was sent."""
        shown = rows(self._stage.database, "SELECT * FROM workspaces WHERE hidden = 0")
        return [
            *(said for row in shown if (said := self._shown_wrongly(row))),
            *(said for operation in self._operations if (said := self._told_wrongly(operation))),
            *(said for row in self.runs if (said := self._run_told_wrongly(row))),
        ]

    def _shown_wrongly(self, row: Mapping[str, Any]) -> str | None:
        resource = self._resources.get(str(row["remote_id"]))
        name = f"{row['name']} of {row['principal']}"
        if resource is None:
            up = row["state"] in {"running", "starting"}
            return f"{name}: shown as {row['state']}, and not there" if up else None
        status = resource.status(self._now)
        if row["state"] == "gone" or (row["state"] in {"running", "starting"} and not resource.live()):
            return f"{name}: {status}, and shown as {row['state']}"
        return None

    def _told_wrongly(self, operation: Mapping[str, Any]) -> str | None:
        """Return what is wrong if a message about an operation's outcome wasn't true when it was sent."""
        name = f"{operation['verb']} {operation['id']} of {operation['name']}"
        resource = self._resources.get(str(operation["remote_id"]))
        for kind in ("ready", "stopped", "failed"):
            at = self._told.get((operation["principal"], f"{operation['id']}/{kind}/end"))
            if at is None:
                continue
            if resource is None:
                return f"{name}: told {kind}, and it was never there" if kind == "ready" else None
            lives = [
                (self._called.get(run.name, run.created_at), run.started_at, run.ended_at or float("inf"))
                for run in resource.runs
                if run.started_at is not None
            ]
            since = self._since(operation) - _ROUNDING
            ran = any(began <= at + _ROUNDING and ended >= since for _, began, ended in lives)
            if kind == "ready" and not ran:
                return f"{name}: told ready, and it did not run"
            stayed = any(began <= since and ended > at + _ROUNDING for _, began, ended in lives)
            if kind == "stopped" and stayed:
                return f"{name}: told stopped, and it ran all the time"
            is_failed = kind == "failed" and operation["outcome"] == "failed" and operation["verb"] != "stop"
            if is_failed and any(since <= called < at < ended for called, _, ended in lives):
                return f"{name}: told failed, and it came up all the same"
        return None

    def _run_told_wrongly(self, row: Mapping[str, Any]) -> str | None:
        name = f"run {row['id']} of {row['name']}"
        resource = self._resources.get(str(row["job"]))
        pod = str(row["remote_id"] or "").rpartition("/")[2]
        runs = resource.runs if resource else []
        mine = [one for one in runs if one.name == pod or _is_unnamed(row)]
        real = {_ENDED.get(one.status, one.status) for one in mine}
        if row["outcome"] == "ended" and row["state"] not in real:
            return f"{name}: told {row['state']}, and it is {', '.join(sorted(real)) or 'nothing'}"
        if row["outcome"] == "failed" and not _is_unnamed(row) and "succeeded" in real:
            return f"{name}: told failed, and it completed"
        return None

    def _of_kind(self, kind: str) -> list[Any]:
        return [one for one in self._resources.values() if one.type == kind]

    def _is_old(self, resource: Any) -> bool:
        return resource.name in self._stage.names

    def _since(self, operation: Mapping[str, Any]) -> float:
        return self._asked.get(operation["id"], float(operation["created_at"]))


def _is_unnamed(row: Mapping[str, Any]) -> bool:
    """Return whether Usher never learned the run's id at the provider."""
    return "/@" in str(row["remote_id"] or "")


def _share(made: int, asked: int) -> int:
    """Return how many were made per request, rounded up.

    If anything was made without a request, return at least 2, which is always too many.
    """
    return -(-made // asked) if asked else 2 * made
