"""The account that a verb acts through, or the buttons that link it: with a token, or by an administrator."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from bot.domain.notices import Answer
from bot.domain.people import Account
from bot.messages.blocks import replies
from bot.messages.blocks.limits import fill
from bot.messages.texts import answers as words
from handlers.request import Answered, Request
from handlers.services import Services
from handlers.welcome import what


async def linked(request: Request, connection: str) -> Account:
    """Return the person's account on a connection if it works; raises Answered with *Link* otherwise."""
    account = await request.services.accounts.acting(request.principal, connection)
    if account is not None and account.state == "active":
        return account
    is_refused = account is not None and account.state == "refused"
    sentence = fill(
        words.LINK_REFUSED if is_refused else words.NOT_LINKED, title=request.services.title(connection)
    )
    raise Answered(link_first(request, sentence, [connection]))


def link_first(request: Request, sentence: str, connections: Iterable[str]) -> Answer:
    """Answer with the ways to link some connections; the request waits for it."""
    names = list(connections)
    buttons = ways(request.services, names, request.text)
    # Connections that people can't link themselves are offered too: a click says why not.
    links = [(name, request.services.title(name)) for name in names]
    return replies.hint(sentence, buttons or replies.link_buttons(links, request.text))


def link_any(request: Request) -> Answer:
    """Answer with the ways to link every connection; the command waits for it.

    If no link is needed, *New workspace* is offered instead. An empty list also says what Usher is.
    """
    services = request.services
    linkless, linking = services.linkless(), services.linking()
    buttons = replies.ways(linking, request.text)
    is_list = request.folder == "workspace" and request.verb == "list"
    if not buttons:
        head = [what(services)] if is_list else []
        if linkless:
            return replies.answer("\n".join([*head, words.NONE_YET_NEW]), replies.new_buttons(linkless))
        return replies.hint(words.NO_CONNECTIONS)
    sentence = words.NOT_LINKED_ANY
    if is_list:
        sentence = replies.begins(what(services))
    elif len(linking) == 1:
        sentence = fill(words.NOT_LINKED, title=linking[0][1])
    return replies.hint(sentence, [*buttons, *replies.new_buttons(linkless, first=len(buttons))])


def ways(services: Services, connections: Collection[str], waiting: str = "") -> list[dict[str, Any]]:
    """Return a button for each of some connections that links it, in the order of a Home.

    ``waiting`` is the command that runs once one of them is linked.
    """
    return replies.ways([one for one in services.linking() if one[0] in connections], waiting)
