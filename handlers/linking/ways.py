"""The ways in which a person may link connections: with their own token, or approved by an administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.messages.blocks import replies
from bot.messages.blocks.limits import fill
from bot.messages.texts import welcome as words
from handlers.linking.approvals import ask_button

if TYPE_CHECKING:
    from collections.abc import Collection

    from handlers.services import Services


def ways(
    services: Services, connections: Collection[str], waiting: str = ""
) -> tuple[list[dict[str, Any]], str]:
    """Return the buttons that link some connections, and the difference between two ways to link one, or "".

    ``waiting`` is the command that runs once one of them is linked.
    """
    tokens = [(name, title) for name, title in services.linkable() if name in connections]
    approved = [name for name in services.approvals.possible() if name in connections]
    buttons = replies.link_buttons(tokens, waiting)
    for number, name in enumerate(approved):
        button = ask_button(name, services.title(name), number, text=waiting)
        if buttons:
            button.pop("style", None)
        buttons.append(button)
    both = {name for name, _ in tokens} & set(approved)
    return buttons, fill(words.TWO_WAYS, titles=services.titles(both)) if both else ""
