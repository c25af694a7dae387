"""The account that a verb acts through, or the buttons that link it: with a token, or by an administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.messages.blocks import approvals, replies
from bot.messages.blocks.limits import fill
from bot.messages.texts import answers as words
from bot.messages.texts import welcome
from handlers.request import Answered
from handlers.welcome import what

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.domain.models import Account, Answer
    from handlers.request import Request
    from handlers.services import Services


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
    buttons, difference = ways(request.services, names, request.text)
    # Connections that people can't link themselves are offered too: a click says why not.
    links = [(name, request.services.title(name)) for name in names]
    return replies.hint(sentence, buttons or replies.link_buttons(links, request.text), more=difference)


def link_any(request: Request) -> Answer:
    """Answer with the ways to link every connection; the command waits for it.

    If no link is needed, *New workspace* is offered instead. An empty list also says what Usher is.
    """
    services = request.services
    linkless = services.linkless()
    buttons, difference = ways(services, services.connections, request.text)
    head = [what(services)] if request.folder == "workspace" and request.verb == "list" else []
    if not buttons:
        if linkless:
            return replies.answer("\n".join([*head, words.NONE_YET_NEW]), replies.new_buttons(linkless))
        return replies.hint(words.NO_CONNECTIONS)
    sentence = words.NOT_LINKED_ANY
    names = {name for name, _ in services.linkable()} | set(services.approvable())
    if len(names) == 1:
        sentence = fill(words.NOT_LINKED, title=services.title(names.pop()))
    titles = services.titles(name for name, _ in linkless)
    more = [difference] if difference else []
    more += [fill(words.OR_NEW, titles=titles)] if linkless else []
    return replies.hint(
        "\n".join([*head, sentence]), [*buttons, *replies.new_buttons(linkless)], more="\n".join(more)
    )


def ways(
    services: Services, connections: Collection[str], waiting: str = ""
) -> tuple[list[dict[str, Any]], str]:
    """Return the buttons that link some connections, and the difference between two ways to link one, or "".

    ``waiting`` is the command that runs once one of them is linked.
    """
    tokens = [(name, title) for name, title in services.linkable() if name in connections]
    possible = services.approvable()
    approved = [(name, services.title(name)) for name in possible if name in connections]
    buttons = approvals.ways(tokens, approved, waiting)
    both = {name for name, _ in tokens} & {name for name, _ in approved}
    return buttons, fill(welcome.TWO_WAYS, titles=services.titles(both)) if both else ""
