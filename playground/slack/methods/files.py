"""files.getUploadURLExternal, files.completeUploadExternal, files.info."""

from __future__ import annotations

import secrets
from functools import partial

from playground.faults import act
from playground.slack import files
from playground.slack.calls import Call
from playground.slack.content import Content, read_content
from playground.slack.errors import SlackError, invalid_arguments
from playground.slack.methods.table import method
from playground.slack.records import Channel, File, Json, Message
from playground.slack.state import State

ALT_TEXT = 1000
COMMENT = 40_000


@method("files.getUploadURLExternal", scope="files:write")
async def get_upload_url(call: Call) -> Json:
    """Announce a file by its name and length in bytes; return the URL to which it is uploaded."""
    call.need("filename", "length")
    try:
        length = int(call.text("length"))
    except ValueError:
        raise invalid_arguments("must be an integer [json-pointer:/length]") from None
    if length < 1:
        raise invalid_arguments("must be greater than 0 [json-pointer:/length]")
    if len(call.text("alt_txt")) > ALT_TEXT:
        raise SlackError("alt_txt_too_large")
    state = call.state
    file = File(
        id=state.new_id("F"),
        name=call.text("filename"),
        length=length,
        user=state.app.bot_user,
        created=int(state.clock.now()),
        secret=secrets.token_urlsafe(32),
        title=call.text("filename"),
        alt_txt=call.text("alt_txt"),
        snippet_type=call.text("snippet_type"),
    )
    state.files[file.id] = file
    return {"upload_url": f"{state.base_url}/upload/v1/{file.secret}", "file_id": file.id}


def _named(call: Call) -> list[tuple[File, str]]:
    """Return the uploaded files named in a call, each with its title."""
    values = call.structure("files", "invalid_arguments")
    if values is None:
        call.need("files")
    if not isinstance(values, list) or not values:
        raise invalid_arguments("must be a nonempty array [json-pointer:/files]")
    found = []
    for number, one in enumerate(values):
        if not isinstance(one, dict) or not isinstance(one.get("id"), str):
            raise invalid_arguments(f"missing required field: id [json-pointer:/files/{number}]")
        file = call.state.files.get(one["id"])
        if file is None or file.complete or file.content is None:
            raise SlackError("file_not_found")
        found.append((file, str(one.get("title") or file.name)))
    return found


def _where(call: Call) -> list[Channel]:
    """Return the conversations to share in, given by id. The bot must be a member of each."""
    state, found = call.state, []
    values = [call.text("channel_id"), *call.text("channels").replace(" ", "").split(",")]
    for name in dict.fromkeys(filter(None, values)):
        channel = state.channel(name)
        if state.app.bot_user not in channel.members:
            raise SlackError("not_in_channel" if channel.kind == "channel" else "channel_not_found")
        if channel.is_archived or (channel.kind == "im" and not state.app.messages_tab):
            raise SlackError("posting_to_channel_denied")
        found.append(channel)
    if len(found) > 1 and call.text("thread_ts"):
        raise invalid_arguments("thread_ts goes with one channel only")
    return found


def _comment(call: Call) -> Content:
    """Return the text shown with the files: the comment or, without one, the blocks."""
    values: Json = {"text": call.text("initial_comment")}
    if not values["text"]:
        values["blocks"] = call.structure("blocks", "invalid_blocks_format")
    return read_content(values, COMMENT)


@method("files.completeUploadExternal", scope="files:write")
async def complete_upload(call: Call) -> Json:
    """Complete uploads and share them in one message. The answer doesn't describe that message yet."""
    named, channels, content = _named(call), _where(call), _comment(call)
    state, thread = call.state, call.text("thread_ts") or None
    for file, title in named:
        file.title, file.complete = title, True
    for channel in channels:
        message = state.from_bot(channel.id, content.text, blocks=content.blocks, thread_ts=thread)
        parent = state.message(channel.id, thread) if thread else None
        if parent is not None and parent.thread_ts not in (None, parent.ts):
            call.remarks.append("thread_ts names a reply; it has to be the parent's")
        act(call.request, partial(_share, state, message, [file for file, _ in named]))
    return {"files": [files.described(state, file, shares=False) for file, _ in named]}


def _share(state: State, message: Message, shared: list[File], _at: float) -> None:
    for file in shared:
        file.shares.append((message.channel, message.ts, message.thread_ts))
    message.files = [files.described(state, file) for file in shared]
    state.add(message)


@method("files.info", scope="files:read")
async def info(call: Call) -> Json:
    """Return a file of the bot's or from one of its conversations, and where it was shared."""
    call.need("file")
    file = files.readable(call.state, call.text("file"), call.state.app.bot_user)
    shown = files.described(call.state, file)
    return {"file": shown, "comments": [], "response_metadata": {"next_cursor": ""}}
