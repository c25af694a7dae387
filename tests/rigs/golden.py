"""Golden files: what people read, kept as files that a change shows in its diff.

``UPDATE_GOLDEN=1 pytest …`` writes them again; look at the difference before it is kept.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bot.domain.models import Answer
from bot.messages.blocks import limits
from playground.slack import kit

FOLDER = Path(__file__).resolve().parents[1] / "golden"


def check_golden(name: str, answer: Answer | dict[str, Any]) -> None:
    """Compare an answer or a view with its file; it must keep Slack's limits by both our checks."""
    shown = answer.as_body() | {"in_channel": answer.in_channel} if isinstance(answer, Answer) else answer
    check_limits(answer)
    _compare(name, shown)


def check_limits(answer: Answer | dict[str, Any]) -> None:
    """Fail when an answer or a view breaks a limit, by our own check or by the local Slack's."""
    if isinstance(answer, Answer):
        body: dict[str, Any] = {"text": answer.text, "blocks": list(answer.blocks)}
        limits.check(body)
        report = kit.check_message(body["blocks"])
        if answer.view is not None:
            check_limits(answer.view)
    else:
        limits.check(answer)
        report = kit.check_view(answer, str(answer["type"]))
    assert report.messages == []
    assert report.remarks == []


def check_golden_text(name: str, texts: dict[str, str]) -> None:
    """Compare a catalogue of texts with its file."""
    _compare(f"texts/{name}", texts)


def _compare(name: str, shown: Any) -> None:
    written = json.dumps(shown, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    path = FOLDER / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written, encoding="utf-8")
    assert path.is_file(), f"no golden file {path.name}: run with UPDATE_GOLDEN=1 and look at it"
    assert written == path.read_text(encoding="utf-8")
