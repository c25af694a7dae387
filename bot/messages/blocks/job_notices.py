"""Notices about runs: which of their cards and messages is drawn, and from which facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import NoticeKind
from bot.messages.blocks import kit
from bot.messages.blocks.job_facts import JobFacts
from bot.messages.blocks.jobs import job_asked, job_card, job_ended, job_failed, job_waiting, output_message
from bot.messages.blocks.limits import fill, safe
from bot.messages.texts import outputs, problems
from bot.output import Shown
from bot.output.board import EVERY

if TYPE_CHECKING:
    from bot.domain.models import Answer, Job
    from bot.messages.blocks.facts import Facts

_NOTHING_YET = Shown(tail="", lines=0, every=EVERY, is_over=False)


def render_job(kind: NoticeKind, facts: Facts) -> Answer:
    """Draw a notice about ``facts.job``; where its row is gone, a sentence says so."""
    job = facts.job
    if job is None:
        text = safe(problems.sentence("no_job"))
        return kit.answer(text, [kit.section(text)])
    told = job_facts(facts)
    match kind:
        case NoticeKind.JOB_ENDED:
            return job_ended(job, told, _last_lines(facts))
        case NoticeKind.JOB_FAILED:
            return job_failed(job, told)
        case NoticeKind.JOB_ASKED:
            return job_asked(job, told)
        case NoticeKind.JOB_WAITING:
            return job_waiting(job, told)
        case NoticeKind.JOB_OUTPUT:
            return drawn_output(job, facts)
        case NoticeKind.JOB_FILE:
            text = fill(outputs.FILE, name=job.name)
            return kit.answer(fill(outputs.FILE_SHORT, name=job.name), [kit.section(text)])
        case _:
            return job_card(job, told)


def drawn_output(job: Job, facts: Facts) -> Answer:
    """Draw the message about a run's output."""
    shown = facts.output or _NOTHING_YET
    return output_message(
        job, job_facts(facts), shown.tail, every=shown.every, lines=shown.lines, is_over=shown.is_over
    )


def job_facts(facts: Facts) -> JobFacts:
    """Return what a run's card is drawn from."""
    return JobFacts(
        now=facts.now,
        connection_title=facts.connection_title,
        username=facts.username,
        page_url=facts.page_url,
        capabilities=facts.capabilities,
    )


def _last_lines(facts: Facts) -> tuple[str, ...]:
    """Return the last lines: as they are known now, else as they were when the run was found ended."""
    if facts.output is not None and facts.output.last_lines:
        return facts.output.last_lines
    lines = facts.body.get("lines")
    return tuple(str(line) for line in lines) if isinstance(lines, list) else ()
