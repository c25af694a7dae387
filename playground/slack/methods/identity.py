"""Identity and connections: api.test, auth.*, bots.info, apps.connections.open."""

from __future__ import annotations

from playground.slack.calls import Call, page
from playground.slack.errors import SlackError
from playground.slack.methods.table import method
from playground.slack.records import Json


@method("api.test", kinds=())
async def api_test(call: Call) -> Json:
    """Return the arguments. If ``error`` is given, raise that error."""
    if call.arguments.get("error"):
        raise SlackError(str(call.arguments["error"]), args=call.arguments)
    return {"args": call.arguments} if call.arguments else {}


@method("auth.test", kinds=("bot", "user"))
async def auth_test(call: Call) -> Json:
    """Return whose token this is."""
    state, token = call.state, call.token
    person = state.person(token.user if token else None)
    answer: Json = {
        "url": f"https://{state.team.domain}.slack.com/",
        "team": state.team.name,
        "user": person.name,
        "team_id": state.team.id,
        "user_id": person.id,
        "is_enterprise_install": state.app.is_enterprise_install,
    }
    if person.bot_id:
        answer["bot_id"] = person.bot_id
    if state.team.enterprise_id:
        answer["enterprise_id"] = state.team.enterprise_id
    return answer


@method("auth.teams.list")
async def teams_list(call: Call) -> Json:
    """List the workspaces in which the app may be used: its own, or all of its enterprise."""
    state = call.state
    teams = [
        {"id": team.id, "name": team.name}
        for team in state.teams.values()
        if team.id == state.team.id
        or (state.app.is_enterprise_install and team.enterprise_id == state.team.enterprise_id)
    ]
    found, cursor = page(teams, call.text("cursor"), call.number("limit", 100, 1000))
    return {"teams": found, "response_metadata": {"next_cursor": cursor}}


@method("auth.revoke", kinds=("bot", "user", "app"))
async def revoke(call: Call) -> Json:
    """Revoke the token. With ``test``, only pretend to."""
    if call.flag("test") or call.token is None:
        return {"revoked": False}
    call.token.revoked = True
    return {"revoked": True}


@method("bots.info", scope="users:read")
async def bots_info(call: Call) -> Json:
    """Describe the bot."""
    app = call.state.app
    if call.text("bot", app.bot_id) != app.bot_id:
        raise SlackError("bot_not_found")
    bot = {
        "id": app.bot_id,
        "deleted": False,
        "name": app.name,
        "updated": call.state.people[app.bot_user].updated,
        "app_id": app.id,
        "user_id": app.bot_user,
        "icons": {},
    }
    return {"bot": bot}


@method("apps.connections.open", kinds=("app",), scope="connections:write")
async def connections_open(call: Call) -> Json:
    """Create a single-use URL for a Socket Mode connection."""
    return {"url": call.services.socket_url()}
