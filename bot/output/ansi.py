"""Remove terminal escapes from a text that comes in pieces, which may be cut anywhere.

Source of the grammar: ECMA-48, 5.3–5.6 (control sequences, control strings, escape sequences).
"""

from __future__ import annotations

import re
from typing import Final

#: A control string (a title, a link's address) ends with BEL or ST. Here it never spans lines, so that an
#: unterminated one costs a line and not the rest; anything longer than this isn't treated as one.
_CONTROL_STRING: Final = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]{0,4096}"
_CONTROL_SEQUENCE: Final = r"(?:\x1b\[|\x9b)[\x30-\x3f]{0,256}[\x20-\x2f]{0,16}"
_WHOLE: Final = re.compile(
    rf"{_CONTROL_SEQUENCE}[\x40-\x7e]"
    rf"|{_CONTROL_STRING}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[\x20-\x2f]{1,16}[\x30-\x7e]"
    r"|\x1b[\x30-\x4f\x51-\x57\x59\x5a\x5c\x60-\x7e]"
)
#: What may still become one of these once more text arrives.
_BEGUN: Final = re.compile(rf"(?:{_CONTROL_SEQUENCE}|{_CONTROL_STRING}\x1b?|\x1b[\x20-\x2f]{{0,16}})\Z")
_INTRODUCERS: Final = re.compile("[\x1b\x90\x98\x9b\x9d-\x9f]")
#: Line feed, carriage return, backspace and tab have a meaning here; other control characters are dropped.
_CONTROLS: Final = re.compile("[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class EscapeRemover:
    """Remove escapes and control characters from one stream; keep line ends, returns, backspaces, tabs."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Return the text that is certain by now; an incomplete sequence waits for its end."""
        text = self._held + text
        self._held = ""
        plain: list[str] = []
        at = 0
        while (begin := _INTRODUCERS.search(text, at)) is not None:
            plain.append(text[at : begin.start()])
            at = begin.start()
            whole = _WHOLE.match(text, at)
            if whole is not None:
                at = whole.end()
            elif _BEGUN.match(text, at):
                self._held = text[at:]
                at = len(text)
            else:
                at += 1
        plain.append(text[at:])
        return _CONTROLS.sub("", "".join(plain))
