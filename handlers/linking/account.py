"""The account that a verb acts through, or a button that links it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.messages.blocks import replies
from bot.messages.blocks.limits import fill
from bot.messages.texts import answers as words
from handlers.request import Answered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.models import Account, Answer
    from handlers.request import Request


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
    """Answer with *Link* for some connections; the request waits for it."""
    links = [(name, request.services.title(name)) for name in connections]
    return replies.hint(sentence, replies.link_buttons(links, request.text))


def link_any(request: Request) -> Answer:
    """Answer with *Link* for every connection that people link themselves; the command waits for it.

    If no link is needed, *New workspace* is offered instead.
    """
    services = request.services
    linkable, linkless = services.linkable(), services.linkless()
    if not linkable:
        if linkless:
            return replies.answer(words.NONE_YET_NEW, replies.new_buttons(linkless))
        return replies.hint(words.NO_CONNECTIONS)
    sentence = words.NOT_LINKED_ANY
    if len(linkable) == 1:
        sentence = fill(words.NOT_LINKED, title=linkable[0][1])
    titles = services.titles(name for name, _ in linkless)
    more = fill(words.OR_NEW, titles=titles) if linkless else ""
    buttons = [*replies.link_buttons(linkable, request.text), *replies.new_buttons(linkless)]
    return replies.hint(sentence, buttons, more=more)
