"""Notices about runs: which card or message is drawn, and from which facts."""

from __future__ import annotations

from bot.domain.facts import Facts
from bot.domain.models import Answer, NoticeKind, Run, Shown
from bot.messages.blocks import kit
from bot.messages.blocks.limits import fill, safe
from bot.messages.blocks.runs import output_message, run_asked, run_card, run_ended, run_failed, run_waiting
from bot.messages.texts import outputs, problems
from bot.output.board import EVERY

#: What isn't read in this process, or not yet.
_UNREAD = Shown(tail="", lines=0, every=EVERY, is_over=False)


def render_job(kind: NoticeKind, facts: Facts) -> Answer:
    """Draw a notice about ``facts.run``; if its row is gone, a sentence says so."""
    run = facts.run
    if run is None:
        text = safe(problems.sentence("no_job"))
        return kit.message(text, text)
    match kind:
        case NoticeKind.JOB_ENDED:
            return run_ended(run, facts, _last_lines(facts))
        case NoticeKind.JOB_FAILED:
            return run_failed(run, facts)
        case NoticeKind.JOB_ASKED:
            return run_asked(run, facts)
        case NoticeKind.JOB_WAITING:
            return run_waiting(run, facts)
        case NoticeKind.JOB_OUTPUT:
            return drawn_output(run, facts)
        case NoticeKind.JOB_FILE:
            return kit.message(fill(outputs.FILE_SHORT, name=run.name), fill(outputs.FILE, name=run.name))
        case NoticeKind.JOB_FILE_MISSING:
            is_scope = facts.word("cause") == "missing_scope"
            return _plain(outputs.FILE_NOT_ALLOWED if is_scope else outputs.FILE_MISSING, facts, run)
        case NoticeKind.JOB_NOT_STOPPED:
            return _plain(outputs.STOP_REFUSED if facts.word("cause") else outputs.STOP_GIVEN_UP, facts, run)
        case _:
            return run_card(run, facts)


def _plain(template: str, facts: Facts, run: Run) -> Answer:
    because = problems.sentence(facts.word("cause"), facts.connection_title)
    text = fill(template, name=run.name, title=facts.connection_title, because=because)
    return kit.message(text, text)


def drawn_output(run: Run, facts: Facts) -> Answer:
    """Draw the message about a run's output."""
    shown = facts.output or _UNREAD
    return output_message(run, facts, shown.tail, every=shown.every, lines=shown.lines, is_over=shown.is_over)


def _last_lines(facts: Facts) -> tuple[str, ...]:
    """Return the last lines as known now, otherwise as they were when the run was found to have ended."""
    if facts.output is not None and facts.output.last_lines:
        return facts.output.last_lines
    lines = facts.body.get("lines")
    return tuple(str(line) for line in lines) if isinstance(lines, list) else ()
