"""Lists and offers of providers for a command: what is known of them, and waiting until they are read."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.domain.accounts import Account
from bot.domain.forms import Purpose
from bot.domain.snapshots import Snapshot
from bot.domain.surfaces import Where
from bot.domain.tasks import TaskKind
from bot.messages.blocks import replies
from bot.messages.blocks.kit import fill, safe
from bot.messages.texts import answers, problems
from bot.services import snapshots
from bot.services.creation import PersonalOffer
from handlers.deferred_command import RESPONSE_SECONDS, DeferredCommand
from handlers.linking import linked
from handlers.request import SILENT, Answered, Request


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
    """Have the outdated lists read, with this command waiting; return what to say, or "" if none is outdated.

    The command runs again once the first of them was read, and waits for the next one by itself if that is
    still needed: what it waits for is said once (Answered with nothing to say from then on). ``text`` runs in
    place of the command; with ``connection``, only its list counts. ``values`` are for the template, besides
    ``title`` and ``titles``. ``old`` are the accounts whose lists were outdated before the
    rows behind the answer were read: a list that arrived in the meantime isn't among those rows. ``updates``
    as ``DeferredCommand`` has it.
    """
    text = request.text if text is None else text
    if old is None:
        old = await request.caller.read(snapshots.stale, kind, request.deferred.looked)
    if not text:
        return ""
    wanted = [one for one in old if connection in {None, one.connection}]
    if not wanted:
        return ""
    account = wanted[0]
    then = replace(
        _then(account, request, request.defer(text)),
        asked=account.connection,
        problem=request.deferred.problem,
        unread=request.failed_connection,
        updates=updates,
    ).as_body()
    if not request.is_live:
        # The others were asked for with the first.
        await request.caller.run(snapshots.read_lists, kind, [account], then)
        raise Answered(SILENT)
    await request.caller.run(snapshots.read_lists, kind, wanted, then)
    titles = request.services.titles(one.connection for one in wanted)
    return fill(template, titles=titles, title=titles, **values)


def filter_by_connection(accounts: Sequence[Account], names: Collection[str | None]) -> list[Account]:
    """Return the accounts on the connections that a request names, all if it names none."""
    places = set(names) - {None}
    return [account for account in accounts if not places or account.connection in places]


#: How long after it was asked for, in seconds, a list is still looked at.
_LOOKED_AT: Final = 120.0


async def refreshed(request: Request, kind: TaskKind, old: Sequence[Account], template: str) -> str:
    """Have outdated lists read behind what is known, and return the remark that says so; "" for none.

    Where the answer can be edited it becomes the list that was read: where a button in it was pressed, and
    in a direct message. ``template`` asks people elsewhere to look again.
    """
    waited, surface = request.deferred, request.surface
    asked_at = waited.response_until - RESPONSE_SECONDS
    if waited.updates and request.services.clock.now() > asked_at + _LOOKED_AT:
        raise Answered(SILENT)
    if waited.updates and waited.problem:
        return unread(request)
    is_redrawn = surface.kind == "button" and request.target is not None
    is_typed = surface.kind == "message" and surface.where is Where.DIRECT
    if is_redrawn or is_typed or waited.updates:
        text = f"list {request.target}" if is_redrawn else request.text
        return await refresh_lists(request, kind, answers.CHECKING, text=text, old=old, updates=True)
    if not old:
        return ""
    await request.caller.run(snapshots.read_lists, kind, old)
    return fill(template, titles=request.services.titles(one.connection for one in old))


def unread(request: Request) -> str:
    """Say that a list could not be read, and why, so that nobody takes it for an empty one."""
    title = request.services.title(request.failed_connection)
    why = safe(problems.sentence(request.deferred.problem, title))
    return request.fill(answers.UNREAD, title=title, why=why)


async def offer_of(
    request: Request, connection: str, purpose: Purpose, *, asking: str, nothing: str
) -> PersonalOffer:
    """Return what a connection offers a person; raises Answered with *Link* first, or as ``offer_to``."""
    account = await linked(request, connection)
    known = await offer_to(request, account, asking=asking, nothing=nothing)
    return PersonalOffer(request.services.connections[connection], known, purpose, request.principal)


async def offer_to(request: Request, account: Account, *, asking: str, nothing: str) -> Snapshot[Any]:
    """Return what an account is offered; raises Answered with ``asking`` while it is being read.

    If it was just read and is missing, the answer is the reason, or ``nothing`` without one.
    """
    known = await known_offer(request, account)
    if known is not None:
        return known
    await ask_for_offer(request, account, nothing)
    title = request.services.titles([account.connection])
    raise Answered(replies.answer(fill(asking, titles=title, title=title)))


async def known_offer(request: Request, account: Account) -> Snapshot[Any] | None:
    """Return the last known offer, and have it refreshed if it is outdated."""
    context = request.services.context
    known = await snapshots.templates(context, account)
    if known is not None and snapshots.is_stale(context, known):
        await request.caller.run(snapshots.read_templates, account)
    return known


async def ask_for_offer(
    request: Request,
    account: Account,
    nothing: str,
    *,
    buttons: Sequence[dict[str, Any]] = (),
    then: DeferredCommand | None = None,
) -> None:
    """Have an offer read, with this command waiting, or another.

    Raises Answered, with ``buttons``, if it was just read and there is none.
    """
    if account.id in request.deferred.looked:
        title = request.services.title(account.connection)
        if request.deferred.problem:
            why = safe(problems.sentence(request.deferred.problem, title))
            raise Answered(replies.problem(why, request.reference, buttons))
        raise Answered(replies.hint(fill(nothing, title=title), buttons))
    waiting = _then(account, request, then or request.defer()).as_body()
    await request.caller.run(snapshots.read_templates, account, waiting)


def _then(account: Account, request: Request, waiting: DeferredCommand) -> DeferredCommand:
    """Return what runs once an account's list or offer is read; it isn't read again for it."""
    return replace(waiting, looked=(*waiting.looked, account.id), first=request.promised_in)
