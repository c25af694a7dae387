"""Slack's three entities: how it stores them in a posted text, and what a person then reads.

It stores `&`, `<` and `>` as entities and returns them like that, even in plain_text (bolt-python issue 513).
An entity that the app sent stays as it is. Values, ids and what people type into fields are never changed.
"""

from __future__ import annotations

import re
from typing import Any

#: An ampersand that begins none of the three entities.
_LOOSE = re.compile(r"&(?!(?:amp|lt|gt);)")
#: A link, mention, date or command in mrkdwn.
_MARK = re.compile(r"<[^<>\n]+>")


def kept_plain(text: str) -> str:
    """Return a plain text as Slack keeps it."""
    return _LOOSE.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def kept_mrkdwn(text: str) -> str:
    """Return formatted text as Slack keeps it: its links and mentions stay what they are."""
    parts, last = [], 0
    for mark in _MARK.finditer(text):
        parts += [kept_plain(text[last : mark.start()]), _LOOSE.sub("&amp;", mark[0])]
        last = mark.end()
    return "".join([*parts, kept_plain(text[last:])])


_KEPT = {"plain_text": kept_plain, "mrkdwn": kept_mrkdwn}


def kept(part: Any) -> Any:
    """Return blocks, a view or options as Slack keeps them: all text objects in them, nothing else."""
    if isinstance(part, list):
        return [kept(one) for one in part]
    if not isinstance(part, dict):
        return part
    keep = _KEPT.get(part.get("type", "")) if isinstance(part.get("text"), str) else None
    if keep is not None:
        return {**part, "text": keep(part["text"])}
    return {name: kept(one) for name, one in part.items()}


def read(text: str) -> str:
    """Return what a person reads where Slack shows a text."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
