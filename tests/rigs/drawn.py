"""Answers as people see them."""

from typing import Any

from bot.domain.notices import Answer


def as_shown(answer: Answer) -> dict[str, Any]:
    """Return the parts of an answer that people see, and the data from which it can be rendered again."""
    shown = {"text": answer.text, "blocks": list(answer.blocks), "replaces": answer.replaces}
    return shown | ({"shows": dict(answer.shows)} if answer.shows else {})
