"""Show and set when jobs run by themselves, for providers that run jobs by cron."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.notices import Answer
from bot.domain.people import Account
from bot.messages.blocks import replies
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import runs as job_words
from bot.providers import base
from bot.providers.base import Scheduled
from bot.services import runs
from bot.services.naming import fold, split_connection
from bot.services.runs import fires, is_cron, looks_like_cron
from handlers import routes
from handlers.command_line import command_line
from handlers.linking.account import link_first
from handlers.request import Answered, Request
from handlers.waiting import offer_to

OFF = "off"
#: No more jobs than this are shown at once.
MOST = 30


@routes.verb("job", "schedule", flags=None)
async def schedule(request: Request) -> Answer:
    """Show all schedules, or one; with five fields set it, with ``off`` remove it."""
    typed = command_line(request.text, request.services.commands).words
    name, cron = _split(typed)
    known = await set_up(request)
    if not name:
        return _list(request, known)
    wanted = job_of(request, name, known)
    title = request.services.title(wanted.connection)
    if cron is None:
        shown = fill(job_words.ONE, name=wanted.job.name, title=title, cron=_when(wanted.job))
        return replies.answer(f"{shown} {fill(job_words.NEXT_OF_ONE, command=request.command, name=name)}")
    given = "" if cron == OFF else cron
    await request.asked.to(runs.schedule, wanted.connection, wanted.job, given)
    template = job_words.CLEARING if cron == OFF else job_words.SETTING
    return replies.answer(fill(template, name=wanted.job.name, title=title))


def _split(typed: Sequence[str]) -> tuple[str, str | None]:
    """Return the name, and the expression or ``off`` after it; raises Answered if that is invalid."""
    if not typed:
        return "", None
    if len(typed) > 1 and typed[-1].casefold() == OFF:
        return " ".join(typed[:-1]), OFF
    if len(typed) > 5 and is_cron(" ".join(typed[-5:])):
        return " ".join(typed[:-5]), _checked(" ".join(typed[-5:]))
    # What was quoted after a name is meant as a schedule, whatever it says.
    if len(typed) > 1 and (is_cron(typed[-1]) or looks_like_cron(typed[-1]) or " " in typed[-1]):
        return " ".join(typed[:-1]), _checked(" ".join(typed[-1].split()))
    if len(typed) > 4 and looks_like_cron(" ".join(typed[1:])):
        return typed[0], _checked(" ".join(typed[1:]))
    return " ".join(typed), None


def _checked(cron: str) -> str:
    """Return an expression that can fire; raises Answered with what is wrong with any other."""
    template = job_words.CRON if not is_cron(cron) else "" if fires(cron) else job_words.NEVER
    if template:
        raise Answered(replies.hint(fill(template, cron=cron)))
    return cron


def _list(request: Request, known: Sequence[SetUpJob]) -> Answer:
    if not known:
        return replies.answer(job_words.NO_JOBS)
    rows = [
        fill(
            job_words.JOB_ROW,
            name=one.job.name,
            title=request.services.title(one.connection),
            cron=_when(one.job),
        )
        for one in known[:MOST]
    ]
    return replies.answer("\n".join([job_words.JOBS, *rows, fill(job_words.NEXT, command=request.command)]))


def _when(job: Scheduled) -> Markup:
    if job.cron is None:
        return Markup(job_words.UNTOLD)
    return (
        Markup(fill(job_words.RUNS_AT, cron=Markup(line(job.cron)))) if job.cron else Markup(job_words.NONE)
    )


@dataclass(frozen=True, slots=True)
class SetUpJob:
    """Hold a job and the connection where it is set up."""

    connection: str
    job: Scheduled


async def set_up(request: Request) -> list[SetUpJob]:
    """Return the jobs that are set up for a person; raises Answered if they can't be known yet."""
    services = request.services
    able = sorted(name for name, one in services.connections.items() if isinstance(one, base.Schedules))
    if not able:
        raise Answered(replies.hint(job_words.NOWHERE))
    accounts = [await services.accounts.acting(request.principal, name) for name in able]
    active = [account for account in accounts if account is not None and account.state == "active"]
    if not active:
        links = [name for name, _ in services.linkable() if name in able]
        raise Answered(link_first(request, job_words.NOT_LINKED, links))
    found: list[SetUpJob] = []
    for account in active:
        found += await _of_account(request, account)
    return found


async def _of_account(request: Request, account: Account) -> list[SetUpJob]:
    services = request.services
    snapshot = await offer_to(request, account, asking=job_words.LOOKING_FOR_IT, nothing=job_words.NO_OFFER)
    provider = services.connections[account.connection]
    return [
        SetUpJob(account.connection, job) for job in provider.need(base.Schedules).schedules(snapshot.payload)
    ]


def job_of(request: Request, name: str, known: list[SetUpJob]) -> SetUpJob:
    """Return the job that a name, a link or an id refers to; raises Answered with what to write instead."""
    stem, connection = split_connection(name, request.services.connections)
    for key, provider in request.services.connections.items():
        job_id = provider.job_reference(stem) if connection in {None, key} else None
        if job_id is not None:
            listed = (one for one in known if (one.connection, one.job.job_id) == (key, job_id))
            return next(listed, SetUpJob(key, Scheduled(job_id, f"job {job_id[:8]}", None)))
    here = [one for one in known if connection in {None, one.connection}]
    found = [one for one in here if fold(one.job.name) == fold(stem)]
    found = found or [one for one in here if fold(one.job.name).startswith(fold(stem))]
    if len(found) == 1:
        return found[0]
    template = job_words.TWICE if found else job_words.NO_SUCH_JOB
    raise Answered(replies.hint(fill(template, name=name, command=request.command)))
