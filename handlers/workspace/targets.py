"""Which workspace a request means: by a button's key, by a name, or the only one there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.blocks import replies
from bot.blocks.limits import Markup, fill, line, safe
from bot.services import naming
from bot.words import answers as words
from bot.words import problems
from handlers.request import Answered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.models import Account, Answer, Workspace
    from handlers.request import Request


async def workspace_of(request: Request) -> Workspace:
    """Return the workspace that is meant; raises Answered with a question or a hint, or Refused."""
    workspaces = request.services.workspaces
    if request.target is not None:
        return await workspaces.owned(request.principal, request.verb, request.target)
    if not request.name:
        rows = await workspaces.all_of(request.principal)
        if not rows and await _list_is_there(request):
            rows = await workspaces.all_of(request.principal)
        if len(rows) == 1:
            return rows[0]
        raise Answered(await nothing_yet(request) if not rows else which_of_all(request, rows))
    return await named(request, request.name)


async def named(request: Request, name: str) -> Workspace:
    """Return the workspace of this name; raises Answered where it is none, or more than one."""
    rows = await request.services.workspaces.all_of(request.principal)
    found = naming.find(name, rows, request.services.connections)
    if found.kind not in ("one", "many") and await _list_is_there(request):
        rows = await request.services.workspaces.all_of(request.principal)
        found = naming.find(name, rows, request.services.connections)
    if found.kind == "one":
        return found.workspaces[0]
    if found.kind == "many":
        raise Answered(_which_of_these(request, name, found.workspaces, rows))
    raise Answered(await _unknown(request, name, found.workspaces, has_any=bool(rows)))


async def linked(request: Request, connection: str) -> None:
    """Return when the person's account at a connection works; raises Answered with *Link* otherwise."""
    account = await request.services.accounts.acting(request.principal, connection)
    if account is not None and account.state == "active":
        return
    title = request.services.title(connection)
    template = words.LINK_REFUSED if account is not None and account.state == "refused" else words.NOT_LINKED
    buttons = replies.link_buttons([(connection, title)], request.text)
    raise Answered(replies.problem(fill(template, title=title), request.reference, buttons))


async def nothing_yet(request: Request) -> Answer:
    """Answer somebody who has no workspaces here: link, wait for the list, or make one."""
    services = request.services
    linkless = {name for name, _ in services.linkless()}
    links = await services.accounts.links(request.principal)
    accounts = [account for account in links if account.connection not in linkless]
    if not any(account.state == "active" for account in accounts):
        return not_linked(request)
    sentence = await _look(request, words.LOOKING_AT_YOURS)
    if sentence:
        return replies.told(sentence)
    if request.problem:
        return replies.problem(unread(request), request.reference)
    # A list that was read and is empty; where none could be read (a server without lists), people add.
    if any(account.discovered_at is not None for account in accounts):
        titles = titles_of(request, [account.connection for account in accounts])
        return replies.told(fill(words.NONE_YET, titles=titles, command=request.command))
    return replies.told(fill(words.NONE_BUT_ADD, command=request.command))


def not_linked(request: Request) -> Answer:
    """Answer with *Link* for every connection that people link to by themselves; the command waits for it.

    Where no link is needed, *New workspace* is offered in its place.
    """
    linkable, linkless = request.services.linkable(), request.services.linkless()
    if not linkable:
        if linkless:
            return replies.told(words.NONE_YET_NEW, replies.new_buttons(linkless))
        return replies.problem(words.NO_CONNECTIONS, request.reference)
    sentence = words.NOT_LINKED_ANY
    if len(linkable) == 1:
        sentence = fill(words.NOT_LINKED, title=linkable[0][1])
    more = fill(words.OR_NEW, titles=titles_of(request, [name for name, _ in linkless])) if linkless else ""
    buttons = [*replies.link_buttons(linkable, request.text), *replies.new_buttons(linkless)]
    return replies.problem(sentence, request.reference, buttons, more=more)


def which_of_all(request: Request, rows: Sequence[Workspace]) -> Answer:
    """Ask which workspace is meant where no name was given."""
    buttons = _choices(request, rows, _labels(rows, rows))
    return replies.told(fill(words.WHICH_OF_ALL, command=request.command, verb=Markup(request.verb)), buttons)


def _which_of_these(
    request: Request, name: str, found: Sequence[Workspace], rows: Sequence[Workspace]
) -> Answer:
    labels = _labels(found, rows)
    is_same = len({naming.fold(one.title) for one in found}) == 1
    sentence = fill(words.WHICH if is_same else words.WHICH_BEGINNING, name=name)
    more = fill(words.WHICH_AT, command=request.command, verb=Markup(request.verb), example=labels[0])
    return replies.problem(sentence, request.reference, _choices(request, found, labels), more=more)


async def _list_is_there(request: Request) -> bool:
    """Say whether no list is old: then it may have come since the rows were read, and they are read again."""
    return not await request.services.workspaces.stale(request.principal, besides=request.looked)


async def _unknown(request: Request, name: str, near: Sequence[Workspace], *, has_any: bool) -> Answer:
    """Say that there is no such name, offer the nearest, and look anew where the list is old."""
    if not has_any:
        return await nothing_yet(request)
    sentence = fill(words.UNKNOWN_NAME, name=name)
    looking = await _look(request, words.LOOKING_FOR_IT)
    more: list[str] = [looking] if looking else [unread(request)] if request.problem else []
    buttons = _choices(request, near, _labels(near, near))
    if near:
        offered = (
            words.NEAREST if buttons else f"{words.NEAREST} {', '.join(line(one.title) for one in near)}"
        )
        more.append(offered)
    if not more:
        more = [fill(words.UNKNOWN_NEXT, command=request.command)]
    return replies.problem(sentence, request.reference, buttons, more=" ".join(more))


async def _look(request: Request, template: str) -> str:
    """Have one old list read anew, with this command waiting; return what to say, empty when none is old.

    One at a time: the command runs after it, and asks for the next one itself where that is still needed.
    """
    if not request.text:
        return ""
    services = request.services
    stale = await services.workspaces.stale(request.principal, besides=request.looked)
    if not stale:
        return ""
    then = waiting_for(request, stale[0])
    await services.workspaces.look(stale[:1], then=then, interaction=request.surface.interaction)
    return fill(template, titles=titles_of(request, [stale[0].connection]))


def waiting_for(request: Request, account: Account) -> dict[str, Any]:
    """Return the command as it waits for an account's list, with what could not be read before it."""
    unread_before = {"problem": request.problem, "unread": request.unread} if request.problem else {}
    asked = {"looked": [*request.looked, account.id], "asked": account.connection}
    return request.waiting() | unread_before | asked


def unread(request: Request) -> str:
    """Say that a list could not be read, and why: nobody may take that for an empty one."""
    title = request.services.title(request.unread)
    why = safe(problems.sentence(request.problem, title))
    return fill(words.UNREAD, title=title, why=why, command=request.command)


def titles_of(request: Request, connections: Iterable[str]) -> Markup:
    """Return the titles of connections as a sentence names them."""
    titles = sorted({line(request.services.title(connection)) for connection in connections})
    return Markup(" and ".join(titles))


def _choices(request: Request, found: Sequence[Workspace], labels: Sequence[str]) -> list[dict[str, object]]:
    return replies.choices(request.verb, found, labels, request.services.workspaces.effects)


def _labels(found: Sequence[Workspace], rows: Sequence[Workspace]) -> list[str]:
    """Return names that differ: with the connection where two have the same one."""
    return [
        one.title
        if sum(naming.fold(other.title) == naming.fold(one.title) for other in rows) == 1
        else naming.address(one, rows)
        for one in found
    ]
