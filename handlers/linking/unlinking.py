"""End links: one's own, or as an administrator somebody else's."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.messages.blocks import kit, replies
from bot.messages.blocks.limits import fill
from bot.messages.blocks.notices import unlink_button
from bot.messages.texts import answers as words
from handlers import routes
from handlers.linking.connections import connection_of
from handlers.linking.ways import ways
from handlers.request import Answered

if TYPE_CHECKING:
    from bot.domain.models import Answer
    from handlers.request import Request

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")


@routes.verb("workspace", "unlink")
async def unlink(request: Request) -> Answer:
    """Delete our access at once; what is running on the provider keeps running."""
    person = next((found for word in request.arguments if (found := _MENTION.fullmatch(word))), None)
    if person is not None:
        return await _somebody_else(request, person)
    name = request.target or request.name
    accounts = [
        account
        for account in await request.services.store.accounts(request.principal)
        if not _is_everybodys(request, account.connection)
    ]
    if name in request.services.connections and _is_everybodys(request, name):
        title = request.services.title(name)
        sentence = fill(words.NOTHING_TO_UNLINK, title=title, command=request.command)
        return replies.hint(sentence)
    if not accounts:
        return replies.hint(fill(words.NOTHING_LINKED, command=request.command))
    if not name:
        buttons = [
            unlink_button(account.connection, request.services.title(account.connection), number)
            for number, account in enumerate(accounts)
        ]
        return replies.answer(words.UNLINK_WHICH, buttons)
    connection = _chosen(request, name, {account.connection for account in accounts})
    ending = [connection] if connection else [account.connection for account in accounts]
    ended = [
        account
        for one in ending
        for account in await request.services.accounts.unlink(
            request.principal,
            one,
            actor=request.principal.key,
            cause="person",
            interaction=f"{request.surface.interaction}/{one}" if request.surface.interaction else "",
        )
    ]
    if not ended:
        raise Answered(_none_at(request, connection))
    gone = {account.connection for account in ended}
    buttons, _ = ways(request.services, gone)
    return replies.answer(fill(words.UNLINKED, title=request.services.titles(gone)), buttons)


def _is_everybodys(request: Request, connection: str) -> bool:
    """Return whether a connection has no user accounts: only our records say who owns what, so keep them."""
    provider = request.services.connections.get(connection)
    return provider is not None and provider.links_by("none")


def _chosen(request: Request, name: str, linked: set[str]) -> str | None:
    """Return the connection, or None for all; one that was removed since is known by its own name."""
    if name in linked:
        return name
    if name.casefold() == "all" and "all" not in request.services.connections:
        return None
    connection = connection_of(request, name)
    if connection not in linked:
        raise Answered(_none_at(request, connection))
    return connection


def _none_at(request: Request, connection: str | None) -> Answer:
    title = request.services.title(connection or "")
    sentence = fill(words.NOTHING_LINKED_AT, title=title, command=request.command)
    return replies.hint(sentence)


async def _somebody_else(request: Request, person: re.Match[str]) -> Answer:
    """End the links of a colleague in the same Slack workspace, for administrators only."""
    await request.services.authority.check(request.principal, "unlink_other")
    other = replace(request.principal, user_id=person.group(1))
    who = kit.mention(other.user_id)
    name = " ".join(word for word in request.arguments if word != person.group())
    is_all = not name or name.casefold() == "all"
    ended = await request.services.accounts.unlink(
        other,
        None if is_all else connection_of(request, name),
        actor=request.principal.key,
        cause="administrator",
        interaction=request.surface.interaction,
    )
    if not ended:
        return replies.hint(fill(words.NOTHING_LINKED_OTHER, who=who))
    titles = request.services.titles(account.connection for account in ended)
    return replies.answer(fill(words.UNLINKED_OTHER, who=who, title=titles))
