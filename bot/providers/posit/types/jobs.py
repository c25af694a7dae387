"""Jobs: what a launch is asked for and what the server tells of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.providers.posit.fields import entries_in, epoch, whole_in, word_in, words_in
from bot.providers.posit.types.parameters import EnvironmentVariable, PlacementConstraint, ResourceLimit
from bot.providers.reading import text_in


@dataclass(frozen=True, slots=True)
class JobLaunch:
    """Ask for a job: ``exe`` with ``args``, or ``command`` for a shell (``/bin/sh -c command``)."""

    name: str
    cluster: str
    exe: str | None = None
    command: str | None = None
    args: tuple[str, ...] = ()
    working_directory: str | None = None
    environment: tuple[EnvironmentVariable, ...] = ()
    tags: tuple[str, ...] = ()
    container_image: str | None = None
    resource_limits: tuple[ResourceLimit, ...] = ()
    queues: tuple[str, ...] = ()
    placement_constraints: tuple[PlacementConstraint, ...] = ()
    resource_profile: str | None = None

    def as_json(self, user: str | None) -> dict[str, Any]:
        """Return the ``job``; fields of many words go in both spellings (``posit.md``, launch_job).

        ``user`` is whose job it will be, None for the token's owner.
        """
        image = self.container_image
        limits = [limit.as_json() for limit in self.resource_limits] or None
        constraints = [constraint.as_json() for constraint in self.placement_constraints] or None
        job: dict[str, Any] = {
            "name": self.name,
            "cluster": self.cluster,
            "exe": self.exe,
            "command": self.command,
            "args": list(self.args) or None,
            "working_directory": self.working_directory,
            "workingDirectory": self.working_directory,
            "environment": [variable.as_json() for variable in self.environment] or None,
            "tags": list(self.tags) or None,
            "container_image": image,
            # The launcher behind the API takes an object here.
            "container": None if image is None else {"image": image},
            "resource_limits": limits,
            "resourceLimits": limits,
            "queues": list(self.queues) or None,
            "placement_constraints": constraints,
            "placementConstraints": constraints,
            "resource_profile": self.resource_profile,
            "resourceProfile": self.resource_profile,
            "user": user,
        }
        return {key: value for key, value in job.items() if value is not None}


@dataclass(frozen=True, slots=True)
class WorkbenchJob:
    """Hold what the server tells of a job; times are ISO 8601 texts, ``""`` where it tells none."""

    id: str
    status: str
    name: str = ""
    cluster: str = ""
    exe: str = ""
    args: tuple[str, ...] = ()
    command: str = ""
    working_directory: str = ""
    user: str = ""
    queues: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    environment: tuple[EnvironmentVariable, ...] = ()
    container: str = ""
    host: str = ""
    group: str = ""
    status_message: str = ""
    status_code: str = ""
    pid: int | None = None
    exit_code: int | None = None
    stdout_file: str = ""
    stderr_file: str = ""
    submission_time: str = ""
    last_update_time: str = ""
    resource_limits: tuple[ResourceLimit, ...] = ()
    placement_constraints: tuple[PlacementConstraint, ...] = ()
    resource_profile: str = ""

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> WorkbenchJob:
        """Read it; its id (``id``, or ``job_id`` as the text has it) and status must be there."""
        container = answer.get("container")
        image = word_in(container, "image", where) if isinstance(container, dict) else None
        return cls(
            id=word_in(answer, "job_id", where) or text_in(answer, "id", where),
            status=text_in(answer, "status", where),
            args=words_in(answer, "args", where),
            queues=words_in(answer, "queues", where),
            tags=words_in(answer, "tags", where),
            environment=entries_in(answer, "environment", EnvironmentVariable.from_json, where),
            container=word_in(answer, "container", where) if image is None else image,
            pid=whole_in(answer, "pid", where),
            exit_code=whole_in(answer, "exitCode", where),
            resource_limits=entries_in(answer, "resourceLimits", ResourceLimit.from_json, where),
            placement_constraints=entries_in(
                answer, "placementConstraints", PlacementConstraint.from_json, where
            ),
            **{field: word_in(answer, key, where) for field, key in _WORDS.items()},
        )

    @property
    def submitted_at(self) -> float | None:
        """Return when it was submitted, in epoch seconds."""
        return epoch(self.submission_time)

    @property
    def updated_at(self) -> float | None:
        """Return when its state changed last, in epoch seconds."""
        return epoch(self.last_update_time)


_WORDS = {
    "name": "name",
    "cluster": "cluster",
    "exe": "exe",
    "command": "command",
    "working_directory": "workingDirectory",
    "user": "user",
    "host": "host",
    "group": "group",
    "status_message": "statusMessage",
    "status_code": "statusCode",
    "stdout_file": "stdoutFile",
    "stderr_file": "stderrFile",
    "submission_time": "submissionTime",
    "last_update_time": "lastUpdateTime",
    "resource_profile": "resourceProfile",
}
