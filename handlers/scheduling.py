"""Which job a person means, and when it is to run: for what is set up at providers that run jobs by cron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill, safe
from bot.providers.base import Scheduled
from bot.snapshots import TEMPLATES
from bot.words import jobs as job_words
from bot.words import problems
from bot.words import schedules as words
from handlers.naming import fold, split_connection
from handlers.request import Answered
from handlers.targets import titles_of

if TYPE_CHECKING:
    from bot.models import Account
    from handlers.request import Request


@dataclass(frozen=True, slots=True)
class Meant:
    """Hold a job and the connection where it is set up."""

    connection: str
    job: Scheduled


async def set_up(request: Request) -> list[Meant]:
    """Return the jobs that are set up for a person; raises Answered where nothing can be known yet."""
    services = request.services
    able = sorted(name for name, one in services.connections.items() if "schedule" in one.capabilities())
    if not able:
        raise Answered(replies.problem(words.NOWHERE, request.reference))
    accounts = [await services.accounts.acting(request.principal, name) for name in able]
    active = [account for account in accounts if account is not None and account.state == "active"]
    if not active:
        links = [(name, title) for name, title in services.linkable() if name in able]
        buttons = replies.link_buttons(links, request.text)
        raise Answered(replies.problem(job_words.NOT_LINKED, request.reference, buttons))
    found: list[Meant] = []
    for account in active:
        found += await _of_account(request, account)
    return found


async def _of_account(request: Request, account: Account) -> list[Meant]:
    services = request.services
    snapshot = await services.snapshots.get(account, TEMPLATES)
    if snapshot is None:
        title = services.title(account.connection)
        if account.id in request.looked:
            # It was asked just now, and there is none.
            sentence = fill(job_words.NO_OFFER, title=title)
            if request.problem:
                sentence = safe(problems.sentence(request.problem, title))
            raise Answered(replies.problem(sentence, request.reference))
        waiting = request.waiting() | {"looked": [*request.looked, account.id]}
        await services.snapshots.refresh(
            account, TEMPLATES, then=waiting, interaction=request.surface.interaction
        )
        titles = titles_of(request, [account.connection])
        raise Answered(replies.told(fill(job_words.LOOKING_FOR_IT, titles=titles)))
    if services.snapshots.is_stale(snapshot):
        await services.snapshots.refresh(account, TEMPLATES)
    provider = services.connections[account.connection]
    return [Meant(account.connection, job) for job in provider.schedules(snapshot.payload)]


def job_of(request: Request, name: str, known: list[Meant]) -> Meant:
    """Return the job that a name, a link or an id means; raises Answered with what to write instead."""
    stem, connection = split_connection(name, request.services.connections)
    for key, provider in request.services.connections.items():
        job_id = provider.job_reference(stem) if connection in {None, key} else None
        if job_id is not None:
            listed = (one for one in known if (one.connection, one.job.job_id) == (key, job_id))
            return next(listed, Meant(key, Scheduled(job_id, f"job {job_id[:8]}", None)))
    here = [one for one in known if connection in {None, one.connection}]
    found = [one for one in here if fold(one.job.name) == fold(stem)]
    found = found or [one for one in here if fold(one.job.name).startswith(fold(stem))]
    if len(found) == 1:
        return found[0]
    template = words.TWICE if found else words.UNKNOWN
    raise Answered(replies.problem(fill(template, name=name, command=request.command), request.reference))
