"""The initial data of a local Workbench, from JSON: people, tokens, clusters, scripts, sessions and jobs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.posit.scripts import Rule, build_script
from playground.posit.settings import Settings
from playground.values import SeedError, checked, read_seed, record

STATES = ("launching", "running", "suspended", "finished", "failed", "killed")
KINDS = ("user", "admin", "super-admin")
ACCESSES = ("read", "write", "read-write")
_DEFAULT = Path(__file__).with_name("default_seed.json")
_KNOWN = {
    "users",
    "tokens",
    "clusters",
    "workbenches",
    "version",
    "features",
    "scripts",
    "sessions",
    "jobs",
    "settings",
}


@dataclass(frozen=True, slots=True)
class PersonSeed:
    """A person. Values that aren't set here are random at each start."""

    name: str
    admin: bool = False
    super_admin: bool = False
    active: bool = True
    token: str | None = None
    password: str | None = None
    maximums: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenSeed:
    """An API token, in addition to each person's own."""

    name: str
    kind: str
    user: str
    access: str = "read-write"
    token: str | None = None


@dataclass(frozen=True, slots=True)
class SessionSeed:
    """A session that exists at the start."""

    owner: str
    name: str
    workbench: str = "RStudio"
    state: str = "running"
    cluster: str = "Local"


@dataclass(frozen=True, slots=True)
class JobSeed:
    """A job that was submitted ``age`` seconds before the start."""

    owner: str
    name: str
    command: str = ""
    exe: str = ""
    args: tuple[str, ...] = ()
    cluster: str = "Local"
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class Seed:
    """A server's initial data. Clusters and workbenches are in the API's format."""

    people: tuple[PersonSeed, ...]
    tokens: tuple[TokenSeed, ...]
    clusters: tuple[dict[str, Any], ...]
    workbenches: dict[str, Any]
    version: dict[str, str]
    features: tuple[str, ...]
    rules: tuple[Rule, ...]
    sessions: tuple[SessionSeed, ...]
    jobs: tuple[JobSeed, ...]
    settings: dict[str, Any]


def load(path: Path | None = None) -> Seed:
    """Read a seed file, or this package's default seed; raise SeedError if it is invalid."""
    return read_seed(path or _DEFAULT, parse)


def parse(values: Any) -> Seed:
    """Return the seed in JSON values; raise SeedError if they are invalid.

    Clusters, workbenches, version, features and scripts default to those of this package's own seed.
    """
    values = checked(values, _KNOWN)
    common = json.loads(_DEFAULT.read_text(encoding="utf-8"))
    whole = {**{name: common[name] for name in ("clusters", "workbenches", "version", "features")}, **values}
    whole.setdefault("scripts", common["scripts"])
    for cluster in whole["clusters"]:
        if not isinstance(cluster, dict) or not isinstance(cluster.get("name"), str):
            raise SeedError(f"a cluster is an object with a name: {cluster!r}")
    seed = Seed(
        people=tuple(record(PersonSeed, entry) for entry in whole.get("users", [])),
        tokens=tuple(record(TokenSeed, entry) for entry in whole.get("tokens", [])),
        clusters=tuple(whole["clusters"]),
        workbenches=dict(whole["workbenches"]),
        version=dict(whole["version"]),
        features=tuple(whole["features"]),
        rules=tuple(_rule(entry) for entry in whole["scripts"]),
        sessions=tuple(record(SessionSeed, entry) for entry in whole.get("sessions", [])),
        jobs=tuple(record(JobSeed, entry) for entry in whole.get("jobs", [])),
        settings=dict(whole.get("settings", {})),
    )
    _check(seed)
    return seed


def _check(seed: Seed) -> None:
    names = {person.name for person in seed.people}
    clusters = {str(cluster.get("name")) for cluster in seed.clusters}
    for token in seed.tokens:
        if token.user not in names:
            raise SeedError(f"{token.name}: {token.user} is not among the users")
        if token.kind not in KINDS or token.access not in ACCESSES:
            raise SeedError(f"{token.name}: kind is one of {KINDS}, access one of {ACCESSES}")
    entries: tuple[SessionSeed | JobSeed, ...] = (*seed.sessions, *seed.jobs)
    for entry in entries:
        if entry.owner not in names:
            raise SeedError(f"{entry.name}: {entry.owner} is not among the users")
        if entry.cluster not in clusters:
            raise SeedError(f"{entry.name}: {entry.cluster} is not among the clusters")
    for session in seed.sessions:
        if session.state not in STATES:
            raise SeedError(f"{session.name}: state is one of {STATES}")
    try:
        Settings().change(seed.settings)
    except SeedError as error:
        raise SeedError(f"settings: {error}") from error


def _rule(entry: Any) -> Rule:
    if not isinstance(entry, dict) or not isinstance(entry.get("match"), str):
        raise SeedError("a script is an object with match")
    try:
        rest = {key: value for key, value in entry.items() if key != "match"}
        return Rule(re.compile(entry["match"]), build_script(rest))
    except (ValueError, re.error) as error:
        raise SeedError(f"{entry['match']}: {error}") from error
