"""The initial data of a local Saturn Cloud: people, workspaces and jobs, read from JSON and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.values import SeedError, checked, read_seed, record

#: The dialects: the published guides with what the vendor's older client uses, and the document published in
#: 2026.
DIALECTS = ("guide", "2026")
STATUSES = ("stopped", "pending", "running", "stopping", "error")
_DEFAULT = Path(__file__).with_name("default_seed.json")


@dataclass(frozen=True, slots=True)
class PersonSeed:
    """A person. Values that aren't set here are random at each start."""

    name: str
    admin: bool = False
    token: str | None = None
    refresh_token: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceSeed:
    """A workspace or job, and how long its changes take, in seconds on the server's clock."""

    owner: str
    name: str
    type: str = "workspace"
    id: str | None = None
    status: str = "stopped"
    start_seconds: float = 4.0
    stop_seconds: float = 2.0
    run_seconds: float = 6.0
    fail: bool = False
    exit_code: int = 0
    pods: tuple[Any, ...] = ()
    reason: str | None = None
    condition: str | None = None
    log_lines: int = 0
    scale: int | None = None
    retries: int | None = None
    self_destruct: bool | None = None
    image: str | None = None
    schedule: str | None = None
    instance_type: str = "medium"
    disk_space: str = "10Gi"
    auto_shutoff: str = "1 hour"
    command: str | None = None
    working_directory: str = "/home/jovyan/workspace"
    start_script: str = ""
    git_repositories: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Seed:
    """A server's initial data."""

    organisation: str = "acme"
    dialect: str = "guide"
    #: Default number of entries on a page of a list.
    page_size: int = 3
    people: tuple[PersonSeed, ...] = ()
    #: Maps each group to its members, who share the group's resources.
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    resources: tuple[ResourceSeed, ...] = field(default=())


def load(path: Path | None = None) -> Seed:
    """Read a seed file, or this package's default seed; raise SeedError if it is invalid."""
    return read_seed(path or _DEFAULT, parse)


def parse(values: Any) -> Seed:
    """Parse a seed from JSON values. Raise SeedError if they are invalid."""
    values = checked(
        values, ("organisation", "dialect", "page_size", "users", "groups", "workspaces", "jobs")
    )
    people = tuple(record(PersonSeed, entry) for entry in values.get("users", []))
    resources = tuple(
        record(ResourceSeed, {**entry, "type": kind})
        for kind, entries in (("workspace", values.get("workspaces", [])), ("job", values.get("jobs", [])))
        for entry in entries
    )
    dialect = values.get("dialect", "guide")
    if dialect not in DIALECTS:
        raise SeedError(f"dialect is one of {DIALECTS}")
    groups = {str(name): tuple(members) for name, members in values.get("groups", {}).items()}
    names = {*(person.name for person in people), *groups}
    for resource in resources:
        if resource.owner not in names:
            raise SeedError(f"{resource.name}: {resource.owner} is not among the users and groups")
        if resource.status not in STATUSES:
            raise SeedError(f"{resource.name}: status is one of {STATUSES}")
    return Seed(
        organisation=str(values.get("organisation", "acme")),
        dialect=dialect,
        page_size=int(values.get("page_size", 3 if dialect == "guide" else 100)),
        people=people,
        groups=groups,
        resources=resources,
    )
