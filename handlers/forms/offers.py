"""What a connection offers a person: known already, or read first while their command waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill, safe
from bot.snapshots import TEMPLATES
from bot.words import problems
from handlers.request import Answered
from handlers.workspace.targets import linked

if TYPE_CHECKING:
    from bot.models import Snapshot
    from handlers.request import Request


async def offer_of(request: Request, connection: str, *, asking: str, nothing: str) -> Snapshot:
    """Return the offer; raises Answered with *Link*, or with ``asking`` while it is read.

    One that was read just now and is not there is answered with the reason, or ``nothing`` without one.
    """
    services = request.services
    account = await services.accounts.acting(request.principal, connection)
    if account is None or account.state != "active":
        await linked(request, connection)
        raise AssertionError("an account that is not active is answered with Link")
    snapshot = await services.snapshots.get(account, TEMPLATES)
    title = services.title(connection)
    if snapshot is not None:
        if services.snapshots.is_stale(snapshot):
            await services.snapshots.refresh(account, TEMPLATES)
        return snapshot
    if account.id in request.looked:
        raise Answered(replies.problem(no_offer(request, title, nothing), request.reference))
    waiting = request.waiting() | {"looked": [*request.looked, account.id]}
    await services.snapshots.refresh(
        account, TEMPLATES, then=waiting, interaction=request.surface.interaction
    )
    raise Answered(replies.told(fill(asking, title=title)))


def no_offer(request: Request, title: str, nothing: str) -> str:
    """Say why an offer that was read just now is not there: the provider's reason, where it gave one."""
    if request.problem:
        return safe(problems.sentence(request.problem, title))
    return fill(nothing, title=title)
