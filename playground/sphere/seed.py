"""The initial data of a local Sphere Engine: that of a seed file, or the default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.values import SeedError, checked, field_names, read_seed, record

_DEFAULT = Path(__file__).parent / "default_seed.json"

#: The workspace states in the API reference ("Workspace state").
CODES = {"starting": 1, "running": 2, "stopped": 3, "removed": 4, "error": 5}


@dataclass(frozen=True, slots=True)
class ProjectSeed:
    """A project and the behaviour of its workspaces. Times are seconds on the server's clock.

    If ``fail`` is set, all its workspaces end in state 5 with this reason instead of running.
    """

    name: str
    id: str | None = None
    start_seconds: float = 4.0
    stop_seconds: float = 2.0
    fail: str | None = None
    init_failed: bool = False
    init_output: str | None = None
    init_error: str | None = None
    config: str = "{content of the configuration}"


@dataclass(frozen=True, slots=True)
class WorkspaceSeed:
    """A workspace that exists at the start. Times are in minutes."""

    project: str
    id: str | None = None
    state: str = "running"
    workspace_token: str | None = None
    auto_resume: bool = True
    workspace_token_required: bool = True
    inactivity_timeout: int = 15
    retention_time_stopped: int = 0
    retention_time_total: int = 0


@dataclass(frozen=True, slots=True)
class Seed:
    """A server's initial data. Values that aren't set are random at each start."""

    access_token: str | None = None
    page_size: int = 10
    quota: int | None = None
    webhook_url: str | None = None
    webhook_secret: str | None = None
    projects: tuple[ProjectSeed, ...] = ()
    workspaces: tuple[WorkspaceSeed, ...] = ()


def load(path: Path | None = None) -> Seed:
    """Read a seed file, or this package's default seed; raise SeedError if it is invalid."""
    return read_seed(path or _DEFAULT, parse)


def parse(values: Any) -> Seed:
    """Return the seed in JSON values; raise SeedError if they are invalid."""
    values = checked(values, field_names(Seed))
    projects = tuple(record(ProjectSeed, one) for one in values.get("projects", ()))
    workspaces = tuple(record(WorkspaceSeed, one) for one in values.get("workspaces", ()))
    seed = record(Seed, {**values, "projects": projects, "workspaces": workspaces})
    names = [project.name for project in seed.projects]
    if len(set(names)) < len(names):
        raise SeedError("two projects have one name")
    for workspace in seed.workspaces:
        if workspace.project not in names:
            raise SeedError(f"{workspace.project} is not among the projects")
        if workspace.state not in CODES:
            raise SeedError(f"state is one of {tuple(CODES)}")
    if seed.page_size not in range(1, 31):
        raise SeedError("page_size: 1 to 30")
    return seed
