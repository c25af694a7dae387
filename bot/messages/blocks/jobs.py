"""Cards and messages of runs: projections of rows, as those of workspaces are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import Answer, Call, JobState
from bot.domain.progress import is_run_unanswered
from bot.messages.blocks import kit
from bot.messages.blocks.buttons import page_button
from bot.messages.blocks.cards import asked_buttons, link_again_button
from bot.messages.blocks.limits import Markup, fill, safe
from bot.messages.blocks.output import preformatted
from bot.messages.texts import cards, problems, times
from bot.messages.texts import jobs as words
from bot.output.tail import MARK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.facts import Facts
    from bot.domain.models import Job
    from bot.messages.blocks.kit import Block, Element


def job_card(job: Job, facts: Facts) -> Answer:
    """Draw the card of a run as it stands."""
    sentence = "\n".join([title_of(job, facts), *state_lines(job, facts)])
    return kit.message(short(job, facts), sentence, _small(job, facts), card_buttons(job, facts))


def job_ended(job: Job, facts: Facts, last_lines: Sequence[str]) -> Answer:
    """Tell how a run ended: exit code, how long it took, the last lines that it wrote."""
    sentence = _filled(words.ENDED.get(job.state, words.ENDED_ELSE), job, facts)
    blocks: list[Block] = [kit.section(sentence)]
    if job.detail:
        blocks.append(kit.context(safe(job.detail, 300)))
    tail = preformatted("\n".join(last_lines))
    if tail is not None:
        blocks += [kit.context(words.LAST_LINES), kit.section(tail.text)]
    return kit.answer(kit.bare(sentence), [*blocks, *kit.actions(_over_buttons(job, facts))])


def job_failed(job: Job, facts: Facts) -> Answer:
    """Tell that a run was never launched, or is not known any more, with the cause."""
    if _called_off(job):
        template = words.NOT_LAUNCHED
    elif job.outcome == "cancelled":
        template = words.NOT_FOLLOWED
    else:
        template = _of_failed(job, words.NOT_RUN, words.NOT_SURE, words.NOT_KNOWN)
    sentence = fill(template, name=job.name, title=facts.connection_title, cause=Markup(_cause(job, facts)))
    has_reference = job.reference and job.outcome != "cancelled"
    small = [fill(cards.REFERENCE, reference=job.reference)] if has_reference else []
    return kit.message(kit.bare(sentence), sentence, small, _over_buttons(job, facts))


def job_asked(job: Job, facts: Facts) -> Answer:
    """Draw the question whether to start another one, or that there is nothing to ask any more."""
    if job.is_open and job.asked_at is not None:
        template, buttons = words.ASKED_NOTICE, asked_buttons(job.id, "job_")
    else:
        over = words.ASKED_ANOTHER if job.is_open else words.ASKED_OVER
        template, buttons = words.ASKED_FOUND if job.remote_id is not None else over, []
    sentence = fill(template, name=job.name, title=facts.connection_title)
    return kit.message(sentence.replace("*", ""), sentence, buttons=buttons)


def job_waiting(job: Job, facts: Facts) -> Answer:
    """Tell that a run has not begun, or can't be looked at, for long; and what holds it up."""
    template = words.LATE_UNBEGUN if job.remote_id is None else words.LATE_UNSEEN
    hold = Markup(kit.held(job.hold, facts.now)) if job.hold else ""
    sentence = fill(template, name=job.name, title=facts.connection_title, hold=hold).strip()
    buttons = _late_buttons(job) if job.is_open else []
    return kit.message(sentence.replace("*", ""), sentence, buttons=buttons)


def output_message(job: Job, facts: Facts, tail: str, *, every: float, lines: int, is_over: bool) -> Answer:
    """Show the newest of a run's output.

    ``tail`` is plain text, of which the end counts; ``lines`` how many lines there are so far, and ``every``
    after how many seconds this message changes.
    """
    blocks: list[Block] = [kit.section(fill(words.OUTPUT, name=job.name))]
    shown = preformatted(tail)
    small = []
    if shown is None:
        small.append(words.NO_OUTPUT if is_over else words.NO_OUTPUT_YET)
    else:
        blocks.append(kit.section(shown.text))
        one, many = (words.ONE_LINE_IN_ALL, words.LINES_IN_ALL) if is_over else (words.ONE_LINE, words.LINES)
        small.append(one if lines == 1 else many.format(count=f"{lines:,}"))
        if shown.is_cut or lines > shown.lines:
            small.append(words.PART)
        if any(line.startswith(MARK) for line in tail.splitlines()):
            small.append(words.MARKED)
        if is_over:
            small.append(words.WHOLE)
    if not is_over:
        small.append(words.UPDATED.format(every=times.duration(max(every, 1.0))))
    blocks.append(kit.context(" · ".join(small)))
    return kit.answer(fill(words.OUTPUT_SHORT, name=job.name, title=facts.connection_title), blocks)


def title_of(job: Job, facts: Facts) -> str:
    """Return the heading of a run."""
    return fill(words.TITLE, name=job.name, title=facts.connection_title)


def short(job: Job, facts: Facts) -> str:
    """Say a run in one line without marks, as notifications show it."""
    return fill(words.SHORT, name=job.name, title=facts.connection_title, state=Markup(outcome_of(job)))


def outcome_of(job: Job) -> str:
    """Say how far a run is, within a sentence: ``failed after 12 s, exit code 2``."""
    head = _head(job)
    return head[0].lower() + head[1:]


def state_lines(job: Job, facts: Facts) -> list[str]:
    """Say how far a run is, and what its provider says about that."""
    lines = [_state_line(job, facts)]
    if job.is_going and job.stop_wanted:
        if _not_launched(job):
            return [words.CALLING_OFF]
        asked = words.FORCE_ASKED if job.stop_wanted == "force" else words.STOP_ASKED
        lines.append(fill(asked, title=facts.connection_title))
    return [*lines, *([safe(job.detail, 300)] if job.detail else [])]


def card_buttons(job: Job, facts: Facts) -> list[Element]:
    """Return what can be done with a run as it stands."""
    if not job.is_going:
        return _over_buttons(job, facts)
    buttons = _late_buttons(job) if job.is_late else []
    if job.asked_at is not None:
        buttons = asked_buttons(job.id, "job_")
    if "runs" in facts.capabilities:
        if is_run_unanswered(job, facts.now):
            buttons.append(force_button(job))
        elif not job.stop_wanted:
            buttons.append(stop_button(job))
    return [
        *buttons,
        *_logs(job, facts),
        kit.button(words.REFRESH, "job_refresh", job.id),
        *page_button(facts),
    ]


def stop_button(job: Job) -> Element:
    """Return *Stop*, which asks first."""
    question = kit.confirm(words.CONFIRM_STOP, name=job.name)
    return kit.button(words.STOP, "job_stop", job.id, style=kit.DANGER, confirm=question)


def force_button(job: Job) -> Element:
    """Return *Force quit*, which asks first."""
    question = kit.confirm(words.CONFIRM_FORCE, name=job.name)
    return kit.button(words.FORCE, "job_force", job.id, style=kit.DANGER, confirm=question)


def again_button(job: Job) -> Element:
    """Return *Run again*, which asks first: two clicks are not to be two runs."""
    question = kit.confirm(words.CONFIRM_AGAIN, style=kit.PRIMARY, name=job.name)
    return kit.button(words.AGAIN, "job_again", job.id, confirm=question)


def _late_buttons(job: Job) -> list[Element]:
    return [
        kit.button(words.KEEP_WAITING, "job_keep_waiting", job.id, style=kit.PRIMARY),
        kit.button(words.LET_GO, "job_let_go", job.id),
    ]


def _logs(job: Job, facts: Facts) -> list[Element]:
    is_shown = "runs" in facts.capabilities and not (job.remote_id is None and not job.is_open)
    return [kit.button(words.LOGS, "job_logs", job.id)] if is_shown else []


def _over_buttons(job: Job, facts: Facts) -> list[Element]:
    if (job.cause or "").partition(": ")[0] in {"unlinked", "credential_refused"}:
        return [link_again_button(facts)]
    again = [again_button(job)] if job.spec and "runs" in facts.capabilities else []
    return [*_logs(job, facts), *again, *page_button(facts)]


def _small(job: Job, facts: Facts) -> list[str]:
    small = [kit.held(job.hold, facts.now)] if job.hold and job.is_going else []
    if job.is_late:
        small.append(words.LATE)
    if is_run_unanswered(job, facts.now) and "runs" in facts.capabilities:
        small.append(words.UNANSWERED)
    if job.outcome == "failed" and job.reference:
        small.append(fill(cards.REFERENCE, reference=job.reference))
    return small


def _not_launched(job: Job) -> bool:
    return job.remote_id is None and job.launch_call is Call.NONE


def _of_failed(job: Job, not_run: str, unsure: str, lost: str) -> str:
    """Choose what is said: never launched, perhaps launched, or launched and not known any more."""
    if job.remote_id is not None:
        return lost
    return not_run if job.launch_call is Call.NONE else unsure


def _called_off(job: Job) -> bool:
    return job.outcome == "cancelled" and job.cause in {None, "cancelled"}


def _state_line(job: Job, facts: Facts) -> str:
    title, now = facts.connection_title, facts.now
    if job.outcome == "failed":
        template = _of_failed(job, words.NEVER_RAN, words.UNSURE, words.LOST)
        return fill(template, cause=Markup(_cause(job, facts)))
    if job.outcome == "cancelled":
        template = words.CALLED_OFF if _called_off(job) else words.CUT_OFF
        return fill(template, title=title, cause=Markup(_cause(job, facts)))
    if not job.is_going:
        return f"{_head(job)}."
    if job.asked_at is not None:
        return fill(words.ASKED, title=title)
    if job.remote_id is None:
        at = job.created_at if job.launch_call is Call.NONE else job.called_at or job.created_at
        template = words.TO_LAUNCH if job.launch_call is Call.NONE else words.LAUNCHING
        return fill(template, title=title, since=kit.moment(at, now))
    match job.state:
        case JobState.RUNNING:
            return fill(words.RUNNING, since=kit.moment(job.started_at or job.created_at, now))
        case JobState.QUEUED:
            return fill(words.WAITING, title=title, since=kit.moment(job.created_at, now))
        case _:
            return fill(words.UNKNOWN, title=title)


def _head(job: Job) -> str:
    """Return how far a run is without its connection: ``Failed after 12 s, exit code 2``."""
    if job.is_going:
        return words.STATES[job.state]
    if job.outcome == "failed":
        return _of_failed(job, words.NOT_RUN_HEAD, words.UNSURE_HEAD, words.LOST_HEAD)
    if job.outcome == "cancelled":
        return words.CALLED_OFF_HEAD if _called_off(job) else words.CUT_OFF_HEAD
    if not job.state.is_over:
        return words.HEAD_ELSE
    return f"{words.HEADS[job.state]}{_after(job)}{_code(job)}"


def _filled(template: str, job: Job, facts: Facts) -> str:
    after, code = Markup(_after(job)), Markup(_code(job))
    return fill(template, name=job.name, title=facts.connection_title, after=after, code=code)


def _after(job: Job) -> str:
    end = job.finished_at or job.ended_at
    if job.started_at is None or end is None:
        return ""
    return f" {words.AFTER.format(took=times.duration(end - job.started_at))}"


def _code(job: Job) -> str:
    return "" if job.exit_code is None else words.CODE.format(code=job.exit_code)


def _cause(job: Job, facts: Facts) -> str:
    return safe(problems.sentence(job.cause or "internal", facts.connection_title))
