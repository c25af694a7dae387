"""The plain-text version of a message's blocks, including URLs, sent along with the blocks or in their place.

People read the plain text if Slack doesn't show the blocks. It is sent only to people who may see the blocks,
so its URLs don't reach anyone else.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bot.domain.notices import Answer
from bot.messages.blocks import kit, limits
from bot.messages.blocks.kit import Block
from bot.messages.texts import notices

#: Actions of the buttons whose URLs are included in the fallback text.
_PURPOSES: Final = frozenset({"open_url", "link_url"})


def make_fallback_text(answer: Answer) -> str:
    """Return the text sent along with an answer's blocks: all lines except a program's output.

    Screen readers read this text instead of the blocks, and phones show its beginning in a notification
    (``docs/internals/slack.md``, "Messages").
    """
    lines = kit.iterate_lines(block for block in answer.blocks if not kit.is_output(block))
    text = "\n".join(kit.strip_markup(kit.strip_links(line)) for line in lines) or answer.text
    return _append_addresses(text, _list_addresses(answer.blocks, _PURPOSES))


def make_plain_text(answer: Answer) -> str:
    """Return an answer as plain text: all its lines, and the URL of each button that opens one."""
    if not answer.blocks:
        return answer.text
    text = "\n".join(kit.strip_markup(line) for line in kit.iterate_lines(answer.blocks)) or answer.text
    below = [notices.TEXT_CUT] if len(text) > limits.MAX_TEXT_LENGTH else []
    return _append_addresses(text, [*below, *_list_addresses(answer.blocks, kit.ADDRESSES)])


def make_plain_view(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return a view in which paragraphs replace the fields and buttons."""
    blocks = view.get("blocks", ())
    lines = [*kit.iterate_lines(blocks)] or [notices.FORM_REFUSED]
    lines += _list_addresses(blocks, kit.ADDRESSES)
    kept = {name: view[name] for name in ("type", "title", "close", "external_id") if name in view}
    return kept | {"blocks": [kit.section(line) for line in lines[: limits.MAX_VIEW_BLOCKS]]}


def _list_addresses(blocks: Iterable[Block], names: frozenset[str]) -> Iterator[str]:
    for drawn, press in kit.iterate_drawn(blocks):
        if "url" in drawn and press.name in names:
            yield f"{drawn['text']['text']}: <{kit.escape_link_url(drawn['url'])}>"


def _append_addresses(text: str, addresses: Iterable[str]) -> str:
    """Append URLs to a message's text. If the result is too long, cut the text rather than a URL."""
    below = ""
    for line in addresses:
        if line not in text + below and len(below) + len(line) < limits.MAX_TEXT_LENGTH // 2:
            below += f"\n{line}"
    return kit.truncate(text, limits.MAX_TEXT_LENGTH - len(below)) + below
