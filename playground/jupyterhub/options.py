"""What a local JupyterHub starts with: its people, their named servers, its limits; from JSON, checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

_DEFAULT = Path(__file__).with_name("default_seed.json")


class SeedError(ValueError):
    """Say what in a seed cannot be understood."""


@dataclass(frozen=True, slots=True)
class Person:
    """Describe a person; without a password here it is random at every start."""

    name: str
    password: str | None = None
    admin: bool = False
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """Describe a hub. Limits of 0 mean none; ``pause_seconds`` is how long every spawn stays pending."""

    users: tuple[Person, ...] = field(default=())
    pause_seconds: float = 2.0
    named_server_limit: int = 5
    concurrent_spawn_limit: int = 20
    active_server_limit: int = 0
    light: bool = False
    oauth_redirect_uri: str = ""
    account: str = "nobody"


def load(path: Path | None = None) -> Options:
    """Read a seed file, or the one that comes with the package; raise SeedError."""
    try:
        return parse(json.loads((path or _DEFAULT).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise SeedError(f"{path or _DEFAULT}: {error}") from error


def parse(told: Any) -> Options:
    """Check a seed given as JSON values; raise SeedError for what cannot be understood."""
    if not isinstance(told, dict):
        raise SeedError("a seed is an object")
    _refuse_unknown(told, Options, "the seed")
    users = []
    for entry in told.get("users", []):
        if not isinstance(entry, dict) or not entry.get("name"):
            raise SeedError(f"{entry!r} is not a user with a name")
        _refuse_unknown(entry, Person, entry["name"])
        users.append(replace(Person(**entry), servers=tuple(entry.get("servers", ()))))
    return Options(**{**told, "users": tuple(users)})


def _refuse_unknown(told: dict[str, Any], kind: Any, where: str) -> None:
    unknown = sorted(set(told) - {known.name for known in fields(kind)})
    if unknown:
        raise SeedError(f"{where}: unknown: {unknown}")
