"""Offer to link an account; the button's click answers with a fresh link (design §3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.words import answers as words
from handlers.connecting import connection_of

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with *Link* for one connection or for all; ``link code`` asks for the code of the page."""
    services = request.services
    if request.name.casefold() == "code" and "code" not in services.connections:
        return replies.code_question()
    linkable = services.linkable()
    if request.name:
        chosen = connection_of(request, request.name)
        # One that people can't link to by themselves is offered too: its click says why not.
        linkable = [(chosen, services.title(chosen))]
    if not linkable:
        return replies.problem(words.NO_CONNECTIONS, request.reference)
    buttons = replies.link_buttons(linkable)
    if len(linkable) > 1:
        return replies.told(words.LINK_WHICH, buttons)
    connection, title = linkable[0]
    account = await services.store.account(request.principal, connection)
    template = words.LINK_ONE
    if account is not None and account.state == "active":
        template = words.LINKED_AS
        return replies.told(fill(template, title=title, username=account.username), buttons)
    return replies.told(fill(template, title=title), buttons)
