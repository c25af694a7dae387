"""Finds quotations in a message (mrkdwn): code blocks and quoted lines, which aren't the sender's words."""

import re
from typing import Final

_BLOCK: Final = re.compile(r"```(.*?)```", re.DOTALL)
#: Matches a code block together with the last character before it on the same line.
_BLOCK_AFTER: Final = re.compile(rf"([^\s`][ \t]*)?{_BLOCK.pattern}", re.DOTALL)
_INLINE_CODE: Final = re.compile(r"(\w?)`+([^`\n]+)`+(?=(\w?))")
#: Matches the sign that begins a quoted line, as Slack sends it. Three in a row quote everything that
#: follows.
_QUOTE: Final = r"(?:&(?:amp;)?gt;|>)"
_STRUCK_BEGINNING: Final = re.compile(r"^(?:~(?=[^\s~])[^~\n]*(?<=\S)~(?![\w~])\s*)+")
_QUOTED_LINE: Final = re.compile(rf"\s*{_QUOTE}")
_QUOTED_REST: Final = re.compile(rf"\s*{_QUOTE}{{3}}")
_QUOTE_MARKS: Final = re.compile(rf"^[ \t]*{_QUOTE}+[ \t]*", re.MULTILINE)
_LEADING: Final = re.compile(rf"(?:\s*(?:{_BLOCK.pattern}|{_QUOTE}{{3}}.*|{_QUOTE}[^\n]*))*\s*", re.DOTALL)


def drop_quotations(text: str) -> str:
    """Remove code blocks and quoted lines from a message.

    If nothing would be left, return the message unchanged.
    """
    remaining = _drop_quoted_lines(_BLOCK_AFTER.sub(_drop_block, text))
    return remaining if remaining.strip() else text


def drop_struck_beginning(text: str) -> str:
    """Remove struck-out words at the start of a message.

    If nothing would be left, return the message unchanged.
    """
    return _STRUCK_BEGINNING.sub("", text) or text


def skip_quotations(text: str) -> str:
    """Remove code blocks and quoted lines from the beginning of a message."""
    match = _LEADING.match(text)
    return text[match.end() :] if match else text


def read_quotation(text: str) -> str | None:
    """If a message consists only of code and quoted lines, return their contents, otherwise None."""
    if _drop_quoted_lines(_INLINE_CODE.sub(r"\1", _BLOCK.sub("\n", text))).strip():
        return None
    words = drop_code_marks(_BLOCK.sub(r"\1", _QUOTE_MARKS.sub("", text)))
    return words if words != text else None


def drop_code_marks(text: str) -> str:
    """Remove the marks around inline code. Spaces keep the code apart from adjacent words."""
    return _INLINE_CODE.sub(_replace_code, text)


def _replace_code(code: re.Match[str]) -> str:
    before, inside, after = code.groups()
    return f"{before}{' ' if before else ''}{inside}{' ' if after else ''}"


def _drop_quoted_lines(text: str) -> str:
    lines = text.split("\n")
    end = next((at for at, line in enumerate(lines) if _QUOTED_REST.match(line)), len(lines))
    return "\n".join(line for line in lines[:end] if not _QUOTED_LINE.match(line))


def _drop_block(block: re.Match[str]) -> str:
    """Replace a code block with a line break. If it is short and inside a line, replace it with its words."""
    before, code = block[1] or "", block[2]
    return f"{before} {code} " if before and "\n" not in code else f"{before}\n"
