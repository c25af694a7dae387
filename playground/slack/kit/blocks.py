"""The limits of blocks, and of the lists of them that messages and option answers carry."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

from playground.slack.kit.checks import (
    Report,
    Shape,
    anything,
    boolean,
    exactly_one,
    items,
    string,
    text,
    typed,
    url,
)
from playground.slack.kit.elements import (
    GROUP,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    OPTION,
)
from playground.slack.kit.rich import RICH

Checker = Callable[[Any, str, Report], None]

MARKDOWN = 12_000
BLOCK_ID: dict[str, Checker] = {"block_id": string(255)}


def _section(value: Any, pointer: str, report: Report) -> None:
    if value.get("text") is None and value.get("fields") is None:
        report.say(pointer, "must define either `text` or `fields`")


EVERYWHERE: dict[str, Checker] = {
    "section": Shape(
        {},
        {**BLOCK_ID, "text": text(3000), "fields": items(text(2000), 10), "accessory": IN_SECTION,
         "expand": boolean},
        _section,
    ),
    "divider": Shape({}, BLOCK_ID),
    "header": Shape({"text": text(150, plain=True)}, BLOCK_ID),
    "context": Shape({"elements": items(IN_CONTEXT, 10)}, BLOCK_ID),
    "actions": Shape({"elements": items(IN_ACTIONS, 25)}, BLOCK_ID),
    "image": Shape(
        {"alt_text": string(2000)},
        {**BLOCK_ID, "image_url": url, "slack_file": anything, "title": text(2000, plain=True)},
        exactly_one("image_url", "slack_file"),
    ),
    "input": Shape(
        {"label": text(2000, plain=True), "element": IN_INPUT},
        {**BLOCK_ID, "hint": text(2000, plain=True), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": Shape({"elements": items(RICH, 1000)}, BLOCK_ID),
    "video": Shape(
        {"alt_text": string(2000), "title": text(199, plain=True), "thumbnail_url": url, "video_url": url},
        {**BLOCK_ID, "author_name": string(49), "description": text(199, plain=True),
         "provider_icon_url": url, "provider_name": string(100), "title_url": url},
    ),
}  # fmt: skip

#: Newer blocks whose insides this server takes as they come.
_LOOSE: dict[str, Checker] = dict.fromkeys(
    ("table", "plan", "task_card", "card", "carousel", "alert", "data_visualization", "file"), anything
)

IN_MESSAGES: dict[str, Checker] = {
    **EVERYWHERE,
    **_LOOSE,
    "markdown": Shape({"text": string(MARKDOWN)}, BLOCK_ID),
    "context_actions": Shape({"elements": items(IN_CONTEXT_ACTIONS, 5)}, BLOCK_ID),
}

MESSAGE = items(typed(IN_MESSAGES), 50, 0)
VIEW = items(typed(EVERYWHERE), 100, 0)


def elements_of(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the interactive elements of a block."""
    found = [block.get("element"), block.get("accessory")]
    if block.get("type") == "actions" and isinstance(block.get("elements"), list):
        found += block["elements"]
    for element in found:
        if isinstance(element, dict) and element.get("type") != "image":
            yield element


def check_ids(blocks: Any, pointer: str, report: Report) -> None:
    """Refuse a block_id twice in a list, or an action_id twice in a block; name a missing action_id."""
    seen: set[str] = set()
    for number, block in enumerate(blocks if isinstance(blocks, list) else []):
        if not isinstance(block, dict):
            continue
        name = block.get("block_id")
        if isinstance(name, str):
            if name in seen:
                report.say(f"{pointer}/{number}/block_id", f'`block_id` "{name}" already exists')
            seen.add(name)
        actions: set[str] = set()
        for element in elements_of(block):
            action = element.get("action_id")
            if action is None:
                report.remark(f"{pointer}/{number}", f"{element.get('type')} without action_id")
            elif isinstance(action, str) and action in actions:
                report.say(f"{pointer}/{number}", f'`action_id` "{action}" already exists in this block')
            if isinstance(action, str):
                actions.add(action)


def name_all(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give every block and element the id that Slack makes up where the app gave none."""
    for block in blocks:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            element.setdefault("action_id", secrets.token_urlsafe(4))
    return blocks


def _markdown_together(blocks: Any, pointer: str, report: Report) -> None:
    """All markdown blocks of one message share a limit ("Markdown block", cumulative)."""
    texts = [
        block["text"]
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, dict) and block.get("type") == "markdown" and isinstance(block.get("text"), str)
    ]
    if sum(map(len, texts)) > MARKDOWN >= max(map(len, texts), default=0):
        report.say(pointer, f"markdown blocks must be less than {MARKDOWN + 1} characters together")


def check_message(blocks: Any, pointer: str = "/blocks") -> Report:
    """Check the blocks of a message."""
    report = Report()
    MESSAGE(blocks, pointer, report)
    check_ids(blocks, pointer, report)
    _markdown_together(blocks, pointer, report)
    return report


def check_attachments(attachments: Any) -> Report:
    """Check the blocks within old-style attachments; their other fields pass as they are."""
    report = Report()
    for number, attachment in enumerate(attachments):
        if isinstance(attachment, dict) and attachment.get("blocks") is not None:
            MESSAGE(attachment["blocks"], f"/attachments/{number}/blocks", report)
    return report


def check_options(answer: Any) -> Report:
    """Check what an app answers to a block_suggestion."""
    report = Report()
    shape = Shape(
        {},
        {"options": items(OPTION, 100, 0), "option_groups": items(GROUP, 100, 0)},
        exactly_one("options", "option_groups"),
    )
    shape(answer, "", report)
    return report
