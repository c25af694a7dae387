"""Results for Slack's assistant: facts as JSON, in which a name is always one string; no addresses.

The rule is in ``docs/internals/rules.md``, "An assistant agrees to nothing".
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from bot.domain.hours import HoursRule
from bot.domain.runs import Run
from bot.domain.time_parsing import clock
from bot.domain.undoable_actions import UndoableAction
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit
from bot.support.cleaning import HIDDEN, unescape

_ADDRESS_PATTERN: Final = re.compile(r"\w+://[^\s\"]+")


def format_result(**facts: Any) -> str:
    """Return the result of a call."""
    return json.dumps(facts, ensure_ascii=False)


def describe(
    title: Callable[[str], str], one: Workspace | Run | UndoableAction, **more: Any
) -> dict[str, Any]:
    """Return the description of something; ``title`` names its connection, and None is left out."""
    name = _text(one.title if isinstance(one, Workspace) else one.name)
    known = {key: said for key, said in more.items() if said is not None}
    return {"name": name, "on": _text(title(one.connection)), **known}


def describe_hours(one: HoursRule) -> dict[str, Any]:
    """Return hours."""
    times = {"days": sorted(one.days), "starts": clock(one.starts), "stops": clock(one.stops)}
    return {
        **times,
        "zone": one.zone,
        "is_paused": bool(one.paused),
    }


def format_time(at: float | None) -> str | None:
    """Return a time in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _text(name: str) -> str:
    return _ADDRESS_PATTERN.sub(HIDDEN, unescape(kit.line(name)))
