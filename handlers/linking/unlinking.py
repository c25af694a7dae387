"""End links: one's own, or as an administrator somebody else's."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.domain.notices import Answer, Spoken
from bot.domain.people import Named
from bot.domain.policy import Target
from bot.messages.blocks import kit, replies
from bot.messages.blocks.limits import Markup, fill
from bot.messages.blocks.lists import SAY
from bot.messages.blocks.notices import unlink_button
from bot.messages.texts import answers as words
from bot.messages.texts import cards
from bot.services import naming
from handlers import routes
from handlers.command_line import written
from handlers.language.reading import Manner
from handlers.linking.account import ways
from handlers.linking.connections import connection_of
from handlers.request import SILENT, Answered, Request

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")


@routes.verb("workspace", "unlink", flags=(kit.AGREED,), does=routes.Does.ENDS)
async def unlink(request: Request) -> Answer:
    """Delete our access, after a question; what is running on the provider keeps running."""
    person = next((found for word in request.arguments if (found := _MENTION.fullmatch(word))), None)
    if person is not None:
        return await _somebody_else(request, person)
    name = request.target or request.name
    accounts = [
        account
        for account in await request.services.store.accounts(request.principal)
        if not _is_everybodys(request, account.connection)
    ]
    whole = naming.find_connection(name, request.services.connections, is_whole=True)
    if whole is not None and _is_everybodys(request, whole):
        title = request.services.title(whole)
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
    if kit.AGREED not in request.flags or request.manner is not Manner.TYPED:
        return _ask(request, connection, [account.connection for account in accounts])
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
            is_answered=not request.shows_cards_here,
        )
    ]
    if not ended:
        return _none_at(request, connection)
    if request.shows_cards_here:
        return SILENT
    gone = {account.connection for account in ended}
    sentence = fill(words.UNLINKED, title=request.services.titles(gone))
    return replies.answer(sentence, ways(request.services, gone))


def _ask(request: Request, connection: str | None, linked: list[str]) -> Answer:
    """Ask once, in the words of the button's own question; None asks about every link."""
    title = request.services.titles([connection] if connection else linked)
    effect = fill(cards.CONFIRM_UNLINK[1], title=title)
    name = written([connection or "all"])
    ask = fill(
        words.TO_CONTINUE, button=cards.UNLINK, command=request.command, typed=Markup("unlink"), name=name
    )
    button = kit.button(cards.UNLINK, kit.Press("unlink", connection or "all", agreed=True), style=kit.DANGER)
    about = Spoken(connection=connection or "", what="unlink", takes_press=True)
    return replace(replies.answer(f"{effect} {ask}", [button]), about=about)


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
    other = replace(request.principal, user_id=person.group(1))
    await request.services.authority.check(
        request.principal, "unlink_other", Target("account", other.key, other)
    )
    who = kit.person(Named(other.user_id))
    name = " ".join(word for word in request.arguments if word != person.group())
    is_all = not name or name.casefold() == "all"
    connection = None if is_all else connection_of(request, name)
    linked_there = await request.services.store.accounts(other)
    if not any(connection in {None, account.connection} for account in linked_there):
        return replies.hint(fill(words.NOTHING_LINKED_OTHER, who=who))
    if kit.AGREED not in request.flags or request.manner is not Manner.TYPED:
        return _ask_about_other(request, other.user_id, connection)
    ended = await request.services.accounts.unlink(
        other,
        connection,
        actor=request.principal.key,
        cause="administrator",
        interaction=request.surface.interaction,
    )
    if not ended:
        return replies.hint(fill(words.NOTHING_LINKED_OTHER, who=who))
    titles = request.services.titles(account.connection for account in ended)
    return replies.answer(fill(words.UNLINKED_OTHER, who=who, title=titles))


def _ask_about_other(request: Request, user_id: str, connection: str | None) -> Answer:
    given = written([connection or "all"])
    titles = request.services.titles([connection] if connection else request.services.connections)
    effect = fill(words.UNLINK_OTHER_EFFECT, who=kit.person(Named(user_id)), title=titles)
    ask = fill(
        words.TO_CONTINUE,
        button=cards.UNLINK,
        command=request.command,
        typed=Markup("unlink"),
        name=f"{given} @PERSON",
    )
    command = f"unlink {given} <@{user_id}> --{kit.AGREED}"
    return replies.answer(f"{effect} {ask}", [kit.button(cards.UNLINK, SAY, command, style=kit.DANGER)])
