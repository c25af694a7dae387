"""What a person sees: conversations, unread messages, threads, the open modal, and the Home tab."""

from __future__ import annotations

import json

from playground.slack import inputs
from playground.slack.records import Channel, Json, Message, Person, View
from playground.slack.state import SLACKBOT, State

#: Number of messages shown per conversation, and number of replies shown in its threads.
SHOWN = 200
_EVERYBODY = ("<!channel", "<!here", "<!everyone")


def show(state: State, person: Person) -> Json:
    """Return everything that a person sees."""
    channels = [c for c in state.channels.values() if person.id in c.members]
    channels.sort(key=lambda c: (c.kind == "im", c.name))
    shown = [_channel(state, person, channel) for channel in channels]
    if not any(channel.kind == "im" for channel in channels) and not person.is_bot:
        # Before the direct message with the app exists, it has no id.
        shown.append({**_nothing_new(state.app.name, "im"), "id": state.app.bot_user, "topic": ""})
    modal, home = state.top_view(person.id), state.views.get(state.homes.get(person.id, ""))
    return {
        "ok": True,
        "version": state.version,
        "now": state.clock.now(),
        "team": {"id": state.team.id, "name": state.team.name, "domain": state.team.domain},
        "app": {
            "name": state.app.name,
            "bot_user": state.app.bot_user,
            "has_assistant": state.app.assistant_url is not None,
            "handle": state.people[state.app.bot_user].name,
            "commands": [
                {key: options.get(key) or "" for key in ("description", "usage_hint")} | {"command": name}
                for name, options in sorted(state.app.commands.items())
            ],
            "shortcuts": [
                {key: one[key] for key in ("callback_id", "name", "type")}
                for one in state.app.shortcuts.values()
            ],
        },
        "me": person.id,
        "sign_in_at": state.base_url,
        "people": [who(state, other) for other in state.people.values()],
        "channels": shown,
        "messages": {c.id: _messages(state, person, c) for c in channels},
        "view": None if modal is None else _view(state, modal),
        "home": None if home is None else _view(state, home),
    }


def who(state: State, person: Person) -> Json:
    """Return the details of a person that the page shows."""
    home = state.teams.get(person.team_id)
    return {
        "id": person.id,
        "name": person.name,
        "real_name": person.real_name,
        "role": person.role,
        "tz": person.tz,
        "team": home.name if home else person.team_id,
        "deleted": person.deleted,
        "is_bot": person.is_bot or person.id == SLACKBOT,
    }


def read(state: State, person: Person, channel: str, thread: str | None = None) -> None:
    """Record that a person has read a conversation, or one of its threads, to the end."""
    seen = state.visible(channel, person.id)
    mine = [m for m in seen if (m.thread_ts == thread if thread else state.is_in_channel(m))]
    key = (person.id, channel, thread)
    if mine and state.read_until.get(key) != mine[-1].ts:
        state.read_until[key] = mine[-1].ts
        state.changed()


def _nothing_new(name: str, kind: str) -> Json:
    return {"name": name, "kind": kind, "unread": 0, "badge": 0, "read": "0"}


def _channel(state: State, person: Person, channel: Channel) -> Json:
    until = state.read_until.get((person.id, channel.id, None), "0")
    seen = [m for m in state.visible(channel.id, person.id) if state.is_in_channel(m)]
    unread = _unread(person, seen, until)
    is_direct = channel.kind == "im"
    return {
        **_nothing_new(state.app.name if is_direct else channel.name, channel.kind),
        "id": channel.id,
        "topic": channel.topic,
        "shared": bool(channel.shared_with),
        "bot_is_member": state.app.bot_user in channel.members,
        "members": len(channel.members),
        "read": until,
        "unread": len(unread),
        # In a channel, Slack counts only messages that mention the person or everyone.
        "badge": len(unread) if is_direct else sum(_calls(person, message) for message in unread[-SHOWN:]),
    }


def _unread(person: Person, messages: list[Message], until: str) -> list[Message]:
    return [m for m in messages if m.user != person.id and m.ts > until]


def _calls(person: Person, message: Message) -> bool:
    words = message.text + json.dumps(message.blocks or [])
    return f"<@{person.id}" in words or any(call in words for call in _EVERYBODY)


def _messages(state: State, person: Person, channel: Channel) -> list[Json]:
    """Return the latest messages of a conversation and the latest replies to them, oldest first."""
    seen = state.visible(channel.id, person.id)
    known = {message.ts for message in seen}
    tops = [m for m in seen if state.is_in_channel(m) or m.thread_ts not in known][-SHOWN:]
    threads: dict[str, list[Message]] = {message.ts: [] for message in tops}
    for message in seen:
        if message.thread_ts in threads and message.ts != message.thread_ts:
            threads[message.thread_ts].append(message)
    replies = [one for thread in threads.values() for one in thread if one.ts not in threads]
    replies.sort(key=lambda one: one.ts)
    both = sorted([*tops, *replies[-SHOWN:]], key=lambda one: one.ts)
    return [_message(state, person, one, threads.get(one.ts, [])) for one in both]


def _message(state: State, person: Person, message: Message, replies: list[Message]) -> Json:
    entered = state.inputs.get((person.id, message.channel, message.ts), {})
    shown = {
        **message.to_json(),
        "ephemeral": message.only_for is not None,
        "from_slack": message.from_slack,
        "broadcast": message.reply_broadcast,
        "entered": inputs.state_values(message.blocks or [], entered),
    }
    said = [reply for reply in replies if reply.only_for is None]
    if said:
        until = state.read_until.get((person.id, message.channel, message.ts), "0")
        shown["replies"] = {
            "count": len(said),
            "unread": len(_unread(person, said, until)),
            "users": list(dict.fromkeys(reply.user for reply in said))[:5],
            "latest": said[-1].ts,
        }
    return shown


def _view(state: State, view: View) -> Json:
    shown: Json = view.to_json(state.app, state.team)
    shown["state"] = {"values": inputs.state_values(shown["blocks"], view.values)}
    return {**shown, "errors": view.errors, "trouble": view.trouble}
