"""Show when jobs run by themselves, and set it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import Markup, fill, line
from bot.words import schedules as words
from handlers.command_line import command_line
from handlers.cron import fires, is_cron, looks_like_cron
from handlers.request import Answered
from handlers.scheduling import job_of, set_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Answer
    from bot.providers.base import Scheduled
    from handlers.request import Request
    from handlers.scheduling import Meant

OFF = "off"
#: More jobs than this are not shown at once.
MOST = 30


async def handle(request: Request) -> Answer:
    """Show all schedules, or one; with five fields set it, with ``off`` end it."""
    told = command_line(request.text, request.services.commands).words
    name, cron = _split(request, told)
    known = await set_up(request)
    if not name:
        return _list(request, known)
    meant = job_of(request, name, known)
    title = request.services.title(meant.connection)
    if cron is None:
        shown = fill(words.ONE, name=meant.job.name, title=title, cron=_when(meant.job))
        return replies.told(f"{shown} {fill(words.NEXT, command=request.command)}")
    await request.services.jobs.schedule(
        request.principal,
        meant.connection,
        meant.job,
        "" if cron == OFF else cron,
        interaction=request.surface.interaction,
    )
    template = words.CLEARING if cron == OFF else words.SETTING
    return replies.told(fill(template, name=meant.job.name, title=title))


def _split(request: Request, told: Sequence[str]) -> tuple[str, str | None]:
    """Return the name, and the expression or ``off`` after it; raises Answered for one that is none."""
    if not told:
        return "", None
    if len(told) > 1 and told[-1].casefold() == OFF:
        return " ".join(told[:-1]), OFF
    if len(told) > 5 and is_cron(" ".join(told[-5:])):
        return " ".join(told[:-5]), _checked(request, " ".join(told[-5:]))
    if len(told) > 1 and (is_cron(told[-1]) or looks_like_cron(told[-1])):
        return " ".join(told[:-1]), _checked(request, " ".join(told[-1].split()))
    if len(told) > 4 and looks_like_cron(" ".join(told[1:])):
        return told[0], _checked(request, " ".join(told[1:]))
    return " ".join(told), None


def _checked(request: Request, cron: str) -> str:
    """Return an expression that comes true some day; raises Answered with what is wrong with any other."""
    template = words.CRON if not is_cron(cron) else "" if fires(cron) else words.NEVER
    if template:
        raise Answered(replies.problem(fill(template, cron=cron), request.reference))
    return cron


def _list(request: Request, known: Sequence[Meant]) -> Answer:
    if not known:
        return replies.told(words.NO_JOBS)
    rows = [
        fill(
            words.ROW,
            name=one.job.name,
            title=request.services.title(one.connection),
            cron=_when(one.job),
        )
        for one in known[:MOST]
    ]
    return replies.told("\n".join([words.LIST, *rows, fill(words.NEXT, command=request.command)]))


def _when(job: Scheduled) -> Markup:
    if job.cron is None:
        return Markup(words.UNTOLD)
    return Markup(fill(words.RUNS, cron=Markup(line(job.cron)))) if job.cron else Markup(words.NONE)
