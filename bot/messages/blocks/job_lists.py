"""Lists of runs, paged so that a message stays within 50 blocks, and the answer about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.progress import is_run_unanswered
from bot.messages.blocks import kit, limits
from bot.messages.blocks.jobs import (
    again_button,
    card_buttons,
    force_button,
    job_card,
    short,
    state_lines,
    stop_button,
)
from bot.messages.blocks.limits import Markup, fill
from bot.messages.blocks.paging import listed, page_of, row
from bot.messages.texts import jobs as words
from bot.messages.texts import times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.facts import Facts
    from bot.domain.models import Answer, Job
    from bot.messages.blocks.kit import Block, Element

#: Two blocks each, and room for a title, a remark and the buttons below.
PAGE = 20
#: So many buttons are read at a glance.
FEW = 5


def job_list(
    rows: Sequence[tuple[Job, Facts]], *, page: int = 1, remark: str = "", replaces: bool = False
) -> Answer:
    """List runs. ``rows`` are all of them: the page that is out of reach becomes the last one."""
    one = page_of(rows, page, PAGE)
    drawn = [block for job, facts in one.shown for block in _row(job, facts)]
    text = " ".join(short(job, facts) for job, facts in one.shown[:5])
    blocks = listed(words.LIST, drawn, one, remark, verb="job_list")
    return kit.answer(text or words.LIST, blocks, replaces=replaces)


def job_status(job: Job, facts: Facts) -> Answer:
    """Answer how far a run is, how old that is, and what can be done about it."""
    card = job_card(job, facts)
    if not job.is_going:
        return card
    remark = words.NO_NEWS
    if job.observed_at is not None:
        remark = words.NEWS.format(age=times.age(facts.now - job.observed_at))
    blocks = [block for block in card.blocks if block["type"] != "actions"]
    return kit.answer(card.text, [*blocks, kit.context(remark), *kit.actions(card_buttons(job, facts))])


def choices(verb: str, jobs: Sequence[Job], now: float) -> list[Element]:
    """Return a button for each of a few runs, for a verb (stop, logs, status), told apart by their age."""
    labels = {"stop": words.STOP_ONE, "logs": words.LOGS_ONE, "status": words.STATUS_ONE}
    names = [limits.line(job.name).casefold() for job in jobs]
    made = []
    for number, job in enumerate(jobs[:FEW]):
        name = limits.line(job.name, 40)
        if names.count(names[number]) > 1:
            name = fill(words.FROM, name=Markup(name), age=Markup(times.age(now - job.created_at)))
        label = fill(labels[verb], name=Markup(name))
        button = stop_button(job) if verb == "stop" else kit.button(label, f"job_{verb}", job.id)
        text = kit.plain(label, limits.BUTTON)
        made.append({**button, "text": text, "action_id": f"job_{verb}:{number}"})
    return made


def _row(job: Job, facts: Facts) -> list[Block]:
    state = Markup("\n".join(state_lines(job, facts)))
    sentence = fill(words.ROW, name=job.name, title=facts.connection_title, state=state)
    return row(sentence, _row_buttons(job, facts))


def _row_buttons(job: Job, facts: Facts) -> list[Element]:
    can = facts.capabilities
    logs = [kit.button(words.LOGS, "job_logs", job.id)] if "runs" in can and job.remote_id else []
    if not job.is_going:
        return [*logs, *([again_button(job)] if job.spec and "runs" in can else [])]
    if "runs" not in can or (job.stop_wanted and not is_run_unanswered(job, facts.now)):
        return logs
    return [force_button(job) if job.stop_wanted else stop_button(job), *logs]
