"""Views: modals and Home tabs."""

from __future__ import annotations

from typing import Any

from playground.slack.kit.blocks import blocks_on, check_ids, elements_of
from playground.slack.kit.checks import Checker, Report, boolean
from playground.slack.kit.elements import limited, limited_text
from playground.slack.kit.published import shape

_SHARED: dict[str, Checker] = {
    "private_metadata": limited("view.private_metadata", 0),
    "callback_id": limited("view.callback_id", 0),
    "external_id": limited("view.external_id", 0),
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


_MODAL = shape(
    "modal",
    _submit_is_there,
    **_SHARED,
    blocks=blocks_on("modal"),
    title=limited_text("view.title", plain=True),
    submit=limited_text("view.submit", plain=True),
    close=limited_text("view.close", plain=True),
    submit_disabled=boolean,
)
_HOME = shape("home", **_SHARED, blocks=blocks_on("home"))


def check_view(view: Any, kind: str, pointer: str = "/view") -> Report:
    """Check a view; ``kind`` is modal or home, depending on the method."""
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
