"""The initial state of a workspace: the made-up people and channels, or those in a seed file."""

from __future__ import annotations

import secrets
from typing import Any

from playground.harness import Clock
from playground.slack.records import App, Channel, Json, Person, Team, Token
from playground.slack.state import SLACKBOT, State
from playground.values import SeedError, checked, record

#: The scopes in Usher's manifest. ``app.scopes`` in a seed replaces them.
SCOPES = [
    "app_mentions:read", "channels:read", "chat:write", "commands", "files:write", "groups:read",
    "im:history", "im:read", "im:write", "links:read", "usergroups:read", "users:read",
]  # fmt: skip

EVENTS = [
    "app_home_opened", "app_mention", "app_uninstalled", "channel_id_changed", "link_shared", "message.im",
    "team_join", "tokens_revoked", "user_change",
]  # fmt: skip

PEOPLE: list[Json] = [
    {"id": "U0OLIVIA", "name": "olivia", "real_name": "Olivia Osei", "role": "data scientist",
     "title": "Data scientist", "color": "4f46e5"},
    {"id": "U0CHEN", "name": "chen", "real_name": "Chen Wei", "role": "data engineer",
     "title": "Data engineer", "color": "0d9488",
     "tz": "Asia/Singapore", "tz_label": "Singapore Standard Time", "tz_offset": 28800},
    {"id": "U0TARA", "name": "tara", "real_name": "Tara Lindqvist", "role": "trainee", "title": "Trainee",
     "color": "d97706"},
    {"id": "U0AMIR", "name": "amir", "real_name": "Amir Haddad", "role": "administrator", "is_admin": True,
     "is_owner": True, "is_primary_owner": True, "title": "Platform lead", "color": "be123c"},
    {"id": "U0GRETA", "name": "greta", "real_name": "Greta Novak", "role": "guest", "is_restricted": True,
     "title": "Consultant", "color": "7c3aed"},
    {"id": "U0PAVEL", "name": "pavel", "real_name": "Pavel Ivanov", "role": "other organisation",
     "team_id": "T0PARTNER", "title": "Partner analyst", "color": "475569"},
    {"id": "U0ROBOT", "name": "deploys", "real_name": "Deploy Robot", "role": "another bot", "is_bot": True,
     "bot_id": "B0ROBOT", "color": "64748b"},
]  # fmt: skip

CHANNELS: list[Json] = [
    {"id": "C0GENERAL", "name": "general", "topic": "Everybody",
     "members": ["U0OLIVIA", "U0CHEN", "U0TARA", "U0AMIR", "U0ROBOT", "@bot"]},
    {"id": "C0SCIENCE", "name": "data-science", "topic": "Shared with Partner Labs",
     "shared_with": ["T0PARTNER"], "members": ["U0OLIVIA", "U0CHEN", "U0AMIR", "U0GRETA", "U0PAVEL", "@bot"]},
    {"id": "C0TRAINING", "name": "training", "topic": "Courses",
     "members": ["U0OLIVIA", "U0TARA", "U0AMIR", "U0GRETA", "@bot"]},
    {"id": "C0QUIET", "name": "quiet", "topic": "The bot is not a member here",
     "members": ["U0OLIVIA", "U0CHEN", "U0AMIR"]},
]  # fmt: skip

_KNOWN = ("team", "teams", "app", "people", "channels", "groups", "bot_token", "app_token")


def _app(values: Json, environment: dict[str, str]) -> App:
    values = dict(values)
    commands = values.pop("commands", ["/workspace", "/job"])
    made: Json = {
        "id": "A0USHER",
        "name": "Usher",
        "bot_user": "U0USHER",
        "bot_id": "B0USHER",
        "client_id": environment.get("SLACK_CLIENT_ID")
        or f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}",
        "client_secret": environment.get("SLACK_CLIENT_SECRET") or secrets.token_hex(16),
        "signing_secret": environment.get("SLACK_SIGNING_SECRET") or secrets.token_hex(16),
        "verification_token": secrets.token_hex(12),
        "scopes": list(SCOPES),
        "events": set(EVENTS),
        **values,
    }
    made["events"] = set(made["events"])
    made["commands"] = commands_of(commands)
    return record(App, made)


def commands_of(values: Any) -> dict[str, Json]:
    """Read commands from a list of names, or from a table of names and their options (``should_escape``)."""
    if isinstance(values, dict):
        return {name: dict(options) for name, options in values.items()}
    return {str(name): {} for name in values}


def plant(clock: Clock, seed: Json | None = None, environment: dict[str, str] | None = None) -> State:
    """Create the workspace. The seed may have team, teams, app, people, channels, bot_token and app_token.

    ``people`` and ``channels`` replace the made-up ones. Among a channel's members, ``@bot`` means the bot.
    Unknown keys raise SeedError.
    """
    try:
        return _planted(clock, checked(seed or {}, _KNOWN), environment or {})
    except SeedError as error:
        raise SeedError(f"seed: {error}") from error


def _planted(clock: Clock, seed: Json, environment: dict[str, str]) -> State:
    team = record(Team, {"id": "T0ACME", "domain": "acme", "name": "Acme Research", **seed.get("team", {})})
    state = State(clock, team, _app(seed.get("app", {}), environment))
    others = seed.get("teams", [{"id": "T0PARTNER", "domain": "partner", "name": "Partner Labs"}])
    state.teams |= {other["id"]: record(Team, other) for other in others}
    now = int(clock.now())
    _people(state, seed.get("people", PEOPLE), now)
    state.groups = {group: set(people) for group, people in seed.get("groups", {}).items()}
    for entry in seed.get("channels", CHANNELS):
        members = {state.app.bot_user if m == "@bot" else m for m in entry.get("members", [])}
        channel = record(Channel, {"created": now, **entry, "members": members})
        state.channels[channel.id], state.messages[channel.id] = channel, []
    _tokens(state, seed, environment)
    return state


def _people(state: State, people: list[Json], now: int) -> None:
    domains = {team.id: team.domain for team in state.teams.values()}
    for entry in people:
        person = record(Person, {"team_id": state.team.id, "updated": now, **entry})
        person.email = person.email or f"{person.name}@{domains.get(person.team_id, 'example')}.example"
        state.people[person.id] = person
    app = state.app
    state.people[app.bot_user] = Person(
        app.bot_user, app.name.lower(), app.name, state.team.id,
        role="bot", is_bot=True, bot_id=app.bot_id, color="1f2937", updated=now,
    )  # fmt: skip
    state.people[SLACKBOT] = Person(
        SLACKBOT, "slackbot", "Slackbot", state.team.id, role="bot", color="757575", updated=now
    )


def _tokens(state: State, seed: Json, environment: dict[str, str]) -> None:
    digits = f"{secrets.randbelow(10**12):012d}"
    bot = seed.get("bot_token") or environment.get("SLACK_BOT_TOKEN")
    bot = bot or f"xoxb-{digits}-{secrets.randbelow(10**12):012d}-{secrets.token_urlsafe(18)}"
    app = seed.get("app_token") or environment.get("SLACK_APP_TOKEN")
    app = app or f"xapp-1-{state.app.id}-{digits}-{secrets.token_hex(32)}"
    state.tokens[bot] = Token(bot, "bot", state.app.bot_user, tuple(state.app.scopes))
    state.tokens[app] = Token(app, "app", None, ("connections:write",))
