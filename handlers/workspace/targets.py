"""Resolve which workspace a request is about: by a button's key, a name, or because there is only one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.messages.blocks import replies, timers
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import answers as words
from bot.services import naming
from handlers.linking.account import link_any
from handlers.request import Answered
from handlers.waiting import look, unread
from handlers.welcome import first_steps, what

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import Account, Answer, Workspace
    from handlers.request import Request


#: The verbs that mean a person's default workspace: none of them takes anything away.
_FOLLOWS_DEFAULT = frozenset({"start", "open", "resume", "status"})


async def workspace_of(request: Request, *, guesses: bool = True) -> Workspace:
    """Return the workspace; raises Answered with a question or a hint, or Refused.

    Without a name it is the only one, or the person's default; with ``guesses`` False a name is required
    even then.
    """
    workspaces = request.services.workspaces
    if request.target is not None:
        return await workspaces.owned(request.principal, request.verb, request.target)
    if not request.name:
        rows, old = await request.services.store.workspaces(request.principal), None
        if not rows:
            old, rows = await old_and_rows(request)
        usual = await _usual(request, rows) if guesses else None
        if usual is not None:
            return usual
        raise Answered(await nothing_yet(request, old) if not rows else which_of_all(request, rows))
    return await named(request, request.name)


async def _usual(request: Request, rows: Sequence[Workspace]) -> Workspace | None:
    """Return what is meant without a name: the only one, or the person's own default where nothing ends."""
    if len(rows) == 1:
        return rows[0]
    if request.verb not in _FOLLOWS_DEFAULT:
        return None
    wanted = await request.services.preferences.of(request.principal)
    return next((one for one in rows if one.id == wanted.workspace_id), None)


async def named(request: Request, name: str) -> Workspace:
    """Return the workspace with this name; raises Answered if there is none, or more than one."""
    rows, old = await request.services.store.workspaces(request.principal), None
    found = naming.find(name, rows, request.services.connections)
    if found.kind not in ("one", "many"):
        old, rows = await old_and_rows(request)
        found = naming.find(name, rows, request.services.connections)
    if found.kind == "one":
        return found.workspaces[0]
    if found.kind == "many":
        raise Answered(_which_of_these(request, name, found.workspaces, rows))
    raise Answered(await _unknown(request, name, found.workspaces, old, has_any=bool(rows)))


async def nothing_yet(request: Request, old: Sequence[Account] | None) -> Answer:
    """Answer somebody without workspaces: link, wait for the list, or make one."""
    services = request.services
    linkless = {name for name, _ in services.linkless()}
    links = await services.store.accounts(request.principal)
    accounts = [account for account in links if account.connection not in linkless]
    if not any(account.state == "active" for account in accounts):
        return link_any(request)
    sentence = await look(request, services.workspaces, words.LOOKING_AT_YOURS, old=old)
    if sentence:
        return replies.answer(sentence)
    if request.problem:
        return replies.problem(unread(request), request.reference)
    # The list was read and is empty; if none could be read (a server without lists), people use `add`.
    if any(account.discovered_at is not None for account in accounts):
        titles = services.titles(account.connection for account in accounts)
        return await _empty(request, fill(words.NONE_YET, titles=titles))
    return await _empty(request, fill(words.NONE_BUT_ADD, command=request.command))


async def _empty(request: Request, sentence: str) -> Answer:
    """Answer with an empty list: what Usher is, and what may be done next."""
    steps = await first_steps(request.services, request.principal)
    if request.verb == "list":
        sentence = f"{sentence} {what(request.services)}"
    return replies.answer(sentence, steps)


def which_of_all(request: Request, rows: Sequence[Workspace]) -> Answer:
    """Ask which workspace is meant if no name was given."""
    buttons = _choices(request, rows, labels_of(rows, rows))
    return replies.answer(
        fill(words.WHICH_OF_ALL, command=request.command, verb=Markup(request.verb)), buttons
    )


def _which_of_these(
    request: Request, name: str, found: Sequence[Workspace], rows: Sequence[Workspace]
) -> Answer:
    labels = labels_of(found, rows)
    is_same = len({naming.fold(one.title) for one in found}) == 1
    sentence = fill(words.WHICH if is_same else words.WHICH_BEGINNING, name=name)
    more = fill(words.WHICH_AT, command=request.command, verb=Markup(request.verb), example=labels[0])
    return replies.hint(sentence, _choices(request, found, labels), more=more)


async def old_and_rows(request: Request) -> tuple[list[Account], list[Workspace]]:
    """Return accounts with outdated lists, then the workspaces; a list may arrive in between."""
    workspaces = request.services.workspaces
    old = await workspaces.stale(request.principal, besides=request.looked)
    return old, await request.services.store.workspaces(request.principal)


async def _unknown(
    request: Request,
    name: str,
    near: Sequence[Workspace],
    old: Sequence[Account] | None,
    *,
    has_any: bool,
) -> Answer:
    """Say that there is no such name, suggest similar ones, and check again if the list is outdated."""
    if not has_any:
        return await nothing_yet(request, old)
    looking = await look(request, request.services.workspaces, words.LOOKING_FOR_IT, old=old)
    if looking:
        return replies.answer(looking)
    sentence = fill(words.UNKNOWN_NAME, name=name)
    more: list[str] = [unread(request)] if request.problem else []
    buttons = _choices(request, near, labels_of(near, near))
    if near:
        offered = (
            words.NEAREST if buttons else f"{words.NEAREST} {', '.join(line(one.title) for one in near)}"
        )
        more.append(offered)
    if not more:
        more = [fill(words.UNKNOWN_NEXT, command=request.command)]
    return replies.hint(sentence, buttons, more=" ".join(more))


def _choices(request: Request, found: Sequence[Workspace], labels: Sequence[str]) -> list[dict[str, object]]:
    if request.at is not None or request.verb == "keep":
        return timers.choices(request.verb, found, labels, request.at)
    return replies.choices(request.verb, found, labels, request.services.workspaces.effects)


def labels_of(found: Sequence[Workspace], rows: Sequence[Workspace]) -> list[str]:
    """Return distinct names: with the connection if two are the same."""
    return [
        one.title
        if sum(naming.fold(other.title) == naming.fold(one.title) for other in rows) == 1
        else naming.address(one, rows)
        for one in found
    ]
