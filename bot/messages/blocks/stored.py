"""Stored answers, split into parts. Each part and button is stored with the time at which it expires.

Usher renders a message again from these parts, so it never has to search, compare or edit the message's text.
Some rows contain undivided text instead (``undated``): rows written by release 0.4.1, and rows of messages
that Usher found in Slack by searching but can no longer render from the database. A message rendered from
such a row says when its text was written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from bot.domain.markup import Dated, Part, list_parts
from bot.domain.notices import Answer
from bot.messages.blocks import kit
from bot.messages.blocks.kit import Block, fill
from bot.messages.texts import answers

#: Key that marks a stored answer with undivided text instead of parts. Nothing says when this text becomes
#: outdated, so a message rendered from them says when they were written.
UNDATED: Final = "undated"
#: Key that marks a stored answer whose message may still show an older text in Slack. Usher searched for the
#: message, because it wasn't clear whether it had been sent, found it, and rendered the answer again from
#: current rows.
FOUND: Final = "found"


def to_body(answer: Answer) -> dict[str, Any]:
    """Convert an answer to the body of a notice, which can be serialised to JSON."""
    body = to_said(answer) | {"replaces": answer.replaces}
    body |= {"shows": dict(answer.shows)} if answer.shows else {}
    return body | ({"offers": answer.offers} if answer.offers else {})


def to_said(answer: Answer, body: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """Add an answer's text and blocks to a body, along with the times until which their parts are true.

    If ``body`` already has text and blocks, they are replaced.
    """
    blocks, moments = list(answer.blocks), find_moments(answer.blocks)
    if moments:
        blocks = [_change_texts(block, _write_text) for block in blocks]
    said = {**body, "text": answer.text, "blocks": blocks, "moments": moments}
    return {name: value for name, value in said.items() if name not in {UNDATED, FOUND}}


def read(body: Mapping[str, Any], written_at: float) -> Answer:
    """Restore the answer from a body that was stored at ``written_at``."""
    blocks = [_change_texts(block, _read_text) for block in body.get("blocks") or ()]
    answer = Answer(str(body.get("text") or ""), tuple(blocks), replaces=bool(body.get("replaces")))
    if not body.get(UNDATED) or not blocks:
        return answer
    small = kit.context(fill(answers.AS_OF_ALONE, at=kit.moment(written_at, written_at, has_day=True)))
    return replace(answer, blocks=kit.with_blocks(answer, [*blocks, small]).blocks)


def _write_text(text: Block) -> Block:
    said = text["text"]
    if not isinstance(said, Dated):
        return text
    lines = [[list(part) if part.moments or part.plan else part.text for part in line] for line in said.lines]
    return {**text, "text": lines}


def _read_text(text: Block) -> Block:
    if isinstance(text["text"], str):
        return text
    lines = [
        [
            Part(part) if isinstance(part, str) else Part(part[0], tuple(part[1]), tuple(part[2]))
            for part in line
        ]
        for line in text["text"]
    ]
    return {**text, "text": Dated(lines)}


def _change_texts(block: Block, change: Callable[[Block], Block]) -> Block:
    match block:
        case {"type": "section", "text": text}:
            return {**block, "text": change(text)}
        case {"type": "context", "elements": elements}:
            return {**block, "elements": [change(one) if "text" in one else one for one in elements]}
    return block


def find_moments(blocks: Collection[Block]) -> list[int]:
    """Return all times mentioned in the text, and all times at which buttons expire."""
    at = {int(press.at) for _, press in kit.iterate_drawn(blocks) if press.at is not None}
    return sorted(at.union(*(part.moments for part in list_parts(blocks))))


def list_plans(blocks: Iterable[Block]) -> list[tuple[str, ...]]:
    """Return the plans announced in the text, such as a workspace's stop."""
    return list(dict.fromkeys(part.plan for part in list_parts(blocks) if part.plan))


def drop_past(answer: Answer, has_passed: Callable[[Part], bool]) -> Answer | None:
    """Cut each line of an answer just before the first part that is no longer true.

    Return None if only small print would be left.
    """
    if not any(map(has_passed, list_parts(answer.blocks))):
        return answer
    left: list[Block] = []
    for block in answer.blocks:
        changed = _change_texts(block, lambda text: _drop_from_text(text, has_passed))
        match changed:
            case {"type": "section", "text": {"text": ""}}:
                continue
            case {"type": "context", "elements": elements}:
                elements = [one for one in elements if one.get("text") != ""]
                left += [{**changed, "elements": elements}] if elements else []
            case _:
                left.append(changed)
    if not any(block["type"] == "section" and "text" in block for block in left):
        return None
    return kit.with_blocks(answer, left)


def _drop_from_text(text: Block, has_passed: Callable[[Part], bool]) -> Block:
    said = text["text"]
    return {**text, "text": said.drop(has_passed)} if isinstance(said, Dated) else text
