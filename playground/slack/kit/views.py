"""The limits of views: modals and home tabs."""

from __future__ import annotations

from typing import Any

from playground.slack.kit.blocks import VIEW, check_ids, elements_of
from playground.slack.kit.checks import Report, Shape, boolean, string, text

_SHARED = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}


def _submit_is_there(view: Any, pointer: str, report: Report) -> None:
    blocks = view.get("blocks")
    has_input = isinstance(blocks, list) and any(
        isinstance(b, dict) and b.get("type") == "input" for b in blocks
    )
    if has_input and view.get("submit") is None:
        report.say(pointer, "missing required field: submit")


def _one_focus(view: Any, pointer: str, report: Report) -> None:
    blocks = view.get("blocks")
    focused = [
        element
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, dict)
        for element in elements_of(block)
        if element.get("focus_on_load") is True
    ]
    if len(focused) > 1:
        report.say(pointer, "only one element can have focus_on_load")


_MODAL = Shape(
    {"title": text(24, plain=True), "blocks": VIEW},
    {
        **_SHARED,
        "submit": text(24, plain=True),
        "close": text(24, plain=True),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
    _submit_is_there,
)
_HOME = Shape({"blocks": VIEW}, {**_SHARED})


def check_view(view: Any, kind: str, pointer: str = "/view") -> Report:
    """Check a view; ``kind`` is modal or home, as the method demands."""
    report = Report()
    if not isinstance(view, dict):
        report.say(pointer, "must provide an object")
        return report
    if view.get("type") != kind:
        given = view.get("type")
        report.say(
            pointer + "/type", f"unsupported type: {given}" if given else "missing required field: type"
        )
        return report
    (_MODAL if kind == "modal" else _HOME)(view, pointer, report)
    check_ids(view.get("blocks"), f"{pointer}/blocks", report)
    _one_focus(view, pointer, report)
    return report
