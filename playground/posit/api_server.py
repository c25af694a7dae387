"""The API methods about the server: get_compute_envs, version, get_users."""

from __future__ import annotations

from typing import Any

from playground.posit import parameters
from playground.posit.calls import Call
from playground.posit.errors import DenialError
from playground.posit.jobs import timestamp

Values = dict[str, Any]


async def get_compute_envs(call: Call) -> Values:
    """Return the clusters and IDEs available to a person."""
    return call.state.environments.shown(call.reader_of(parameters.text(call.values, "user")))


async def version(call: Call) -> Values:
    """Return the version and features. Any kind of token will do."""
    return call.state.version


async def get_users(call: Call) -> list[Values]:
    """Answer all people, for administrators."""
    if not call.token.reads_others():
        raise DenialError("An admin or super-admin API token with read access is required")
    return [
        {
            "username": person.name,
            "status": "Active" if person.active else "Inactive",
            "isAdmin": person.admin,
            "isSuperAdmin": person.super_admin,
            "uid": person.uid,
            "lastSignIn": timestamp(person.last_sign_in),
            "created": timestamp(person.created),
        }
        for person in call.state.accounts.people.values()
    ]
