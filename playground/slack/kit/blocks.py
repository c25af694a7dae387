"""Checks of blocks, and of lists of blocks in messages, views and answers with options."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from playground.slack.kit.checks import Checker, Report, Shape, anything, exactly_one, items, text, typed
from playground.slack.kit.elements import (
    GROUP,
    IMAGE,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    OPTION,
    limited,
    limited_items,
    limited_text,
    limited_url,
)
from playground.slack.kit.newer_blocks import (
    ALERT,
    BLOCK_ID,
    CARD,
    CAROUSEL,
    DATA_TABLE,
    DATA_VISUALIZATION,
    FILE,
    IN_RICH_TEXT,
    PLAN,
    RICH_TEXT,
    TABLE,
    TASK_CARD,
    count_characters,
    objects_in,
)
from playground.slack.kit.published import LIMITS, SURFACES, shape


def _section(value: Any, pointer: str, report: Report) -> None:
    if value.get("text") is None and value.get("fields") is None:
        report.say(pointer, "must define either `text` or `fields`")


def _container(value: Any, pointer: str, report: Report) -> None:
    if value.get("title") is None and value.get("rich_text_title") is None:
        report.say(pointer, "must define either `title` or `rich_text_title`")


#: Types of blocks that may also be used inside a container, as may two newer types.
_PLAIN: dict[str, Checker] = {
    "section": shape(
        "section",
        _section,
        **BLOCK_ID,
        text=limited_text("section.text"),
        fields=limited_items("section.fields", text(LIMITS["section.fields.item_max_length"])),
        accessory=IN_SECTION,
    ),
    "divider": shape("divider", **BLOCK_ID),
    "header": shape("header", **BLOCK_ID, text=limited_text("header.text", plain=True)),
    "context": shape("context", **BLOCK_ID, elements=limited_items("context.elements", IN_CONTEXT)),
    "actions": shape("actions", **BLOCK_ID, elements=limited_items("actions.elements", IN_ACTIONS)),
    "image": shape(
        "image",
        exactly_one("image_url", "slack_file"),
        **BLOCK_ID,
        alt_text=limited("image.alt_text"),
        image_url=limited_url("image.image_url"),
        slack_file=anything,
        title=limited_text("image.title", plain=True),
    ),
    "input": shape(
        "input",
        **BLOCK_ID,
        label=limited_text("input.label", plain=True),
        hint=limited_text("input.hint", plain=True),
        element=IN_INPUT,
    ),
    "rich_text": RICH_TEXT,
    "video": shape(
        "video",
        **BLOCK_ID,
        alt_text=limited("video.alt_text"),
        title=limited_text("video.title", plain=True),
        thumbnail_url=limited_url("video.thumbnail_url"),
        video_url=limited_url("video.video_url"),
        title_url=limited_url("video.title_url"),
        author_name=limited("video.author_name"),
        description=limited_text("video.description", plain=True),
        provider_icon_url=limited_url("video.provider_icon_url"),
        provider_name=limited("video.provider_name"),
    ),
}
#: Maps all types of blocks to their checks. ``SURFACES`` says where each may be used.
BLOCKS: dict[str, Checker] = {
    **_PLAIN,
    "alert": ALERT,
    "card": CARD,
    "carousel": CAROUSEL,
    "container": shape(
        "container",
        _container,
        **BLOCK_ID,
        title=limited_text("container.title", plain=True),
        rich_text_title=IN_RICH_TEXT,
        subtitle=limited_text("container.subtitle"),
        icon=typed({"image": IMAGE}),
        child_blocks=limited_items("container.child_blocks", typed({**_PLAIN, "table": TABLE, "file": FILE})),
    ),
    "context_actions": shape(
        "context_actions", **BLOCK_ID, elements=limited_items("context_actions.elements", IN_CONTEXT_ACTIONS)
    ),
    "data_table": DATA_TABLE,
    "data_visualization": DATA_VISUALIZATION,
    "file": FILE,
    "markdown": shape("markdown", **BLOCK_ID, text=limited("markdown.text")),
    "plan": PLAN,
    "table": TABLE,
    "task_card": TASK_CARD,
}


def blocks_on(surface: str) -> Checker:
    """Return the check for the blocks of a surface: a message, a modal or the Home tab."""
    most = LIMITS["message.blocks.max_items" if surface == "message" else "view.blocks.max_items"]
    return items(typed({kind: BLOCKS[kind] for kind in SURFACES[surface]}), most, 0)


_MESSAGE = blocks_on("message")


def elements_of(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the interactive elements of a block."""
    found = [block.get("element"), block.get("accessory")]
    if block.get("type") == "actions" and isinstance(block.get("elements"), list):
        found += block["elements"]
    for element in found:
        if isinstance(element, dict) and element.get("type") != "image":
            yield element


def check_ids(blocks: Any, pointer: str, report: Report) -> None:
    """Report duplicate block_ids and, within a block, duplicate action_ids; remark on missing action_ids."""
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
    """Add ids to all blocks and elements without one, as Slack does."""
    for block in blocks:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            element.setdefault("action_id", secrets.token_urlsafe(4))
    return blocks


def _check_together(blocks: Any, pointer: str, report: Report) -> None:
    """Report violations of limits that apply to all blocks of a message together."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for block in objects_in(blocks):
        by_kind.setdefault(str(block.get("type")), []).append(block)
    sums = {
        "markdown": (LIMITS["markdown.total_text.max_length"], count_characters(by_kind.get("markdown", []))),
        "data_table": (
            LIMITS["data_table.total_content.max_length"],
            count_characters([block.get("rows") for block in by_kind.get("data_table", [])]),
        ),
    }
    for kind, (most, characters) in sums.items():
        if characters > most and len(by_kind[kind]) > 1:
            report.say(pointer, f"{kind} blocks must be less than {most + 1} characters together")
    # A message may contain only one table, according to Slack's page on that block.
    for kind, most in (("table", 1), ("data_visualization", LIMITS["message.data_visualizations.max_items"])):
        if len(by_kind.get(kind, [])) > most:
            report.say(pointer, f"no more than {most} {kind} allowed")
    if {"plan", "task_card"} <= set(by_kind):
        report.say(pointer, "`plan` and `task_card` exclude each other")


def check_message(blocks: Any, pointer: str = "/blocks") -> Report:
    """Check the blocks of a message."""
    report = Report()
    _MESSAGE(blocks, pointer, report)
    check_ids(blocks, pointer, report)
    _check_together(blocks, pointer, report)
    return report


def check_attachments(attachments: Any) -> Report:
    """Check the blocks in old-style attachments. Other fields aren't checked."""
    report = Report()
    limited_items("message.attachments", anything, 0)(attachments, "/attachments", report)
    for number, attachment in enumerate(attachments):
        if isinstance(attachment, dict) and attachment.get("blocks") is not None:
            _MESSAGE(attachment["blocks"], f"/attachments/{number}/blocks", report)
    return report


def check_options(answer: Any) -> Report:
    """Check an app's answer to a block_suggestion."""
    report = Report()
    offer = Shape(
        {},
        {
            "options": items(OPTION, LIMITS["select.options.max_items"], 0),
            "option_groups": items(GROUP, LIMITS["select.option_groups.max_items"], 0),
        },
        exactly_one("options", "option_groups"),
    )
    offer(answer, "", report)
    return report
