"""The payloads that Slack sends, with all documented fields."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass

from playground.slack import shapes
from playground.slack.records import Channel, Json, Message, Team, View
from playground.slack.state import State


@dataclass(frozen=True, slots=True)
class Retry:
    """The number of an event's retry, and the reason for it."""

    number: int
    reason: str


def _team_of(state: State, user: str) -> Team:
    """Return a person's workspace. If the app is installed in a whole enterprise, it is the person's own."""
    own = state.teams.get(state.people[user].team_id)
    return own if own is not None and state.app.is_enterprise_install else state.team


def command(state: State, user: str, channel: Channel, name: str, text: str) -> Json:
    """Return the fields of a slash command's form."""
    person, team = state.people[user], _team_of(state, user)
    shown = {"im": "directmessage", "group": "privategroup"}.get(channel.kind, channel.name)
    made: Json = {
        "token": state.app.verification_token,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": shown,
        "user_id": user,
        "user_name": person.name,
        "command": name,
        "text": text,
        "api_app_id": state.app.id,
        "is_enterprise_install": "true" if state.app.is_enterprise_install else "false",
        "response_url": state.new_response_url("commands", channel.id, user),
        "trigger_id": state.new_trigger(user, channel=channel.id),
    }
    if team.enterprise_id:
        made |= {"enterprise_id": team.enterprise_id, "enterprise_name": team.enterprise_name or ""}
    return made


def interaction(state: State, kind: str, user: str) -> Json:
    """Return the fields that all interactive payloads share. ``user.team_id`` is the person's own team."""
    person, team = state.people[user], state.team
    shown: Json = {"id": team.id, "domain": team.domain}
    if team.enterprise_id:
        shown |= {"enterprise_id": team.enterprise_id, "enterprise_name": team.enterprise_name}
    return {
        "type": kind,
        "user": {"id": user, "username": person.name, "name": person.name, "team_id": person.team_id},
        "api_app_id": state.app.id,
        "token": state.app.verification_token,
        "team": None if state.app.is_enterprise_install else shown,
        "enterprise": team.enterprise(),
        "is_enterprise_install": state.app.is_enterprise_install,
    }


def shortcut(state: State, user: str, callback_id: str) -> Json:
    """Return the payload of a global shortcut. It has no conversation and therefore no response_url."""
    base = interaction(state, "shortcut", user)
    who = {key: base["user"][key] for key in ("id", "username", "team_id")}
    kept = {key: base[key] for key in ("type", "token", "team", "enterprise", "is_enterprise_install")}
    return {
        **kept,
        "user": who,
        "callback_id": callback_id,
        "action_ts": state.new_ts(),
        "trigger_id": state.new_trigger(user),
    }


def message_action(state: State, user: str, callback_id: str, channel: Channel, message: Message) -> Json:
    """Return the payload of a message shortcut, with the whole message, no matter who wrote it."""
    place = on_message(state, channel, message)
    return {
        **shortcut(state, user, callback_id),
        "type": "message_action",
        "user": interaction(state, "message_action", user)["user"],
        "message_ts": message.ts,
        "channel": place["channel"],
        "message": place["message"],
        "trigger_id": state.new_trigger(user, channel=channel.id),
        "response_url": state.new_response_url("app", channel.id, user),
    }


def on_message(state: State, channel: Channel, message: Message) -> Json:
    """Return the part of a payload that describes the message whose button or menu was used."""
    hidden = message.only_for is not None
    shown = {"im": "directmessage", "group": "privategroup"}.get(channel.kind, channel.name)
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": hidden,
    }
    shown_message = {**message.to_json(), **shapes.thread_of(state, message)}
    if "thread_ts" in shown_message:
        container["thread_ts"] = shown_message["thread_ts"]
    made: Json = {"container": container, "channel": {"id": channel.id, "name": shown}}
    if not hidden:
        made["message"] = shown_message
    return made


def on_view(state: State, view: View) -> Json:
    """Return the part of a payload that describes the view in which something was pressed."""
    return {"container": {"type": "view", "view_id": view.id}, "view": view.to_json(state.app, state.team)}


def callback(state: State, event: Json, *, shared: bool = False) -> Json:
    """Wrap an event in the format in which the Events API delivers it."""
    team, app = state.team, state.app
    installed = {
        "enterprise_id": team.enterprise_id,
        "team_id": None if app.is_enterprise_install else team.id,
        "user_id": app.bot_user,
        "is_bot": True,
        "is_enterprise_install": app.is_enterprise_install,
    }
    made: Json = {
        "token": app.verification_token,
        "team_id": team.id,
        "context_team_id": team.id,
        "context_enterprise_id": team.enterprise_id,
        "api_app_id": app.id,
        "event": event,
        "type": "event_callback",
        "event_id": state.new_id("Ev"),
        "event_time": int(state.clock.now()),
        "authorizations": [installed],
        "is_ext_shared_channel": shared,
        "event_context": f"4-{secrets.token_urlsafe(24)}",
    }
    if team.enterprise_id:
        made["enterprise_id"] = team.enterprise_id
    return made


def spoken(state: State, message: Message, channel: Channel, kind: str) -> Json:
    """Return the event for a person's message: ``message`` or ``app_mention``."""
    person = state.people[message.user]
    made: Json = {
        "type": kind,
        "user": message.user,
        "ts": message.ts,
        "client_msg_id": message.client_msg_id,
        "text": message.text,
        "team": person.team_id,
        "user_team": person.team_id,
        "source_team": person.team_id,
        "blocks": message.blocks or [],
        "channel": channel.id,
        "event_ts": message.ts,
    }
    if kind == "message":
        made["channel_type"] = channel.kind
    if message.thread_ts:
        made["thread_ts"] = message.thread_ts
    root = state.message(channel.id, message.thread_ts or "")
    if message.reply_broadcast and kind == "message" and root is not None:
        made |= {"subtype": "thread_broadcast", "root": {**root.to_json(), **shapes.thread_of(state, root)}}
    if message.bot_id:
        made |= {"bot_id": message.bot_id, "app_id": message.app_id}
    return made


def own(state: State, what: str, message: Message, before: Json | None, channel: Channel) -> Json:
    """Return the event for a message that the app itself posted, changed or deleted."""
    shared: Json = {"type": "message", "channel": channel.id, "channel_type": channel.kind}
    if what == "posted":
        profile = {
            "id": state.app.bot_id,
            "app_id": state.app.id,
            "name": state.app.name,
            "team_id": state.team.id,
        }
        made = {**message.to_json(), **shared, "bot_profile": profile, "event_ts": message.ts}
        return {**made, "subtype": "file_share"} if message.files else made
    ts = message.edited["ts"] if what == "changed" and message.edited else state.new_ts()
    made = {**shared, "subtype": f"message_{what}", "hidden": True, "ts": ts, "event_ts": ts}
    made["previous_message"] = before
    return {**made, "message": message.to_json()} if what == "changed" else {**made, "deleted_ts": message.ts}


def rich_text(text: str) -> list[Json]:
    """Return the blocks that Slack's composer adds to typed text."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return [{"type": "rich_text", "block_id": secrets.token_urlsafe(4), "elements": [section]}]


def new_message_id() -> str:
    """Return a client_msg_id."""
    return str(uuid.uuid4())
