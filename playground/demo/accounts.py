"""Each person's accounts at the providers, as listed on the local Slack's page."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from playground.demo.guests import Guest
from playground.demo.people import NAMES

Json = dict[str, Any]

#: Maps each person's Slack id to a sentence that describes their role in the demo.
_PARTS = {
    "U0OLIVIA": "Has workspaces on every provider.",
    "U0CHEN": "A colleague with workspaces of his own. He can't open Olivia's.",
    "U0TARA": "A trainee with an account on every provider, for classes.",
    "U0AMIR": "Usher's admin: approves links, sees how everything is used.",
    "U0GRETA": "A guest of this Slack workspace. Usher refuses guests, even with accounts like these.",
    "U0PAVEL": "From another organisation, here by Slack Connect. Slack offers him no commands, and Usher "
    "refuses what he writes.",
}
_ADMIN = "U0AMIR"


def accounts(servers: dict[str, Json], guests: Collection[Guest] = ()) -> Json:
    """Return each person's accounts, by Slack id; ``servers`` maps each server's name to its ready line."""
    return {
        user: {
            "part": _PARTS.get(user, ""),
            "accounts": [*_of(user, name, servers), *(_at(one, name, servers[one.name]) for one in guests)],
        }
        for user, name in NAMES.items()
    }


def sign_outs(servers: dict[str, Json]) -> list[list[str]]:
    """Return the method and URL that sign a browser out of each provider."""
    saturn, hub, posit = (servers[one]["url"] for one in ("saturn", "jupyterhub", "posit"))
    return [["POST", f"{saturn}/logout"], ["GET", f"{hub}/hub/logout"], ["POST", f"{posit}/auth-sign-out"]]


def _of(user: str, name: str, servers: dict[str, Json]) -> list[Json]:
    # On the hub, someone may still be signed in, so link to its logout page, which leads to the sign-in page.
    saturn, hub, posit, sphere = (servers[one] for one in ("saturn", "jupyterhub", "posit", "sphere"))
    shown = [
        _account("Saturn Cloud", f"{saturn['url']}/login", name, saturn),
        _account("Team hub", f"{hub['url']}/hub/logout", name, hub),
        _account("Workbench", f"{posit['url']}/auth-sign-in", name, posit),
        {
            "provider": "Courses",
            "note": "Sphere Engine needs no account: its workspaces open on a page of Usher's.",
        },
    ]
    if user == _ADMIN:
        shown[-1] |= {
            "note": "Sphere Engine needs no account. This token is in Usher's connections file.",
            "fields": [{"label": "Access token", "value": sphere["credentials"]["access_token"]}],
        }
    return shown


def _at(guest: Guest, name: str, server: Json) -> Json:
    token = server["credentials"]["users"][name]["token"]
    return {
        "provider": guest.title,
        "sign_in": f"{server['url']}{guest.sign_in}",
        "fields": [{"label": "Username", "value": name}, {"label": "Token (and password)", "value": token}],
    }


def _account(title: str, sign_in: str, name: str, server: Json) -> Json:
    given = server["credentials"]["users"][name]
    return {
        "provider": title,
        "sign_in": sign_in,
        "fields": [
            {"label": "Username", "value": name},
            {"label": "Password", "value": given["password"]},
            {"label": "Token", "value": given["token"]},
        ],
    }
