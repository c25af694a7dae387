"""users.list, users.info and usergroups.users.list."""

from __future__ import annotations

from playground.slack import shapes
from playground.slack.calls import Call, page
from playground.slack.errors import SlackError
from playground.slack.methods.table import method
from playground.slack.records import Json


def _with_email(call: Call) -> bool:
    return call.token is not None and "users:read.email" in call.token.scopes


@method("users.list", scope="users:read")
async def list_users(call: Call) -> Json:
    """List the workspace's people, even deleted ones, but not those of other organisations."""
    team = call.state.team.id
    if call.state.app.is_enterprise_install:
        call.need("team_id")
        team = call.text("team_id")
    people = [p for p in call.state.people.values() if p.team_id == team]
    found, cursor = page(people, call.text("cursor"), call.number("limit", 1000, 1000))
    shown = [
        shapes.user(call.state, p, email=_with_email(call), locale=call.flag("include_locale")) for p in found
    ]
    now = int(call.state.clock.now())
    return {"members": shown, "cache_ts": now, "response_metadata": {"next_cursor": cursor}}


@method("users.info", scope="users:read")
async def info(call: Call) -> Json:
    """Return a person, who may belong to another organisation."""
    call.need("user")
    person = call.state.person(call.text("user"))
    return {
        "user": shapes.user(call.state, person, email=_with_email(call), locale=call.flag("include_locale"))
    }


@method("usergroups.users.list", scope="usergroups:read")
async def list_group(call: Call) -> Json:
    """List the members of a user group; raise ``no_such_subteam`` if the group doesn't exist."""
    call.need("usergroup")
    if call.state.app.is_enterprise_install:
        call.need("team_id")
    group = call.text("usergroup")
    if group not in call.state.groups:
        raise SlackError("no_such_subteam")
    return {"users": sorted(call.state.groups[group])}
