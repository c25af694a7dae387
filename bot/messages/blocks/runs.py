"""Runs' cards, messages and output, rendered from rows."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from bot.domain import causes
from bot.domain.message_context import RunFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.runs import Run, RunState
from bot.domain.timeouts import is_run_unanswered
from bot.domain.transcript import MARK
from bot.domain.work_items import Call, Outcome
from bot.messages.blocks import kit, limits
from bot.messages.blocks.buttons import list_page_button
from bot.messages.blocks.cards import (
    fill_notice,
    find_block,
    format_hold,
    format_reference_line,
    keep_waiting_button,
    link_again_button,
    list_machine_lines,
    list_question_buttons,
    no_thanks_button,
    question_or_answer,
)
from bot.messages.blocks.kit import ELLIPSIS, FENCE, Block, Element, Markup, fill, safe
from bot.messages.blocks.renderers import render_gone, renders
from bot.messages.texts import cards, holds, problems, runs, times
from bot.support.cleaning import clean, escape


@render_gone("job")
def render_unknown() -> Answer:
    """Return the text that replaces a message about a run whose row no longer exists."""
    text = problems.explain_cause("no_job")
    return kit.message(text)


@renders(NoticeKind.JOB_CARD)
def run_card(facts: RunFacts) -> Answer:
    """Render a run's card in its current state, with the last lines of its output."""
    run = facts.run
    if not run.is_open and not run.is_watched:
        return (run_ended if run.outcome is Outcome.ENDED else run_failed)(facts)
    sentence = kit.join([fill_notice(runs.TITLE, facts), *format_state_lines(facts)], "\n")
    card = kit.message(sentence, _list_small_texts(facts))
    return kit.answer([*card.blocks, *_render_tail(facts), *kit.actions(list_card_buttons(facts))])


def _render_tail(facts: RunFacts) -> list[Block]:
    output = facts.output
    shown = format_output(output.tail) if output is not None and facts.run.is_going else None
    if output is None or shown is None:
        return []
    small = [runs.LINES.format(lines=times.format_count(output.lines, "line"))]
    if shown.is_cut or output.lines > shown.lines:
        small.append("showing the newest")
    small += _list_stderr_explanation(output.tail.splitlines())
    return [kit.section(shown.text), kit.context(" · ".join(small))]


def _list_stderr_explanation(lines: Iterable[str]) -> list[str]:
    return ["lines marked ! are stderr"] if any(line.startswith(MARK) for line in lines) else []


def _get_combined_texts(facts: RunFacts) -> tuple[str, str] | None:
    return ("{names} is done.", "{names} are done.") if facts.run.state is RunState.SUCCEEDED else None


@renders(NoticeKind.JOB_ENDED, together=_get_combined_texts)
def run_ended(facts: RunFacts) -> Answer:
    """Render how a run ended: its exit code, its duration, and the last lines of its output."""
    return _render_ended(facts, _list_over_buttons(facts))


def run_result(facts: RunFacts) -> Answer:
    """Say how a run ended, with a button for its whole output, even if that was sent before."""
    if facts.run.outcome is not Outcome.ENDED:
        return run_failed(facts)
    others = [one for one in _list_over_buttons(facts) if not one["action_id"].startswith("job_logs")]
    able = "runs" in facts.capabilities and facts.run.remote_id is not None
    return _render_ended(facts, [*([_build_output_button(facts.run)] if able else []), *others])


def _render_ended(facts: RunFacts, buttons: Sequence[Element]) -> Answer:
    run = facts.run
    template = runs.ENDED.get(run.state, runs.ENDED_ELSE)
    sentence = fill_notice(
        template, facts, after=Markup(_format_duration(run)), code=Markup(_format_exit_code(run))
    )
    blocks: list[Block] = [kit.section(sentence)]
    if detail := problems.describe_run_detail(run, facts.connection_title):
        blocks.append(kit.context(safe(detail, 300)))
    lines = _get_last_lines(facts)
    tail = format_output("\n".join(lines))
    if tail is not None:
        is_whole = facts.output is not None and tail.lines == facts.output.lines and not tail.is_cut
        small = ["Output" if is_whole else "Last lines of output", *_list_stderr_explanation(lines)]
        blocks += [kit.context(f"{' · '.join(small)}:"), kit.section(tail.text)]
    return kit.answer([*blocks, *kit.actions(buttons)])


def _get_last_lines(facts: RunFacts) -> tuple[str, ...]:
    if facts.output is not None and facts.output.last_lines:
        return facts.output.last_lines
    lines = facts.body.get("lines")
    return tuple(str(line) for line in lines) if isinstance(lines, list) else ()


@renders(NoticeKind.JOB_FAILED)
def run_failed(facts: RunFacts) -> Answer:
    """Say that a run was never launched, or was lost, and why."""
    run = facts.run
    if _was_cancelled(run):
        template = "*{name}* was cancelled before it reached {title}."
    elif run.outcome is Outcome.CANCELLED:
        template = "I've stopped following *{name}* on {title}. {cause}"
    else:
        template = _choose_failure_text(run, runs.NOT_RUN, runs.NOT_SURE, runs.NOT_KNOWN)
    sentence = fill_notice(template, facts, cause=Markup(_format_cause(facts)))
    small = format_reference_line(run.reference, run.cause) if run.outcome is not Outcome.CANCELLED else []
    return kit.message(sentence, small, _list_over_buttons(facts))


@renders(NoticeKind.JOB_FOUND, is_true=lambda facts: facts.run.is_open)
def render_found(facts: RunFacts) -> Answer:
    """Say that a run that was reported as lost is still in progress after all."""
    lines = [fill_notice(runs.FOUND, facts), *format_state_lines(facts)]
    return kit.message(kit.join(lines, "\n"), buttons=list_card_buttons(facts))


@renders(NoticeKind.JOB_OUTCOME_QUESTION)
def run_asked(facts: RunFacts) -> Answer:
    """Ask whether to start another run, or say that this is settled."""
    run, sentence = facts.run, fill_notice(runs.ASKED_NOTICE, facts)
    question = kit.message(sentence, buttons=list_question_buttons(run.id, "job_"))
    return question_or_answer(facts, run, question, is_made=run.remote_id is not None)


@renders(NoticeKind.JOB_WAITING, is_true=lambda facts: facts.run.is_open and facts.run.is_late)
def run_waiting(facts: RunFacts) -> Answer:
    """Say why a run hasn't begun, or hasn't been readable, for a long time."""
    run = facts.run
    template = runs.LATE_UNBEGUN if run.remote_id is None else runs.LATE_UNSEEN
    hold = Markup(format_hold(run.block_reason, facts) if run.block_reason else "")
    sentence = fill_notice(template, facts, hold=hold).strip()
    if run.start_call is Call.NONE:
        sentence = f"{sentence} {fill(cards.LAPSED, do='start')}"
    return kit.message(sentence, buttons=list_card_buttons(facts) if run.is_open else [])


@renders(NoticeKind.JOB_FILE)
def render_file(facts: RunFacts) -> Answer:
    """Return the message that accompanies the file with the whole output."""
    return kit.message(fill_notice(runs.FILE, facts))


@renders(NoticeKind.JOB_PROBLEM)
def render_problem(facts: RunFacts) -> Answer:
    """Say that a run couldn't be stopped, or why there is no file with its output."""
    cause = facts.word("cause")
    template = "I couldn't stop *{name}*. {because}" if cause else runs.STOP_GIVEN_UP
    if facts.word("problem") == "file_missing":
        template = runs.NO_FILE.get(cause, runs.FILE_MISSING)
    because = problems.explain_cause(cause, facts.connection_title)
    return kit.message(fill_notice(template, facts, because=because))


def describe_outcome(run: Run) -> str:
    """Describe a run's progress or end within a sentence: ``failed after 12 s, exit code 2``."""
    head = _format_outcome(run)
    return head[0].lower() + head[1:]


def format_state_lines(facts: RunFacts) -> list[str]:
    """Return lines about a run's progress or how it ended, with the provider's remarks."""
    run = facts.run
    lines = [_format_state_line(facts)]
    if run.is_going and run.requested_stop:
        if run.remote_id is None and run.start_call is Call.NONE:
            return ["You asked me to stop it before it started, so I'm cancelling it."]
        asked = runs.FORCE_ASKED if run.requested_stop == "force" else runs.STOP_ASKED
        lines.append(fill(asked, title=facts.connection_title))
    detail = problems.describe_run_detail(run, facts.connection_title)
    return [*lines, *([safe(detail, 300)] if detail else [])]


def list_card_buttons(facts: RunFacts) -> list[Element]:
    """Return the buttons for a run's current state."""
    run = facts.run
    if not run.is_going:
        return _list_over_buttons(facts)
    buttons = [link_again_button(facts)] if find_block(facts, run) else []
    if run.is_late:
        buttons += [keep_waiting_button(run, "job_"), kit.button("Stop waiting", "job_let_go", run.id)]
    if run.question_since is not None:
        buttons = list_question_buttons(run.id, "job_")
    if "runs" in facts.capabilities:
        if is_run_unanswered(run, facts.now):
            buttons.append(force_button(run))
        elif not run.requested_stop:
            buttons.append(stop_run_button(run))
    refresh = kit.button(cards.REFRESH, "job_refresh", run.id)
    return [*buttons, *list_logs_button(facts), refresh, *list_page_button(facts)]


def stop_run_button(run: Run) -> Element:
    """Return the *Stop* button, which asks for confirmation."""
    question = kit.confirm(runs.CONFIRM_STOP, name=run.name)
    return kit.button(cards.STOP, "job_stop", run.id, style=kit.DANGER, confirm=question, of=run.name)


def force_button(run: Run) -> Element:
    """Return the *Force quit* button, which asks for confirmation."""
    question = kit.confirm(runs.CONFIRM_FORCE, name=run.name)
    return kit.button(cards.FORCE, "job_force", run.id, style=kit.DANGER, confirm=question, of=run.name)


def again_button(run: Run) -> Element:
    """Return the *Run again* button. It asks first, so that a double click doesn't start two runs."""
    question = kit.confirm(runs.CONFIRM_AGAIN, style=kit.PRIMARY, name=run.name)
    return kit.button(runs.AGAIN, "job_again", run.id, confirm=question, of=run.name)


def list_logs_button(facts: RunFacts) -> list[Element]:
    """Return the *Logs* button. Leave it out if there is no output, or if the output is sent anyway."""
    run = facts.run
    is_none = "runs" not in facts.capabilities or (run.remote_id is None and not run.is_open)
    # Once a run that was launched from here has ended, its whole output is sent as a file.
    comes = run.is_watched or (run.spec is not None and not run.is_going)
    return [] if is_none or comes else [_build_output_button(run)]


def _build_output_button(run: Run) -> Element:
    return kit.button("Logs", "job_logs", run.id, of=run.name)


def _list_over_buttons(facts: RunFacts) -> list[Element]:
    run = facts.run
    if causes.get_cause_word(run.cause) in {"unlinked", "another_account", "credential_refused", "renamed"}:
        return [link_again_button(facts)]
    again = [again_button(run)] if run.spec and "runs" in facts.capabilities else []
    if causes.get_cause_word(run.cause) == causes.STALE:
        again.append(no_thanks_button())
    return [*list_logs_button(facts), *again, *list_page_button(facts)]


def _list_small_texts(facts: RunFacts) -> list[str]:
    run = facts.run
    small = [format_hold(run.block_reason, facts)] if run.block_reason and run.is_going else []
    if run.is_late:
        small.append("You can keep waiting, or tell me to stop waiting.")
    small += list_machine_lines(run) if run.price is not None else []
    if is_run_unanswered(run, facts.now) and "runs" in facts.capabilities:
        small.append("It didn't stop within a minute. *Force quit* ends it right away.")
    if run.outcome is Outcome.FAILED:
        small += format_reference_line(run.reference, run.cause)
    return small


def _choose_failure_text(run: Run, not_run: str, unsure: str, lost: str) -> str:
    if run.remote_id is not None:
        return lost
    return not_run if run.start_call is Call.NONE else unsure


def _was_cancelled(run: Run) -> bool:
    return run.outcome is Outcome.CANCELLED and run.cause in {None, "cancelled"}


def _format_state_line(facts: RunFacts) -> str:
    run = facts.run
    title, now, zone = facts.connection_title, facts.now, facts.zone
    if run.outcome is Outcome.FAILED:
        template = _choose_failure_text(run, "It didn't run. {cause}", runs.UNSURE, runs.LOST)
        return fill(template, cause=Markup(_format_cause(facts)))
    if run.outcome is Outcome.CANCELLED:
        template = "It was cancelled before it reached {title}." if _was_cancelled(run) else runs.CUT_OFF
        return fill(template, title=title, cause=Markup(_format_cause(facts)))
    if not run.is_going:
        return f"{_format_outcome(run)}."
    if run.question_since is not None:
        return fill(cards.ASKED, title=title)
    if run.remote_id is None:
        at = run.created_at if run.start_call is Call.NONE else run.called_at or run.created_at
        template = runs.TO_LAUNCH if run.start_call is Call.NONE else runs.LAUNCHING
        return fill(template, title=title, since=kit.since(at, now, zone), at=kit.moment_at(at, now, zone))
    match run.state:
        case RunState.RUNNING:
            return fill(cards.RUNNING, since=kit.since(run.started_at or run.created_at, now, zone))
        case RunState.QUEUED:
            return fill(runs.WAITING, title=title, since=kit.since(run.created_at, now, zone))
        case _:
            return fill(runs.UNKNOWN, title=title)


def _format_outcome(run: Run) -> str:
    if run.is_going:
        return runs.STATES[run.state]
    if run.outcome is Outcome.FAILED:
        return _choose_failure_text(run, "Not run", "May not have run", "Result unknown")
    if run.outcome is Outcome.CANCELLED:
        return "Cancelled" if _was_cancelled(run) else "No longer followed"
    if not run.state.is_over:
        return "Started, end not reported"
    return f"{runs.STATES[run.state]}{_format_duration(run)}{_format_exit_code(run)}"


def _format_duration(run: Run) -> str:
    # Use only the provider's own times: the time at which Usher noticed the end doesn't show how long a run
    # took.
    if run.started_at is None or run.finished_at is None:
        return ""
    return f" {runs.AFTER.format(took=times.format_duration(run.finished_at - run.started_at))}"


def _format_exit_code(run: Run) -> str:
    return f", exit code {run.exit_code}" if run.exit_code else ""


def _format_cause(facts: RunFacts) -> str:
    return kit.format_reason(
        holds.explain_end(facts.run.cause or "internal", facts.connection_title), facts.now, facts.zone
    )


#: Matches a backtick that is followed by another. A zero-width space between the two keeps backticks in a
#: run's output from ending the code block.
_FENCE_PATTERN: Final = re.compile("`(?=`)")
_MAX_OUTPUT_LENGTH: Final = limits.MAX_SECTION_LENGTH - 2 * len(FENCE) - 2
_TAB: Final = 4


class Preformatted(NamedTuple):
    """An output in a code block, escaped. It also has its number of lines, and whether any were left out."""

    text: str
    lines: int
    is_cut: bool


def format_output(text: str) -> Preformatted | None:
    """Return the end of an output, as much as fits into one paragraph. None if nothing in it is visible."""
    given = text.rstrip().splitlines()
    room, kept = _MAX_OUTPUT_LENGTH, list[str]()
    for raw in reversed(given):
        line = _format_line(raw)
        if len(line) + 1 > room:
            if not kept:
                kept.append(_end_of(raw, room - 1))
            break
        room -= len(line) + 1
        kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    if not kept:
        return None
    body = "\n".join(reversed(kept))
    return Preformatted(f"{FENCE}\n{body}\n{FENCE}", len(kept), is_cut=len(kept) < len(given))


def _format_line(raw: str) -> str:
    """Escape a line and remove its invisible characters, but keep its indentation."""
    line = raw.expandtabs(_TAB)
    rest = line.lstrip(" ")
    return " " * (len(line) - len(rest)) + _FENCE_PATTERN.sub("`\u200b", escape(clean(rest)))


def _end_of(raw: str, room: int) -> str:
    tail = raw[-room:]
    while len(_format_line(tail)) + len(ELLIPSIS) > room:
        over = len(_format_line(tail)) + len(ELLIPSIS) - room
        tail = tail[max(over // 8, 1) :]
    return ELLIPSIS + _format_line(tail)
