"""Schedules of jobs: shown, set and turned off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain import time_parsing
from bot.domain.notices import Answer
from bot.messages.blocks import replies
from bot.messages.blocks.kit import Markup, fill, line
from bot.messages.texts import answers
from bot.messages.texts import runs as run_words
from bot.messages.verb import Verb
from bot.providers import facets
from bot.services import accounts, naming, runs
from bot.support.cleaning import fold
from handlers import routes
from handlers.command_line import parse_command_line
from handlers.linking import offer_link
from handlers.request import Answered, Request, format_typed_name
from handlers.snapshots import require_account_offer

OFF = "off"
#: No more jobs than this are shown at once.
MAX_JOBS = 30


@routes.verb(
    Verb(
        command="job",
        usage='schedule [NAME [DAYS TIME | "0 3 * * *" | off]]',
        summary="show or set when jobs run automatically",
        more=(
            "The five fields are minute, hour, day, month and weekday, by the provider's clock.",
            "A job's link or id works in place of its name.",
        ),
        order=80,
        needs=("schedules",),
        flags=None,
        accepts=("job", "words"),
        also="cron",
        alone="Show my schedules",
        does="Schedule {rest}",
        did="change a schedule on {title}",
        instead="To see and change your schedules, type `{job}schedule`.",
    )
)
async def schedule(request: Request) -> Answer:
    """Show all schedules, or one; with five fields or days and a time set it, with ``off`` remove it."""
    typed = parse_command_line(request.text, request.services.commands).words
    name, cron = _split(typed)
    known = await list_scheduled_jobs(request)
    if not name:
        return _list(request, known)
    if cron is None:
        _check_rest(typed, known)
    wanted = find_run(request, name, known)
    title = request.services.title(wanted.connection)
    if cron is None:
        template = run_words.UNTOLD_ONE if wanted.job.cron is None else run_words.ONE
        shown = fill(template, name=wanted.job.name, title=title, cron=_format_cron(wanted.job))
        return replies.answer(f"{shown} {request.fill(run_words.NEXT_OF_ONE, typed=format_typed_name(name))}")
    given = "" if cron == OFF else cron
    await request.caller.run(runs.set_schedule, wanted.connection, wanted.job, given)
    template = run_words.CLEARING if cron == OFF else run_words.SETTING
    return replies.answer(fill(template, name=wanted.job.name, title=title))


def _split(typed: Sequence[str]) -> tuple[str, str | None]:
    """Return the name, and the expression or ``off`` after it; raises Answered if that is invalid."""
    if not typed:
        return "", None
    if len(typed) > 1 and typed[-1].casefold() == OFF:
        return " ".join(typed[:-1]), OFF
    # `etl every night at 3`: the most words that are days and a time.
    orders = (
        time_parsing.to_cron(time_parsing.read_hours(" ".join(typed[at:]))) for at in range(1, len(typed))
    )
    for at, cron in enumerate(orders, 1):
        if cron:
            return " ".join(typed[:at]), cron
    if len(typed) > 5 and runs.is_cron(" ".join(typed[-5:])):
        return " ".join(typed[:-5]), _check_cron(" ".join(typed[-5:]))
    # What was quoted after a name is meant as a schedule, whatever it says.
    if len(typed) > 1 and (runs.is_cron(typed[-1]) or runs.is_probably_cron(typed[-1]) or " " in typed[-1]):
        return " ".join(typed[:-1]), _check_cron(" ".join(typed[-1].split()))
    if len(typed) > 4 and runs.is_probably_cron(" ".join(typed[1:])):
        return typed[0], _check_cron(" ".join(typed[1:]))
    return " ".join(typed), None


def _check_rest(typed: Sequence[str], known: Sequence[SetUpJob]) -> None:
    """Raise Answered if words after a job's name are no schedule."""
    names = {fold(one.job.name) for one in known}
    ends = [at for at in range(1, len(typed) + 1) if fold(" ".join(typed[:at])) in names]
    if ends and ends[-1] < len(typed):
        _check_cron(" ".join(typed[ends[-1] :]))


def _check_cron(cron: str) -> str:
    """Return an expression that can fire; raises Answered with the problem of any other."""
    if runs.is_cron(cron) and runs.can_fire(cron):
        return cron
    raise Answered(replies.hint(fill(run_words.NEVER if runs.is_cron(cron) else run_words.CRON, cron=cron)))


def _list(request: Request, known: Sequence[SetUpJob]) -> Answer:
    if not known:
        return replies.answer(run_words.NO_JOBS)
    shown = [(one.job, request.services.title(one.connection)) for one in known[:MAX_JOBS]]
    rows = [
        fill(run_words.JOB_ROW, name=job.name, title=title, cron=_format_cron(job)) for job, title in shown
    ]
    return replies.answer("\n".join([run_words.JOBS, *rows, request.fill(run_words.NEXT)]))


def _format_cron(job: facets.ScheduledJob) -> Markup:
    if not job.cron:
        return Markup(run_words.UNTOLD if job.cron is None else run_words.NONE)
    return Markup(fill(run_words.RUNS_AT, cron=Markup(line(job.cron))))


@dataclass(frozen=True, slots=True)
class SetUpJob:
    """A job and the connection on which it is set up."""

    connection: str
    job: facets.ScheduledJob


async def list_scheduled_jobs(request: Request) -> list[SetUpJob]:
    """Return the jobs that are set up for a person; raises Answered if they can't be known yet."""
    services = request.services
    able = sorted(name for name, one in services.connections.items() if isinstance(one, facets.Schedules))
    if not able:
        raise Answered(replies.hint(run_words.NOWHERE))
    theirs = [await accounts.find_account(request.caller, name) for name in able]
    active = [account for account in theirs if account is not None and account.state == "active"]
    if not active:
        links = [name for name, _ in services.list_linkable() if name in able]
        raise Answered(await offer_link(request, run_words.NOT_LINKED, links))
    found: list[SetUpJob] = []
    for account in active:
        known = await require_account_offer(
            request, account, asking=answers.CHECKING, nothing=run_words.NO_OFFER
        )
        jobs = (
            services.connections[account.connection]
            .require_facet(facets.Schedules)
            .list_scheduled_jobs(known.payload)
        )
        found += [SetUpJob(account.connection, job) for job in jobs]
    return found


def find_run(request: Request, name: str, known: list[SetUpJob]) -> SetUpJob:
    """Return the job of a name, a link or an id; raises Answered with an example for an unknown one."""
    stem, connection = naming.split_connection(name, request.services.connections)
    for key, provider in request.services.connections.items():
        link = naming.to_link(stem) or stem
        job_id = provider.parse_job_reference(link) if connection in {None, key} else None
        if job_id is not None:
            listed = (one for one in known if (one.connection, one.job.job_id) == (key, job_id))
            return next(listed, SetUpJob(key, facets.ScheduledJob(job_id, f"job {job_id[:8]}", None)))
    here = [one for one in known if connection in {None, one.connection}]
    found = [one for one in here if fold(one.job.name) == fold(stem)]
    found = found or [one for one in here if fold(one.job.name).startswith(fold(stem))]
    if len(found) == 1:
        return found[0]
    template = run_words.TWICE if found else run_words.NO_SUCH_JOB
    raise Answered(replies.hint(request.fill(template, name=name)))
