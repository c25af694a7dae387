"""Sets the app up from its manifest, as Slack does: grants, sends and enables only what it asks for."""

from __future__ import annotations

import json

from playground.slack.records import Json
from playground.slack.state import State


def read(text: str) -> Json:
    """Read a manifest in JSON or, if PyYAML is installed, YAML; raise ValueError if it is invalid."""
    try:
        manifest = json.loads(text)
    except ValueError:
        manifest = _read_yaml(text)
    if not isinstance(manifest, dict) or "display_information" not in manifest:
        raise ValueError("the manifest has no display_information")
    return manifest


def apply(state: State, manifest: Json) -> None:
    """Apply a manifest's names, commands, scopes, events and URLs. The bot's token gets the scopes, too."""
    app = state.app
    features, oauth = manifest.get("features") or {}, manifest.get("oauth_config") or {}
    settings, home = manifest.get("settings") or {}, features.get("app_home") or {}
    subscriptions = settings.get("event_subscriptions") or {}
    app.name = manifest["display_information"]["name"]
    state.people[app.bot_user].real_name = app.name
    state.people[app.bot_user].name = (features.get("bot_user") or {}).get("display_name", app.name.lower())
    app.commands = {one["command"]: dict(one) for one in features.get("slash_commands") or []}
    app.shortcuts = {one["callback_id"]: dict(one) for one in features.get("shortcuts") or []}
    app.unfurl_domains = list(features.get("unfurl_domains") or [])
    app.scopes = list((oauth.get("scopes") or {}).get("bot") or [])
    app.user_scopes = list((oauth.get("scopes") or {}).get("user") or [])
    app.redirect_urls = list(oauth.get("redirect_urls") or [])
    app.events = set(subscriptions.get("bot_events") or [])
    app.home_tab = bool(home.get("home_tab_enabled", False))
    app.messages_tab = bool(home.get("messages_tab_enabled", False))
    app.token_rotation = bool(settings.get("token_rotation_enabled", False))
    servers = (manifest.get("mcp_servers") or {}).values() if "mcp:connect" in app.scopes else ()
    signed = [one["url"] for one in servers if one.get("auth_type") == "slack_identity_auth"]
    app.assistant_url = signed[0] if signed else None
    if not settings.get("socket_mode_enabled"):
        app.request_url = subscriptions.get("request_url", app.request_url)
    for token in state.tokens.values():
        if token.kind == "bot":
            token.scopes = tuple(app.scopes)
    state.changed()


def _read_yaml(text: str) -> object:
    try:
        import yaml  # noqa: PLC0415 - only the extra demo has it
    except ImportError:
        wish = "it isn't JSON, and YAML needs PyYAML, which the extra demo installs"
        raise ValueError(f"the manifest can't be read: {wish}") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"the manifest can't be read: {error}") from None
