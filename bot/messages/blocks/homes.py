"""A person's Home tab: their list of workspaces, below the answer to the last button they pressed there.

Only that person sees the tab, so names in it may link to workspaces. See ``docs/internals/rules.md``, "An
IDE's address reaches only the owner".
"""

from collections.abc import Sequence
from typing import Any, Final

from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import Block, fill
from bot.messages.blocks.replies import help_button
from bot.messages.blocks.usage import week_button
from bot.messages.texts import cards

#: Maximum number of blocks that the answer to a button takes up on the Home tab. The list of workspaces below
#: the answer can have up to 50 blocks.
MAX_ANSWER_BLOCKS: Final = 20


def render_home(rows: Sequence[Block], answer: Sequence[Block], now: float) -> dict[str, Any]:
    """Render a Home tab: the list and, above it, the answer if a button was pressed."""
    above = [*answer[:MAX_ANSWER_BLOCKS], *([kit.divider()] if answer and rows else [])]
    first = kit.button(cards.REFRESH, ButtonValue("home", "refresh", mark="refresh"))
    if any(press.mark == "refresh" for _, press in kit.iterate_drawn([*above, *rows])):
        first = week_button()
    as_of = kit.context(fill("Page updated at {at}.", at=kit.moment(now, now)))
    return kit.home([*above, *rows, kit.divider(), *kit.actions([first, help_button("workspace")]), as_of])
