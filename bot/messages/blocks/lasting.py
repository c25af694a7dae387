"""Answers that can be edited: what they offer, how they are drawn again, and what is left of them later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bot.domain.models import NoticeKind
from bot.messages.blocks import kit
from bot.messages.blocks.cards import name_of
from bot.messages.blocks.limits import fill
from bot.messages.blocks.lists import card_answer, status_answer, workspace_list
from bot.messages.blocks.offers import SAY
from bot.messages.blocks.run_lists import run_list, run_status
from bot.messages.texts import answers as words
from bot.messages.texts import past

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.domain.facts import Facts
    from bot.domain.models import Answer
    from bot.messages.blocks.kit import Block, Element

#: Rows in the value of a button.
_ROW: Final = re.compile(r"\b(?:workspace|operation|job)_[0-9a-z]+")
#: Links to a provider's own pages stay, as they don't depend on any state.
_PAGE: Final = "page_url"
#: What is offered until an account is linked, or until a link ends. *Help*, forms and the like always work.
_LINKING: Final = frozenset({"link", "invite", "ask_link", "link_url", "enter_code", "unlink"})


def lasting(answer: Answer) -> dict[str, Any] | None:
    """Return what the store keeps of an answer that offers something; None for what doesn't become untrue.

    ``about``: the row that it is about (``is_one``), or which answer of its kind it is; ``names``: the rows
    that it names, between spaces; ``kept``: what it is drawn from later, which holds no address.
    """
    offered = [one for one in _elements(answer.blocks) if one.get("action_id") != _PAGE]
    if not offered:
        return None
    rows = list(dict.fromkeys(row for one in offered for row in _ROW.findall(str(one.get("value") or ""))))
    shows = answer.shows
    if shows is not None:
        several = next((kind for kind in ("workspaces", "runs") if kind in shows), "")
        about = several or shows.get("workspace") or shows["run"]
        names = [several or about, *rows]
        return _offer(NoticeKind.SHOWN, about, names, shows, is_one=not several)
    actions = {str(one.get("action_id")).partition(":")[0] for one in offered}
    names = [*rows, *([SAY] if SAY in actions else [])]
    if not names and not actions & _LINKING:
        return None
    kept = {"text": answer.text, "blocks": _without_buttons(answer.blocks)}
    about = rows[0] if len(rows) == 1 else "answers" if names else "linking"
    return _offer(NoticeKind.REPLY, about, names, kept, is_one=len(rows) == 1)


def _offer(
    kind: NoticeKind, about: str, names: Sequence[str], kept: dict[str, Any], *, is_one: bool
) -> dict[str, Any]:
    return {
        "kind": kind,
        "about": about,
        "is_one": is_one,
        "names": f" {' '.join(dict.fromkeys(names))} ",
        "kept": kept,
    }


def _elements(blocks: Sequence[Block]) -> Iterator[Element]:
    for block in blocks:
        if block["type"] == "actions":
            yield from block["elements"]
        elif "accessory" in block:
            yield block["accessory"]


def _without_buttons(blocks: Sequence[Block]) -> list[Block]:
    return [
        {key: value for key, value in block.items() if key != "accessory"}
        for block in blocks
        if block["type"] != "actions"
    ]


def redraw(kind: NoticeKind, facts: Facts, *, is_closing: bool) -> Answer:
    """Draw an answer again: what it shows as that is now, otherwise what it said, without its buttons."""
    if kind is NoticeKind.REPLY:
        return _outdated(facts)
    drawn = None if is_closing else _as_it_is(facts)
    if drawn is None:
        line = _line(facts)
        return kit.answer(kit.bare(line), [kit.context(line)])
    below = kit.context(fill(words.AS_OF_ALONE, at=kit.moment(facts.now, facts.now)))
    is_said = any(block["type"] == "context" for block in drawn.blocks[-1:])
    return drawn if is_said else kit.with_blocks(drawn, (*drawn.blocks, below))


def _as_it_is(facts: Facts) -> Answer | None:
    """Draw what an answer shows; None if that is gone."""
    body, workspace, run = facts.body, facts.workspace, facts.run
    if "workspaces" in body and facts.listed:
        return workspace_list(facts.listed, page=body["workspaces"], more=body["more"], only=body.get("only"))
    if "runs" in body and facts.listed:
        rows = [(one.run, one) for one in facts.listed if one.run is not None]
        return run_list(rows, page=body["runs"], only=body.get("only"))
    if run is not None:
        return run_status(run, facts)
    if workspace is None or workspace.hidden:
        return None
    if facts.operation is not None and facts.operation.is_open:
        return card_answer(facts)
    return status_answer(facts, workspace)


def _line(facts: Facts) -> str:
    at = kit.moment(facts.written_at, facts.written_at)
    if "workspaces" in facts.body:
        return fill(past.LISTED, at=at)
    if "runs" in facts.body:
        return fill(past.LISTED_RUNS, at=at)
    name = facts.run.name if facts.run is not None else name_of(facts)
    return fill(past.SHOWN, name=name, title=facts.connection_title, at=at)


def _outdated(facts: Facts) -> Answer:
    text, blocks = str(facts.body.get("text") or ""), facts.body.get("blocks") or ()
    over = fill(past.KEEPS_WORDS, at=kit.moment(facts.written_at, facts.written_at))
    return kit.answer(text, [*blocks, kit.context(over)])
