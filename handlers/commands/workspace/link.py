"""Offer to link an account; the button's click answers with a fresh link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.words import answers as words
from handlers.approving import ask_button, asked, question
from handlers.connecting import connection_of
from handlers.targets import titles_of

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with *Link* for one connection or for all; ``link code`` asks for the code of the page."""
    services = request.services
    if request.name.casefold() == "code" and "code" not in services.connections:
        return replies.code_question()
    linkable, linkless = services.linkable(), services.linkless()
    if request.name:
        chosen, username = _chosen(request)
        if chosen in dict(linkless):
            return _needless(request, [(chosen, services.title(chosen))])
        by_token = chosen in {name for name, _ in linkable}
        if chosen in services.approvals.possible() and (username or not by_token):
            return await (asked(request, chosen, username) if username else question(request, chosen))
        # One that people can't link to by themselves is offered too: its click says why not.
        linkable = [(chosen, services.title(chosen))]
    approved = [] if request.name else services.approvals.possible()
    if not linkable and len(approved) == 1:
        return await question(request, approved[0])
    buttons = [
        *replies.link_buttons(linkable),
        *(ask_button(name, services.title(name), number) for number, name in enumerate(approved)),
    ]
    if not buttons:
        if linkless:
            return _needless(request, linkless)
        return replies.problem(words.NO_CONNECTIONS, request.reference)
    if len(buttons) > 1:
        return replies.told(words.LINK_WHICH, buttons)
    connection, title = linkable[0]
    account = await services.store.account(request.principal, connection)
    template = words.LINK_ONE
    if account is not None and account.state == "active":
        template = words.LINKED_AS
        return replies.told(fill(template, title=title, username=account.username), buttons)
    return replies.told(fill(template, title=title), buttons)


def _needless(request: Request, linkless: list[tuple[str, str]]) -> Answer:
    titles = titles_of(request, [name for name, _ in linkless])
    return replies.told(fill(words.LINK_NONE, titles=titles), replies.new_buttons(linkless))


def _chosen(request: Request) -> tuple[str, str]:
    """Return the connection and the username after it; titles with blanks have no room for one."""
    if len(request.arguments) == 2:
        providers = request.services.connections
        connection, username = request.arguments
        if connection.casefold() in providers:
            return connection.casefold(), username
    return connection_of(request, request.name), ""
