"""Our own markup, and the moments that its parts name; pure.

A sentence about a moment to come is true until then. Whoever fills it gives the moment, so it is known, and
never looked for in the words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Self, TypeAlias, cast

#: A sentence to fill, or several that come one after another.
Template: TypeAlias = str | tuple[str, ...]


class Part(NamedTuple):
    """A part of a line, the moments that it names, and what it says is planned for these.

    A plan is a side, ``start`` or ``stop``, or that ``nothing`` stops it, and a workspace's key; () for none.
    """

    text: str
    moments: tuple[int, ...] = ()
    plan: tuple[str, ...] = ()


class Markup(str):
    """A text of our own Slack markup: it is not escaped again."""

    __slots__ = ()

    def __new__(cls, text: str = "") -> Self:
        """Return the text; one that names moments keeps them."""
        return cast("Self", text) if isinstance(text, Dated) else super().__new__(cls, text)


class Dated(Markup):
    """Markup in lines of parts, of which some name moments."""

    __slots__ = ("lines", "moments")
    lines: tuple[tuple[Part, ...], ...]
    moments: tuple[int, ...]

    def __new__(cls, lines: Iterable[Iterable[Part]]) -> Self:
        """Return the text of these lines."""
        parts = tuple(tuple(line) for line in lines)
        text = "\n".join(" ".join(part.text for part in line) for line in parts)
        made = str.__new__(cls, text)
        made.lines = parts
        made.moments = tuple(dict.fromkeys(at for line in parts for part in line for at in part.moments))
        return made

    @property
    def parts(self) -> Iterable[Part]:
        """Return the parts of all lines."""
        return (part for line in self.lines for part in line)

    def rewrite(self, text: str) -> Dated:
        """Return another text that names the same moments."""
        return Dated([[Part(text, self.moments)]])

    def drop(self, has_passed: Callable[[Part], bool]) -> str:
        """Return the text without its parts that have passed, and what follows them in their lines."""
        left: list[list[Part]] = []
        for line in self.lines:
            passed = next((at for at, part in enumerate(line) if has_passed(part)), len(line))
            if passed or not line:
                left.append([*line[:passed]])
        return Dated(left)


def list_parts(blocks: Iterable[Mapping[str, Any]]) -> list[Part]:
    """Return the parts of texts of blocks that name moments, or say what is planned."""
    found: list[Part] = []
    for block in blocks:
        for one in block.get("elements", ()) if block["type"] == "context" else (block.get("text") or {},):
            text = one.get("text")
            if isinstance(text, Dated):
                found += text.parts
    return found


def join(texts: Iterable[str], between: str = " ") -> str:
    """Join sentences to a line, or lines with a line end ``between`` them; their parts stay apart.

    What is joined in another way is one part.
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
    """Return a text that says that a workspace is to ``start`` or ``stop`` at its moments, or at none.

    It is true while that is planned, or while ``nothing`` is.
    """
    lines = text.lines if isinstance(text, Dated) else ((Part(text),),)
    plan, is_dated = (side, workspace_id), side != "nothing"
    return Dated(
        [one if is_dated and not one.moments else one._replace(plan=plan) for one in line] for line in lines
    )
