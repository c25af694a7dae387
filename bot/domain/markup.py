"""Text in Slack's markup that keeps track of the times it mentions. Pure functions.

A sentence about a future time is true only until then. The code that fills in the sentence also records the
time, so that no code has to find it in the text later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Self, TypeAlias, cast

#: A sentence with placeholders, or several sentences in order.
Template: TypeAlias = str | tuple[str, ...]


class Part(NamedTuple):
    """A part of a line, with the times that it mentions and the plan that it announces.

    A plan is ``start``, ``stop`` or ``nothing`` (nothing stops the workspace), followed by the workspace's
    key.
    """

    text: str
    moments: tuple[int, ...] = ()
    plan: tuple[str, ...] = ()


class Markup(str):
    """A string that is already in Slack's markup, so it isn't escaped again."""

    __slots__ = ()

    def __new__(cls, text: str = "") -> Self:
        """Return the text as markup. A ``Dated`` text keeps its times."""
        return cast("Self", text) if isinstance(text, Dated) else super().__new__(cls, text)


class Dated(Markup):
    """Markup that is divided into lines, and lines into parts. Some of the parts mention times."""

    __slots__ = ("lines", "moments")
    lines: tuple[tuple[Part, ...], ...]
    moments: tuple[int, ...]

    def __new__(cls, lines: Iterable[Iterable[Part]]) -> Self:
        """Build the text from its lines."""
        parts = tuple(tuple(line) for line in lines)
        text = "\n".join(" ".join(part.text for part in line) for line in parts)
        made = str.__new__(cls, text)
        made.lines = parts
        made.moments = tuple(dict.fromkeys(at for line in parts for part in line for at in part.moments))
        return made

    @property
    def parts(self) -> Iterable[Part]:
        """Return the text's parts in order, without the division into lines."""
        return (part for line in self.lines for part in line)

    def rewrite(self, text: str) -> Dated:
        """Return ``text`` as markup that mentions the same times as this markup."""
        return Dated([[Part(text, self.moments)]])

    def drop(self, has_passed: Callable[[Part], bool]) -> str:
        """Return the text, but cut off each line before the first part whose time has passed."""
        left: list[list[Part]] = []
        for line in self.lines:
            passed = next((at for at, part in enumerate(line) if has_passed(part)), len(line))
            if passed or not line:
                left.append([*line[:passed]])
        return Dated(left)


def list_parts(blocks: Iterable[Mapping[str, Any]]) -> list[Part]:
    """Return the parts of all ``Dated`` strings in these blocks."""
    found: list[Part] = []
    for block in blocks:
        for one in block.get("elements", ()) if block["type"] == "context" else (block.get("text") or {},):
            text = one.get("text")
            if isinstance(text, Dated):
                found += text.parts
    return found


def join(texts: Iterable[str], between: str = " ") -> str:
    """Join strings with ``between``.

    Joined with a space (sentences) or a newline (lines), they keep their separate parts. With any other
    ``between``, the result is a single part.
    """
    texts = list(texts)
    if Dated not in map(type, texts):
        return between.join(texts)
    if between not in {" ", "\n"}:
        moments = [at for text in texts if isinstance(text, Dated) for at in text.moments]
        return Dated([[Part(between.join(texts), tuple(moments))]])
    lines: list[list[Part]] = []
    for number, text in enumerate(texts):
        own = text.lines if isinstance(text, Dated) else [[Part(line)] for line in text.split("\n")]
        first, *rest = [list(line) for line in own]
        if number and between == " ":
            lines[-1] += first
        else:
            lines.append(first)
        lines += rest
    return Dated(lines)


def announce(side: str, workspace_id: str, text: str) -> str:
    """Mark a string as an announcement that a workspace will ``start`` or ``stop`` at the times it mentions.

    With the side ``nothing``, it announces that nothing will stop the workspace, which is true as long as the
    plan holds.
    """
    lines = text.lines if isinstance(text, Dated) else ((Part(text),),)
    plan, is_dated = (side, workspace_id), side != "nothing"
    return Dated(
        [one if is_dated and not one.moments else one._replace(plan=plan) for one in line] for line in lines
    )
