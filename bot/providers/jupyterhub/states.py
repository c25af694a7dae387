"""Interpret what the hub says about a server; pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.providers.reading import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

CANCELLED = "Spawn cancelled"


@dataclass(frozen=True, slots=True)
class Progress:
    """Hold the last event of a start: ``percent`` is 0–100; ``message`` may be empty."""

    percent: int | None = None
    message: str = ""
    has_failed: bool = False
    is_ready: bool = False

    @property
    def was_cancelled(self) -> bool:
        """Return whether somebody cancelled the start."""
        return self.has_failed and self.message == CANCELLED


def last_event(stream: bytes) -> Progress | None:
    """Return the last complete event of a stream that may be cut anywhere; None if there is none.

    Anything but a JSON object is skipped: progress is only for display, and nothing depends on it.
    """
    whole = stream.decode("utf-8", "replace").replace("\r\n", "\n").rpartition("\n")[0]
    found = None
    for line in whole.split("\n"):
        if line.startswith("data:"):
            found = _event(line[5:]) or found
    return found


def _event(text: str) -> Progress | None:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    message = event.get("message")
    return Progress(
        percent=_percent(event),
        message=clean(message) if isinstance(message, str) else "",
        has_failed=event.get("failed") is True,
        is_ready=event.get("ready") is True,
    )


def _percent(event: Mapping[str, Any]) -> int | None:
    value = event.get("progress")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(min(max(value, 0), 100))
