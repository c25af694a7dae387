"""The limits of rich text: sections, lists, quotes and preformatted text, and what may stand in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.slack.kit.checks import (
    Report,
    Shape,
    anything,
    boolean,
    integer,
    items,
    one_of,
    string,
    typed,
    url,
)

Checker = Callable[[Any, str, Report], None]

_STYLE = Shape(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "underline", "code", "highlight", "client_highlight", "unlink"), boolean
    ),
)
_STYLED: dict[str, Checker] = {"style": _STYLE}
_ENTITY = string(255)

_TEXT = Shape({"text": string(40_000)}, _STYLED)
_LINK = Shape({"url": url}, {**_STYLED, "text": string(40_000, 0), "unsafe": boolean})
_ELEMENTS: dict[str, Checker] = {
    "text": _TEXT,
    "link": _LINK,
    "emoji": Shape({"name": _ENTITY}, {**_STYLED, "unicode": _ENTITY, "skin_tone": anything, "url": url}),
    "user": Shape({"user_id": _ENTITY}, _STYLED),
    "usergroup": Shape({"usergroup_id": _ENTITY}, _STYLED),
    "channel": Shape({"channel_id": _ENTITY}, _STYLED),
    "team": Shape({"team_id": _ENTITY}, _STYLED),
    "broadcast": Shape({"range": one_of("here", "channel", "everyone")}, _STYLED),
    "color": Shape({"value": _ENTITY}, _STYLED),
    "date": Shape(
        {"timestamp": integer(0, 99_999_999_999), "format": string(2000)},
        {**_STYLED, "url": url, "fallback": string(2000)},
    ),
}
_BORDER: dict[str, Checker] = {"border": integer(0, 1)}
_WORDS = typed(_ELEMENTS)
_SECTION = Shape({"elements": items(_WORDS, 10_000, 0)})
_PREFORMATTED = typed({"text": _TEXT, "link": _LINK})

RICH = typed(
    {
        "rich_text_section": _SECTION,
        "rich_text_list": Shape(
            {
                "style": one_of("bullet", "ordered"),
                "elements": items(typed({"rich_text_section": _SECTION}), 1000),
            },
            {**_BORDER, "indent": integer(0, 8), "offset": integer(0, 1_000_000)},
        ),
        "rich_text_quote": Shape({"elements": items(_WORDS, 10_000)}, _BORDER),
        "rich_text_preformatted": Shape(
            {"elements": items(_PREFORMATTED, 10_000)}, {**_BORDER, "language": string(100)}
        ),
    }
)
