"""The people in the demo, each of whom has an account in their own name at every provider."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playground.demo.kept import Kept
from playground.processes import HOME
from playground.slack.seed import PEOPLE

Json = dict[str, Any]

#: Maps the Slack id of each person to the username of their accounts.
NAMES: dict[str, str] = {one["id"]: one["name"] for one in PEOPLE if not one.get("is_bot")}
#: The demo's own values for each provider's seed. The rest, such as clusters and limits, is the server's
#: default.
_TEAM = Path(__file__).with_name("seed.json")


def seeds(kept: Kept) -> dict[str, Json]:
    """Return the seed of each provider's server, by the server's name."""
    team = json.loads(_TEAM.read_text(encoding="utf-8"))
    made = {server: _default(server) | values for server, values in team.items()}
    for server in ("saturn", "jupyterhub", "posit"):
        _give_accounts(made[server], server, kept)
    made["jupyterhub"]["oauth_client_secret"] = kept.token("jupyterhub", "client")
    made["sphere"]["access_token"] = kept.token("sphere", "access")
    made["sphere"]["webhook_secret"] = kept.token("sphere", "webhook")
    return made


def _give_accounts(seed: Json, server: str, kept: Kept) -> None:
    users = seed["users"]
    there = {user["name"] for user in users}
    users += [{"name": name} for name in NAMES.values() if name not in there]
    for user in users:
        user["password"] = kept.password(server, user["name"])
        user["token"] = kept.token(server, user["name"])
    for token in seed.get("tokens", []):
        token["token"] = kept.token(server, "token", token["name"])


def _default(server: str) -> Json:
    path = HOME / "playground" / server / "default_seed.json"
    values: Json = json.loads(path.read_text(encoding="utf-8"))
    return values
