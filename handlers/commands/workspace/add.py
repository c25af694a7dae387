"""Put a workspace on a person's list by its link or id, or bring back one that was forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill, line
from bot.words import answers as words
from handlers import naming
from handlers.commands.workspace.alias import checked
from handlers.targets import linked, not_linked, titles_of

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Add what the link or id names, at the one connection that knows such a thing."""
    if not request.arguments:
        return replies.problem(fill(words.ADD_USAGE, command=request.command), request.reference)
    brought_back = await _bring_back(request)
    if brought_back is not None:
        return brought_back
    reference, name = request.arguments[0], " ".join(request.arguments[1:]) or None
    found = _known_as(request, reference)
    if not found:
        return await _unknown(request)
    if len(found) > 1:
        # An id that several connections understand is meant for the one that the person has linked.
        linked_at = {
            account.connection for account in await request.services.accounts.links(request.principal)
        }
        found = {name: remote_id for name, remote_id in found.items() if name in linked_at} or found
    if len(found) > 1:
        example = f"{line(reference)}@{min(found)}"
        titles = titles_of(request, found)
        sentence = fill(words.ADD_AMBIGUOUS, titles=titles, command=request.command, example=example)
        return replies.problem(sentence, request.reference)
    connection, remote_id = next(iter(found.items()))
    await linked(request, connection)
    added = await request.services.workspaces.add(
        request.principal,
        connection,
        remote_id,
        checked(name) if name is not None else None,
        interaction=request.surface.interaction,
    )
    title = request.services.title(connection)
    return replies.told(fill(words.ADDED, name=added.title, title=title))


def _known_as(request: Request, reference: str) -> dict[str, str]:
    """Return the ids that a reference stands for, by connection; ``ID@CONNECTION`` names the one."""
    providers = request.services.connections
    stem, chosen = naming.split_connection(reference, providers)
    asked = {chosen: providers[chosen]} if chosen is not None else dict(providers)
    read = {name: provider.parse_reference(stem) for name, provider in asked.items()}
    return {name: remote_id for name, remote_id in read.items() if remote_id}


async def _bring_back(request: Request) -> Answer | None:
    """Bring back what was forgotten, where the words are the name of such a one and of no other."""
    workspaces = request.services.workspaces
    rows = await workspaces.all_of(request.principal, hidden=True)
    needle = naming.fold(request.name)
    found = [one for one in rows if one.hidden and needle in {naming.fold(one.title), naming.fold(one.name)}]
    if len(found) != 1:
        return None
    await linked(request, found[0].connection)
    back = await workspaces.bring_back(
        request.principal, found[0].id, interaction=request.surface.interaction
    )
    title = request.services.title(back.connection)
    return replies.told(fill(words.BROUGHT_BACK, name=back.title, title=title))


async def _unknown(request: Request) -> Answer:
    accounts = await request.services.accounts.links(request.principal)
    if not accounts:
        return not_linked(request)
    titles = titles_of(request, [account.connection for account in accounts])
    return replies.problem(fill(words.ADD_UNKNOWN, titles=titles), request.reference)
