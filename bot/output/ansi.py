"""Terminal escapes taken out of a text that comes in pieces, cut anywhere.

Source of the grammar: ECMA-48, 5.3–5.6 (control sequences, control strings, escape sequences).
"""

from __future__ import annotations

import re
from typing import Final

#: A control string (a title, a link's address) ends with BEL or ST. It holds no line break here, so that one
#: that is never ended costs a line and not the rest; one that is longer than this is no sequence.
_CONTROL_STRING: Final = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]{0,4096}"
_CONTROL_SEQUENCE: Final = r"(?:\x1b\[|\x9b)[\x30-\x3f]{0,256}[\x20-\x2f]{0,16}"
_WHOLE: Final = re.compile(
    rf"{_CONTROL_SEQUENCE}[\x40-\x7e]"
    rf"|{_CONTROL_STRING}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[\x20-\x2f]{1,16}[\x30-\x7e]"
    r"|\x1b[\x30-\x4f\x51-\x57\x59\x5a\x5c\x60-\x7e]"
)
#: What may still become one of these when more has come.
_BEGUN: Final = re.compile(rf"(?:{_CONTROL_SEQUENCE}|{_CONTROL_STRING}\x1b?|\x1b[\x20-\x2f]{{0,16}})\Z")
_INTRODUCERS: Final = re.compile("[\x1b\x90\x98\x9b\x9d-\x9f]")
#: Line feed, carriage return, backspace and tab mean something; no other control character does.
_CONTROLS: Final = re.compile("[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class EscapeRemover:
    """Take escapes and control characters out of one stream; keep line ends, returns, backspaces, tabs."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what is plain by now; a sequence that is cut waits for its end."""
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
