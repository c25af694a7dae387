"""chat.postMessage, chat.update, chat.postEphemeral, chat.delete."""

from __future__ import annotations

from typing import Any

from playground.faults import act, came
from playground.slack.calls import Call
from playground.slack.content import Content, characters, read_content
from playground.slack.errors import SlackError
from playground.slack.methods.table import method
from playground.slack.records import Channel, Json, Message

POST_LIMIT = 40_000
UPDATE_LIMIT = 4_000
#: Maximum number of characters in all blocks of a message together. Slack doesn't publish a limit, but has
#: refused messages with 11,000 to 13,300 characters (bolt-js issues 2509 and 2867). Answers to a response_url
#: have no such limit.
BLOCKS_LIMIT = 10_000


def _target(call: Call) -> Channel:
    """Return the channel to post to, given a conversation's id, a channel's name, or a person's id."""
    state, target = call.state, call.text("channel")
    if target in state.channels:
        return state.channels[target]
    if target.startswith(("U", "W")):
        person = state.people.get(target)
        if person is None:
            raise SlackError("channel_not_found")
        if person.is_bot or person.id == "USLACKBOT":
            raise SlackError("cannot_dm_bot")
        if person.deleted:
            raise SlackError("user_disabled")
        return state.direct_message(target)
    named = target.removeprefix("#")
    for channel in state.channels.values():
        if channel.kind == "channel" and channel.name == named:
            return channel
    raise SlackError("channel_not_found")


def _may_post(call: Call, channel: Channel) -> None:
    if channel.is_archived:
        raise SlackError("is_archived")
    thread = call.text("thread_ts")
    if thread in channel.locked:
        raise SlackError("restricted_action_thread_locked")
    kept_from = {"any", "read_only_channel", "non_threadable_channel" if thread else "thread_only_channel"}
    if channel.restricts in kept_from:
        raise SlackError("restricted_action" + f"_{channel.restricts}".removesuffix("_any"))
    if channel.kind == "im" and not call.state.app.messages_tab:
        raise SlackError("messages_tab_disabled")
    if call.state.app.bot_user in channel.members:
        return
    if channel.kind != "channel":
        raise SlackError("channel_not_found")
    if not call.token or "chat:write.public" not in call.token.scopes:
        raise SlackError("not_in_channel")


def _metadata(call: Call) -> Json | None:
    values: Json | list[Any] | None = call.structure("metadata", "invalid_metadata_format")
    if values is None:
        return None
    if not isinstance(values, dict):
        raise SlackError("invalid_metadata_format")
    if not values:
        return {}
    kind = values.get("event_type")
    if set(values) - {"event_type", "event_payload", "entities"} or not isinstance(kind, str):
        raise SlackError("invalid_metadata_schema")
    if not kind or not isinstance(values.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(str(values)) > 16_000:
        raise SlackError("metadata_too_large")
    return values


def _content(call: Call, limit: int, *, fallback: Message | None = None) -> Content:
    values = {
        "text": call.text("text"),
        "blocks": call.structure("blocks", "invalid_blocks_format"),
        "attachments": call.structure("attachments", "invalid_attachments"),
    }
    content = read_content(values, limit)
    if characters(content.blocks) > BLOCKS_LIMIT:
        raise SlackError("msg_blocks_too_long")
    call.remarks += content.remarks
    kept = fallback is not None and bool(fallback.blocks) and content.blocks is None
    if not content.text.strip() and not content.blocks and not content.attachments and not kept:
        raise SlackError("no_text")
    return content


@method("chat.postMessage", scope="chat:write")
async def post_message(call: Call) -> Json:
    """Post to a channel or, given a person's id, to their direct message; return the conversation's id."""
    call.need("channel")
    channel = _target(call)
    content, metadata = _content(call, POST_LIMIT), _metadata(call)
    _may_post(call, channel)
    thread = call.text("thread_ts") or None
    call.services.budgets.post(channel.id, came(call.request))
    message = call.state.from_bot(
        channel.id,
        content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        metadata=metadata or None,
        thread_ts=thread,
        reply_broadcast=call.flag("reply_broadcast"),
        unfurl_links=call.flag("unfurl_links"),
        unfurl_media=call.flag("unfurl_media", default=True),
    )
    act(call.request, lambda _at: call.state.add(message))
    return {"channel": channel.id, "ts": message.ts, "message": message.to_json()}


def _own(call: Call, refusal: str) -> tuple[Channel, Message]:
    """Return one of the app's messages, given its channel (C… or D…, no person's id) and timestamp."""
    call.need("channel", "ts")
    channel = call.state.channel(call.text("channel"))
    if channel.kind == "im" and call.state.app.bot_user not in channel.members:
        raise SlackError("channel_not_found")
    message = call.state.message(channel.id, call.text("ts"))
    if message is None or message.only_for is not None:
        raise SlackError("message_not_found")
    if message.bot_id != call.state.app.bot_id:
        raise SlackError(refusal)
    return channel, message


@method("chat.update", scope="chat:write")
async def update(call: Call) -> Json:
    """Change one of the app's messages. Fields that aren't given stay the same."""
    channel, message = _own(call, "cant_update_message")
    content, metadata = _content(call, UPDATE_LIMIT, fallback=message), _metadata(call)
    given: dict[str, Any] = {
        "blocks": content.blocks,
        "attachments": content.attachments,
        "metadata": metadata,
    }
    changes = {key: value or None for key, value in given.items() if value is not None}
    if "text" in call.arguments:
        changes["text"] = content.text
    act(call.request, lambda _at: call.state.edit(message, **changes))
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": message.to_json()}


@method("chat.postEphemeral", scope="chat:write")
async def post_ephemeral(call: Call) -> Json:
    """Post a message that only one member of a conversation can see."""
    call.need("channel", "user")
    channel = call.state.channel(call.text("channel"))
    content = _content(call, POST_LIMIT)
    _may_post(call, channel)
    user: Any = call.state.people.get(call.text("user"))
    if user is None or user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    message = call.state.from_bot(
        channel.id,
        content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        only_for=user.id,
        thread_ts=call.text("thread_ts") or None,
    )
    act(call.request, lambda _at: call.state.add(message))
    return {"message_ts": message.ts}


@method("chat.delete", scope="chat:write")
async def delete(call: Call) -> Json:
    """Delete one of the app's messages."""
    channel, message = _own(call, "cant_delete_message")
    act(call.request, lambda _at: call.state.remove(message))
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink")
async def permalink(call: Call) -> Json:
    """Return the permalink of a message."""
    channel = call.state.channel(call.text("channel"))
    if channel.kind != "channel" and call.state.app.bot_user not in channel.members:
        raise SlackError("channel_not_found")
    ts = call.text("message_ts")
    if call.state.message(channel.id, ts) is None:
        raise SlackError("message_not_found")
    address = f"https://{call.state.team.domain}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": address}
