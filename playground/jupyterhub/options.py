"""The options of a local JupyterHub: its people, their named servers, and its limits, checked when read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.values import SeedError, checked, field_names, read_seed, record

_DEFAULT = Path(__file__).with_name("default_seed.json")


@dataclass(frozen=True, slots=True)
class Person:
    """A person. Values that aren't set here are random at each start."""

    name: str
    password: str | None = None
    token: str | None = None
    admin: bool = False
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a hub. A limit of 0 means no limit; ``pause_seconds`` is how long each spawn is pending.

    If all ``gpus`` are in use, another spawn waits like a pod that can't be scheduled, then fails. With
    ``subdomains``, each person's servers have a host of their own, NAME.localhost. With an
    ``oauth_redirect_uri``, the hub has an OAuth client, whose secret is random unless it is set. ``python``
    is the interpreter of another environment, whose release of JupyterHub is run instead of this
    environment's.
    """

    users: tuple[Person, ...] = field(default=())
    pause_seconds: float = 2.0
    named_server_limit: int = 5
    concurrent_spawn_limit: int = 20
    active_server_limit: int = 0
    gpus: int = 0
    light: bool = False
    subdomains: bool = False
    oauth_redirect_uri: str = ""
    oauth_client_secret: str = ""
    account: str = "nobody"
    python: str = ""


def load(path: Path | None = None) -> Options:
    """Read a seed file, or this package's default seed; raise SeedError if it is invalid."""
    return read_seed(path or _DEFAULT, parse)


def parse(values: Any) -> Options:
    """Return the options in a seed given as JSON values; raise SeedError if it is invalid."""
    values = checked(values, field_names(Options))
    users = tuple(record(Person, entry) for entry in values.get("users", []))
    if not all(person.name for person in users):
        raise SeedError("a user has no name")
    return Options(**{**values, "users": users})
