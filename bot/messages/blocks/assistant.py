"""What Slack's assistant is told: text alone, without addresses, in which names from outside are quoted.

The rule is in ``docs/rules.md``, "An assistant agrees to nothing".
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit
from bot.support.cleaning import HIDDEN, unescape

#: A time or a link, of which the words stay.
_SLACKS: Final = re.compile(r"<[^|>]*\|([^>]*)>")
_BOLD: Final = re.compile(r"(?<!\w)\*(\S(?:[^*\n]*\S)?)\*(?!\w)")
_ADDRESS: Final = re.compile(r"\w+://[^\s\"]+")


def words(blocks: Iterable[kit.Block]) -> str:
    """Return what blocks say."""
    said = _SLACKS.sub(r"\1", "\n".join(kit.lines_of(blocks)))
    return unescape(_bare(_BOLD.sub(lambda name: json.dumps(name[1], ensure_ascii=False), said)))


def row(one: Workspace | Run, on: str, state: str) -> str:
    """Return a workspace or a run as a line of JSON, with when it is stopped or has ended."""
    name, ends = (one.name, one.finished_at) if isinstance(one, Run) else (one.title, one.stop_at)
    said = {"name": _bare(unescape(kit.line(name))), "on": on, "state": state}
    at = {} if ends is None else {"ends": datetime.fromtimestamp(ends, UTC).isoformat(timespec="seconds")}
    return json.dumps(said | at, ensure_ascii=False)


def _bare(text: str) -> str:
    return _ADDRESS.sub(HIDDEN, text)
