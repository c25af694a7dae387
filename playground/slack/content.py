"""The content of a message, checked in the same way for methods, acknowledgements and response_urls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playground.slack.errors import SlackError, invalid_arguments
from playground.slack.kit import check_attachments, check_message
from playground.slack.kit.blocks import name_all
from playground.slack.kit.entities import kept, kept_mrkdwn
from playground.slack.kit.published import LIMITS
from playground.slack.records import Json


@dataclass(slots=True)
class Content:
    """Text, blocks and attachments. None means that a part wasn't given."""

    text: str
    blocks: list[Json] | None = None
    attachments: list[Json] | None = None
    remarks: list[str] = field(default_factory=list)


def refuse(code: str, messages: list[str]) -> SlackError:
    """Return the error for invalid blocks, in Slack's format."""
    lines = [f"[ERROR] {message}" for message in messages]
    return SlackError(code, errors=messages, response_metadata={"messages": lines})


def characters(part: Any) -> int:
    """Return the number of characters of visible text in blocks, or in any part of them."""
    if isinstance(part, list):
        return sum(map(characters, part))
    if not isinstance(part, dict):
        return 0
    own = len(part["text"]) if isinstance(part.get("text"), str) else 0
    return own + sum(map(characters, part.values()))


def read_content(values: dict[str, Any], limit: int) -> Content:
    """Check and copy the content of a message; raises msg_too_long, invalid_blocks, too_many_attachments."""
    text = values.get("text") or ""
    if not isinstance(text, str):
        raise invalid_arguments("must provide a string [json-pointer:/text]")
    if len(text) > limit:
        raise SlackError("msg_too_long")
    blocks, attachments = values.get("blocks"), values.get("attachments")
    content = Content(kept_mrkdwn(text))
    if blocks is not None:
        if not isinstance(blocks, list):
            raise SlackError("invalid_blocks_format")
        report = check_message(blocks)
        if report.messages:
            raise refuse("invalid_blocks", report.messages)
        content.blocks = name_all(kept(blocks))
        content.remarks = report.remarks
    if attachments is not None:
        if not isinstance(attachments, list):
            raise SlackError("invalid_attachments")
        if len(attachments) > LIMITS["message.attachments.max_items"]:
            raise SlackError("too_many_attachments")
        report = check_attachments(attachments)
        if report.messages:
            raise refuse("invalid_blocks", report.messages)
        content.attachments = kept(attachments)
    return content
