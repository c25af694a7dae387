"""Take values out of answers: what is not as the documents promise becomes BadAnswer naming the field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from bot.errors import BadAnswer

MAX_MESSAGE = 200
MAX_NAME = 250
#: Said in place of a secret that a server repeated to us.
HIDDEN = "…"


def text_in(answer: Mapping[str, Any], key: str, where: str = "") -> str:
    """Return a text that must be there and not be empty; raise BadAnswer naming ``where`` and ``key``."""
    value = answer.get(key)
    if not isinstance(value, str) or not value:
        raise BadAnswer(f"the answer's field {where}{key} is not a text")
    return value


def optional_text_in(answer: Mapping[str, Any], key: str, where: str = "") -> str | None:
    """Return a text, or None where it is absent, null or empty; raise BadAnswer for other types."""
    value = answer.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadAnswer(f"the answer's field {where}{key} is not a text")
    return value


def flag_in(answer: Mapping[str, Any], key: str, where: str = "") -> bool:
    """Return true or false; raise BadAnswer for everything else."""
    value = answer.get(key)
    if not isinstance(value, bool):
        raise BadAnswer(f"the answer's field {where}{key} is not true or false")
    return value


def object_in(answer: Mapping[str, Any], key: str, where: str = "") -> dict[str, Any]:
    """Return an object that must be there; raise BadAnswer otherwise."""
    value = answer.get(key)
    if not isinstance(value, dict):
        raise BadAnswer(f"the answer's field {where}{key} is not an object")
    return value


def objects_in(answer: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a list of objects; raise BadAnswer naming the first entry that is none."""
    value = answer.get(key)
    if not isinstance(value, list):
        raise BadAnswer(f"the answer's field {key} is not a list")
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise BadAnswer(f"the answer's field {key}[{number}] is not an object")
    return value


def clean(text: str, limit: int = MAX_MESSAGE, secrets: Iterable[str] = ()) -> str:
    """Return the text on one line without secrets and invisible characters, cut to ``limit`` characters."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    if text.isascii() and text.isprintable() and "  " not in text:
        line = text.strip()
        return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    # Format characters stay within emoji (the joiner); lone surrogates can't be stored.
    visible = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in text
        if letter == "\u200d" or unicodedata.category(letter) not in {"Cf", "Cs"}
    )
    line = re.sub(r"\s+", " ", visible).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
