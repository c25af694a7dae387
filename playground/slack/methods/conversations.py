"""conversations.open, .history, .replies, .info, .members and .list."""

from __future__ import annotations

import re
from decimal import Decimal

from playground.slack import shapes
from playground.slack.calls import Call, page
from playground.slack.errors import SlackError
from playground.slack.methods.table import method
from playground.slack.records import Channel, Json, Message

_TS = re.compile(r"\d+(\.\d+)?")


def _bot_is_in(call: Call, channel: Channel) -> bool:
    return call.state.app.bot_user in channel.members


@method("conversations.open", scope="im:write")
async def open_conversation(call: Call) -> Json:
    """Open or resume the direct message with one person."""
    state = call.state
    if call.text("channel"):
        channel = state.channel(call.text("channel"))
        if channel.kind != "im":
            raise SlackError("method_not_supported_for_channel_type")
        existed = True
    else:
        users = [user for user in call.text("users").replace(" ", "").split(",") if user]
        if not users:
            raise SlackError("users_list_not_supplied")
        people = [state.person(user) for user in users]
        if len(people) > 1:
            call.require_scope("mpim:write")
        if people[0].is_bot or people[0].id == "USLACKBOT":
            raise SlackError("cannot_dm_bot")
        if people[0].deleted:
            raise SlackError("user_disabled")
        if state.is_stranger(people[0]):
            raise SlackError("invalid_user_combination")
        existed = people[0].id in state.direct
        channel = state.direct_message(people[0].id)
        state.changed()
    shown = shapes.conversation(state, channel) if call.flag("return_im") else {"id": channel.id}
    answer: Json = {"channel": shown}
    if existed:
        answer |= {"no_op": True, "already_open": True}
    return answer


def _moment(call: Call, name: str) -> Decimal | None:
    moment = call.text(name)
    if not moment or moment == "now":
        return None
    if not _TS.fullmatch(moment):
        raise SlackError(f"invalid_ts_{name}")
    return Decimal(moment)


def _within(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest, inclusive = _moment(call, "oldest"), _moment(call, "latest"), call.flag("inclusive")
    found = []
    for message in messages:
        ts = Decimal(message.ts)
        after = oldest is None or ts > oldest or (inclusive and ts == oldest)
        before = latest is None or ts < latest or (inclusive and ts == latest)
        if after and before:
            found.append(message)
    return found


def _readable(call: Call) -> Channel:
    call.need("channel")
    channel = call.state.channel(call.text("channel"))
    call.scope_for(channel, "history")
    if not _bot_is_in(call, channel):
        raise SlackError("not_in_channel" if channel.kind == "channel" else "channel_not_found")
    return channel


def _visible(call: Call) -> Channel:
    call.need("channel")
    channel = call.state.channel(call.text("channel"))
    call.scope_for(channel, "read")
    if channel.kind != "channel" and not _bot_is_in(call, channel):
        raise SlackError("channel_not_found")
    return channel


def _answer(call: Call, messages: list[Message], default: int) -> Json:
    found, cursor = page(messages, call.text("cursor"), call.number("limit", default, 999))
    with_metadata = call.flag("include_all_metadata")
    shown = [{**m.to_json(metadata=with_metadata), **shapes.thread_of(call.state, m)} for m in found]
    answer: Json = {"messages": shown, "has_more": bool(cursor)}
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


@method("conversations.history")
async def history(call: Call) -> Json:
    """Return the messages in one of the bot's conversations, newest first, without replies in threads."""
    channel = _readable(call)
    messages = [
        m
        for m in reversed(call.state.messages[channel.id])
        if m.only_for is None and call.state.is_in_channel(m)
    ]
    answer = _answer(call, _within(call, messages), 100)
    return {**answer, "pin_count": 0, "channel_actions_ts": None, "channel_actions_count": 0}


@method("conversations.replies")
async def replies(call: Call) -> Json:
    """Return a thread's messages, oldest first, beginning with the parent."""
    channel = _readable(call)
    call.need("ts")
    parent = call.text("ts")
    messages = [
        m for m in call.state.messages[channel.id] if m.only_for is None and parent in (m.ts, m.thread_ts)
    ]
    if not messages:
        raise SlackError("thread_not_found")
    return _answer(call, _within(call, messages), 1000)


@method("conversations.info")
async def info(call: Call) -> Json:
    """Return a conversation that the bot may see."""
    channel = _visible(call)
    return {"channel": shapes.conversation(call.state, channel, num_members=call.flag("include_num_members"))}


@method("conversations.members")
async def members(call: Call) -> Json:
    """List the members of a conversation."""
    channel = _visible(call)
    found, cursor = page(sorted(channel.members), call.text("cursor"), call.number("limit", 100, 1000))
    return {"members": found, "response_metadata": {"next_cursor": cursor}}


@method("conversations.list")
async def list_conversations(call: Call) -> Json:
    """List conversations of the requested types, by default public channels."""
    kinds = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
    wanted = [word.strip() for word in call.text("types", "public_channel").split(",")]
    if any(word not in kinds for word in wanted):
        raise SlackError("invalid_types")
    families = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
    for word in wanted:
        call.require_scope(f"{families[word]}:read")
    chosen = {kinds[word] for word in wanted}
    visible = [
        c
        for c in call.state.channels.values()
        if c.kind in chosen and (c.kind == "channel" or _bot_is_in(call, c))
        and not (call.flag("exclude_archived") and c.is_archived)
    ]  # fmt: skip
    found, cursor = page(visible, call.text("cursor"), call.number("limit", 100, 1000))
    shown = [shapes.conversation(call.state, channel, num_members=True) for channel in found]
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}
