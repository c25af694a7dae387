"""The options of a local JupyterHub: its people, their named servers, its limits; checked JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.values import SeedError, checked, field_names, read_seed, record

_DEFAULT = Path(__file__).with_name("default_seed.json")


@dataclass(frozen=True, slots=True)
class Person:
    """Describe a person; what is not fixed here is random at every start."""

    name: str
    password: str | None = None
    token: str | None = None
    admin: bool = False
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """Describe a hub. Limits of 0 mean none; ``pause_seconds`` is how long every spawn stays pending.

    Beyond ``gpus`` a spawn waits as a pod does that can't be scheduled, and fails. With ``subdomains`` each
    person's servers are on a host of their own, NAME.localhost. With an ``oauth_redirect_uri`` it has an
    OAuth client, whose secret is random unless it is given. ``python`` is the interpreter of another
    environment, whose release of JupyterHub runs instead of our own.
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
    """Read a seed file, or the one that comes with the package; raise SeedError."""
    return read_seed(path or _DEFAULT, parse)


def parse(values: Any) -> Options:
    """Check a seed given as JSON values; raise SeedError for what cannot be understood."""
    values = checked(values, field_names(Options))
    users = tuple(record(Person, entry) for entry in values.get("users", []))
    if not all(person.name for person in users):
        raise SeedError("a user has no name")
    return Options(**{**values, "users": users})
