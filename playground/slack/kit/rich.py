"""Rich text: sections, lists, quotes and preformatted text, and the elements allowed in each."""

from __future__ import annotations

from playground.slack.kit.checks import (
    Checker,
    Shape,
    anything,
    boolean,
    integer,
    items,
    string,
    typed,
    url,
)
from playground.slack.kit.published import LIMITS, shape

_STYLE = Shape(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "underline", "code", "highlight", "client_highlight", "unlink"), boolean
    ),
)
#: No limits are published for the contents of rich text. Those for a whole message still apply.
_ID = string(255)
_TEXT = string(40_000)
_URL = url(LIMITS["button.url.max_length"])
_MAX_ELEMENTS = 10_000


def _styled(kind: str, **checks: Checker) -> Checker:
    return shape(kind, style=_STYLE, **checks)


_ELEMENTS: dict[str, Checker] = {
    "text": _styled("text", text=_TEXT),
    "link": _styled("link", url=_URL, text=string(40_000, 0)),
    "emoji": _styled("emoji", name=_ID, unicode=_ID, skin_tone=anything, url=_URL),
    "user": _styled("user", user_id=_ID),
    "usergroup": _styled("usergroup", usergroup_id=_ID),
    "channel": _styled("channel", channel_id=_ID),
    "team": _styled("team", team_id=_ID),
    "broadcast": _styled("broadcast"),
    "color": _styled("color", value=_ID),
    "date": _styled(
        "date", timestamp=integer(0, 99_999_999_999), format=string(2000), url=_URL, fallback=string(2000)
    ),
}
_WORDS = typed(_ELEMENTS)
_SECTION = shape("rich_text_section", elements=items(_WORDS, _MAX_ELEMENTS, 0))
_PREFORMATTED = typed({"text": _ELEMENTS["text"], "link": _ELEMENTS["link"]})


def _border(kind: str) -> Checker:
    return integer(LIMITS[f"{kind}.border.min"], LIMITS[f"{kind}.border.max"])


RICH = typed(
    {
        "rich_text_section": _SECTION,
        "rich_text_list": shape(
            "rich_text_list",
            elements=items(typed({"rich_text_section": _SECTION}), 1000),
            border=_border("rich_text_list"),
            indent=integer(LIMITS["rich_text_list.indent.min"], LIMITS["rich_text_list.indent.max"]),
            offset=integer(LIMITS["rich_text_list.offset.min"], 1_000_000),
        ),
        "rich_text_quote": shape(
            "rich_text_quote", elements=items(_WORDS, _MAX_ELEMENTS), border=_border("rich_text_quote")
        ),
        "rich_text_preformatted": shape(
            "rich_text_preformatted",
            elements=items(_PREFORMATTED, _MAX_ELEMENTS),
            border=_border("rich_text_preformatted"),
            language=string(100),
        ),
    }
)
