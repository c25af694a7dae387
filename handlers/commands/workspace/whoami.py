"""Show a person who they are taken for, and what they have linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import kit, replies
from bot.blocks.limits import Markup, fill
from bot.words import answers as words
from bot.words import cards

if TYPE_CHECKING:
    from bot.models import Account, Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with the principal and the links; nothing in it is a secret."""
    services = request.services
    sentences = [fill(words.WHOAMI, who=request.who, team=Markup(request.principal.team_id))]
    if services.authority.is_administrator(request.principal):
        sentences.append(words.WHOAMI_ADMINISTRATOR)
    accounts = {account.connection: account for account in await services.accounts.links(request.principal)}
    linkless = {name for name, _ in services.linkless()}
    lines = [
        fill(words.WHOAMI_LINKLESS, title=services.title(connection))
        if connection in linkless
        else _line(services.title(connection), accounts.get(connection), services.clock.now())
        for connection in sorted({*services.connections, *accounts})
    ]
    missing = [(name, title) for name, title in services.linkable() if name not in accounts]
    refused = [
        (name, title) for name, title in services.linkable() if name in accounts and accounts[name].is_refused
    ]
    again = cards.LINK_AGAIN if len(refused) == 1 else cards.LINK_AGAIN_TO
    buttons = replies.link_buttons(missing)
    buttons += replies.link_buttons(refused, template=again, first=len(missing))
    text = "\n".join([" ".join(sentences), *lines])
    blocks = [kit.section(text), *kit.actions(buttons)]
    return kit.answer(kit.bare(sentences[0]), blocks)


def _line(title: str, account: Account | None, now: float) -> str:
    if account is None:
        return fill(words.WHOAMI_NOT_LINKED, title=title)
    if account.state == "refused":
        return fill(words.WHOAMI_REFUSED, title=title)
    template = words.WHOAMI_LINKED if account.username else words.WHOAMI_LINKED_NAMELESS
    linked = fill(template, title=title, username=account.username)
    if account.refused_since is None:
        return linked
    return fill(words.WHOAMI_SUSPECTED, linked=Markup(linked), since=kit.moment(account.refused_since, now))
