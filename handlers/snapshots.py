"""Providers' lists and offers (what people can create or run), for the commands that need them.

A command uses the cached list or offer, or waits until a new one has been read.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from bot.domain.accounts import Account
from bot.domain.forms import Purpose
from bot.domain.snapshots import Snapshot
from bot.domain.surfaces import Where
from bot.domain.tasks import TaskKind
from bot.messages.blocks import replies
from bot.messages.blocks.kit import Markup, fill, safe
from bot.messages.texts import answers, problems
from bot.services import snapshots
from bot.services.creation import PersonalOffer
from handlers.linking import require_account
from handlers.requests.deferred_command import DeferredCommand
from handlers.requests.request import SILENT, Answered, Request


async def refresh_lists(
    request: Request,
    kind: TaskKind,
    template: str,
    *,
    text: str | None = None,
    connection: str | None = None,
    old: Sequence[Account] | None = None,
    updates: bool = False,
    **values: str,
) -> str:
    """Request reads of outdated lists and defer this command. Return a sentence that says so, or "".

    If no list is out of date, return "". Otherwise, the command runs again once the first list has been read.
    If it then still needs the next list, it waits for that list. The sentence is said only once: later runs
    raise Answered with nothing to say.

    - ``text`` runs in place of the command.
    - ``connection`` limits all this to the list of that connection.
    - ``values`` are for the template, in addition to ``title`` and ``titles``.
    - ``old`` are the accounts whose lists were out of date before the rows behind the answer were read. Those
      rows don't include a list that arrived in the meantime.
    - ``updates`` is passed to ``DeferredCommand``.
    """
    text = request.text if text is None else text
    if old is None:
        old = await request.caller.read(snapshots.list_stale, kind, request.deferred.looked)
    if not text:
        return ""
    stale = [account_ for account_ in old if connection in {None, account_.connection}]
    if not stale:
        return ""
    account = stale[0]
    then = replace(
        _defer_for_account(account, request.defer(text)),
        asked=request.failed_connection or account.connection,
        problem=request.deferred.problem,
        updates=updates,
    ).as_body()
    if not request.is_live:
        # The reads of the other lists were requested together with the read of the first.
        await request.caller.run(snapshots.request_read, kind, [account.id], then)
        raise Answered(SILENT)
    await request.caller.run(snapshots.request_read, kind, [one.id for one in stale], then)
    titles = request.services.titles(account_.connection for account_ in stale)
    return fill(template, titles=titles, title=titles, **values)


def filter_by_connection(accounts: Sequence[Account], names: Collection[str | None]) -> list[Account]:
    """Return the accounts on these connections. If no connection is given, return all accounts."""
    connections = set(names) - {None}
    return [account for account in accounts if not connections or account.connection in connections]


async def refresh_in_background(
    request: Request, kind: TaskKind, old: Sequence[Account], template: str
) -> str:
    """While showing cached lists, request reads of those that are outdated. Return a hint about this, or "".

    After a click, in a Home tab and in a direct message, the answer can be edited, so an answer with the new
    list replaces it. In other places, people are asked to press *Refresh*. An assistant can't press it, so it
    isn't asked to.
    """
    deferred, surface = request.deferred, request.surface
    is_late = deferred.is_late(request.services.clock.now())
    if deferred.updates and is_late and surface.where is not Where.HOME:
        raise Answered(SILENT)
    if deferred.updates and deferred.problem:
        return describe_read_failure(request)
    is_redrawn = surface.kind == "button" and request.target is not None
    is_typed = surface.kind == "message" and surface.where is Where.DIRECT
    # The list in a Home tab would replace the question above it, which the user may be about to answer.
    is_home = surface.where is Where.HOME and not surface.is_question
    if is_redrawn or is_typed or deferred.updates or is_home:
        folder = "job " if request.folder == "job" else ""
        text = f"{folder}list {request.target}" if is_redrawn else request.text
        return await refresh_lists(request, kind, answers.CHECKING, text=text, old=old, updates=True)
    if not old:
        return ""
    await request.caller.run(snapshots.request_read, kind, [account.id for account in old])
    hint = fill(template, titles=request.services.titles(account.connection for account in old))
    return hint if surface.kind == "assistant" else f"{hint} {answers.PRESS_REFRESH}"


def describe_read_failure(request: Request) -> str:
    """Explain that a list couldn't be read, so that nobody takes it for empty."""
    title = request.services.title(request.failed_connection)
    why = safe(problems.explain_unread(request.deferred.problem, title))
    is_home = request.surface.where is Where.HOME
    again = answers.PRESS_REFRESH if is_home else request.fill("To try again, type `{command}list`.")
    return fill(answers.UNREAD, title=title, why=why, again=Markup(again))


async def require_offer(
    request: Request, connection: str, purpose: Purpose, *, asking: str, nothing: str
) -> PersonalOffer:
    """Return what a connection offers to the user.

    If the account isn't linked, raise Answered with *Link*. While the offer is being read, raise Answered
    with ``asking``. If it has just been read and there is none, the answer gives the reason or, if the reason
    isn't known, ``nothing``.
    """
    account = await require_account(request, connection)
    snapshot = await read_cached_offer(request, account)
    if snapshot is None:
        await request_offer(request, account, nothing)
        raise Answered(replies.answer(fill(asking, title=request.services.title(connection))))
    return PersonalOffer(request.services.connections[connection], snapshot, purpose, request.principal)


async def read_cached_offer(request: Request, account: Account) -> Snapshot[Any] | None:
    """Return the offer as it was last read. If it is outdated, request a new read."""
    context = request.services.context
    snapshot = await snapshots.load_templates(context, account)
    if snapshot is not None and snapshots.is_stale(context, snapshot):
        await request.caller.run(snapshots.request_templates, account)
    return snapshot


async def request_offer(
    request: Request,
    account: Account,
    nothing: str,
    *,
    buttons: Sequence[dict[str, Any]] = (),
    then: DeferredCommand | None = None,
) -> None:
    """Request a read of an offer. Until it is done, defer this command, or ``then`` instead.

    If the offer has just been read and there is none, raise Answered with ``buttons``.
    """
    if account.id in request.deferred.looked:
        title = request.services.title(account.connection)
        if request.deferred.problem:
            why = safe(problems.explain_unread(request.deferred.problem, title))
            raise Answered(replies.problem(why, request.reference, buttons))
        raise Answered(replies.hint(fill(nothing, title=title), buttons))
    waiting = _defer_for_account(account, then or request.defer()).as_body()
    await request.caller.run(snapshots.request_templates, account, waiting)


def _defer_for_account(account: Account, waiting: DeferredCommand) -> DeferredCommand:
    """Defer a command until an account's list or offer has been read.

    The command won't request the read again.
    """
    return replace(waiting, looked=(*waiting.looked, account.id), is_promised=True)
