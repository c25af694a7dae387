"""Slack's three entities: how Slack stores special characters, and what people then read.

Slack stores `&`, `<` and `>` as entities and returns them in that form, even in plain_text (bolt-python issue
513). Entities sent by the app stay unchanged, and so do values, ids, and text that people type into fields.
"""

from __future__ import annotations

import re
from typing import Any

#: An ampersand that isn't part of one of the three entities.
_LOOSE = re.compile(r"&(?!(?:amp|lt|gt);)")
#: A link, mention, date or command in mrkdwn.
_MARK = re.compile(r"<[^<>\n]+>")


def kept_plain(text: str) -> str:
    """Return plain text as Slack stores it."""
    return _LOOSE.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def kept_mrkdwn(text: str) -> str:
    """Return formatted text as Slack stores it. Links and mentions stay intact."""
    parts, last = [], 0
    for mark in _MARK.finditer(text):
        parts += [kept_plain(text[last : mark.start()]), _LOOSE.sub("&amp;", mark[0])]
        last = mark.end()
    return "".join([*parts, kept_plain(text[last:])])


_KEPT = {"plain_text": kept_plain, "mrkdwn": kept_mrkdwn}


def kept(part: Any) -> Any:
    """Return blocks, a view or options as Slack stores them, which changes only their text objects."""
    if isinstance(part, list):
        return [kept(one) for one in part]
    if not isinstance(part, dict):
        return part
    keep = _KEPT.get(part.get("type", "")) if isinstance(part.get("text"), str) else None
    if keep is not None:
        return {**part, "text": keep(part["text"])}
    return {name: kept(one) for name, one in part.items()}


def read(text: str) -> str:
    """Return a stored text as Slack shows it to people."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
