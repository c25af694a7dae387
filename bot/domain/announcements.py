"""Announcements: the moments that a message names, and its text once they have come; pure.

A time in a text is a mark that Slack writes in its reader's own way, and a button that is good until a moment
carries that. Both are found here, so no kind of message declares when it is over.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

Block = dict[str, Any]
#: A time as Slack's mark has it, and as a button carries it: in its action, or in the option of a menu.
_MOMENT_MARK: Final = re.compile(r"<!date\^(\d{1,11})\^")
_MOMENT: Final = re.compile(r'<!date\^(\d{1,11})\^|"(?:action_id|value)": "\w+(?::\w+)*?:u(\d{1,11})[:" ]')
#: Where a sentence, or a part of a line, ends that another one follows.
_SENTENCE_END: Final = re.compile(r"(?<=[.!?\u2026])\s+|\s\u00b7\s")


def find_next_moment(blocks: Iterable[Block], now: float) -> float | None:
    """Return the next moment that blocks announce or that their buttons are good until."""
    return min(find_moments(blocks, now), default=None)


def has_moments(blocks: Iterable[Block]) -> bool:
    """Return whether blocks announce any moment, past or to come."""
    return bool(_MOMENT.search(json.dumps(list(blocks), ensure_ascii=False)))


def find_moments(blocks: Iterable[Block], now: float) -> frozenset[float]:
    """Return all moments after ``now`` that blocks announce or that their buttons are good until."""
    found = _MOMENT.finditer(json.dumps(list(blocks), ensure_ascii=False))
    return frozenset(at for one in found if (at := float(one[1] or one[2])) > now)


@dataclass(frozen=True, slots=True)
class Span:
    """The time from the moment at which a message was over next until now.

    ``cancelled`` are moments, in whole seconds, at which nothing happens any more.
    """

    since: float
    now: float
    cancelled: frozenset[int] = frozenset()

    def has(self, at: float | None) -> bool:
        """Return whether a moment has come in it, or doesn't count any more."""
        return at is not None and (self.since <= at <= self.now or int(at) in self.cancelled)


def drop_past(blocks: Sequence[Block], span: Span) -> list[Block] | None:
    """Return blocks without the sentences that announced a moment in a span, and the rest of their lines.

    None if nothing of the message is left to say besides its small print.
    """
    left = [left for block in blocks if (left := _drop_from_block(block, span)) is not None]
    is_said = any(_list_texts(block) for block in blocks if block["type"] == "section")
    is_left = any(list(_list_texts(block)) for block in left if block["type"] == "section")
    return left if is_left or not is_said else None


def _list_texts(block: Block) -> Iterator[Block]:
    every = block.get("elements", ()) if block["type"] == "context" else [block.get("text")]
    return (text for text in every if text and "text" in text)


def _drop_from_block(block: Block, span: Span) -> Block | None:
    if block["type"] not in {"section", "context"} or all(
        _drop_from_text(text, span) == text for text in _list_texts(block)
    ):
        return block
    left = [text for one in _list_texts(block) if (text := _drop_from_text(one, span))["text"]]
    if block["type"] == "context":
        return {**block, "elements": left} if left else None
    return {**block, "text": left[0]} if left else None


def _drop_from_text(text: Block, span: Span) -> Block:
    lines = ((line, _cut_sentences(line, span)) for line in text["text"].split("\n"))
    return {**text, "text": "\n".join(left for line, left in lines if left or not line)}


def _cut_sentences(line: str, span: Span) -> str:
    """Return a line up to the first sentence with a moment in a span."""
    begins, until = 0, 0
    for end in [*((one.start(), one.end()) for one in _SENTENCE_END.finditer(line)), (len(line), len(line))]:
        if any(span.has(float(at)) for at in _MOMENT_MARK.findall(line[begins : end[0]])):
            return line[:until]
        until, begins = end
    return line
