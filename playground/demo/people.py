"""The people of the demonstration: each has an account of their own name at every provider."""

from __future__ import annotations

import json
from typing import Any

from playground.demo.kept import Kept
from playground.processes import HOME
from playground.slack.seed import PEOPLE

Json = dict[str, Any]

#: Everybody who sits at a browser: the names of their accounts, by their ids in Slack.
NAMES: dict[str, str] = {one["id"]: one["name"] for one in PEOPLE if not one.get("is_bot")}
#: Who has the workspaces and rights of whom in the servers' own seeds.
_STAND_FOR = {"alice": "olivia", "bob": "chen", "carol": "tara"}
_ADMINISTRATORS = {"saturn": "admin", "posit": "erik", "jupyterhub": ""}
#: Where a seed names somebody.
_OWNERS = ("owner", "user")


def seeds(kept: Kept) -> dict[str, Json]:
    """Return what each provider's server starts with, by its name: its own seed with these people."""
    made = {server: _with_people(server, kept) for server in _ADMINISTRATORS}
    made["jupyterhub"]["oauth_client_secret"] = kept.token("jupyterhub", "client")
    sphere = _seed("sphere")
    made["sphere"] = {
        **sphere,
        "access_token": kept.token("sphere", "access"),
        "webhook_secret": kept.token("sphere", "webhook"),
    }
    return made


def _with_people(server: str, kept: Kept) -> Json:
    values, known = _seed(server), {**_STAND_FOR, _ADMINISTRATORS[server]: "amir"}
    users = [{**user, "name": known.get(user["name"], user["name"])} for user in values["users"]]
    there = {user["name"] for user in users}
    users += [{"name": name, "admin": name == "amir"} for name in NAMES.values() if name not in there]
    for user in users:
        user["password"] = kept.password(server, user["name"])
        user["token"] = kept.token(server, user["name"])
    made: Json = {name: _renamed(entries, known) for name, entries in values.items()} | {"users": users}
    for token in made.get("tokens", []):
        token["token"] = kept.token(server, "token", token["name"])
    return made


def _renamed(entries: Any, known: dict[str, str]) -> Any:
    """Return a seed's entries with each owner under their name here."""
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        return entries
    return [
        {key: known.get(value, value) if key in _OWNERS else value for key, value in one.items()}
        for one in entries
    ]


def _seed(server: str) -> Json:
    path = HOME / "playground" / server / "default_seed.json"
    values: Json = json.loads(path.read_text(encoding="utf-8"))
    return values
