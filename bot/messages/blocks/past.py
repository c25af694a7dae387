"""Messages that are drawn again: the live one as things are, the ones before it as a line without buttons."""

from __future__ import annotations

from typing import Final

from bot.domain.facts import Facts
from bot.domain.models import Answer, Mark, NoticeKind, State
from bot.messages.blocks import approvals, kit
from bot.messages.blocks.cards import is_so_anyhow
from bot.messages.blocks.limits import fill
from bot.messages.blocks.lists import status_answer
from bot.messages.blocks.notices import render
from bot.messages.blocks.past_tense import sentence
from bot.messages.blocks.runs import past as past_run
from bot.messages.texts import past as words

_UP: Final = frozenset({State.RUNNING, State.STARTING})
#: Questions say themselves what became of them.
_QUESTIONS: Final = frozenset({NoticeKind.ASKED, NoticeKind.JOB_ASKED})
#: What is said of a link until it is linked again.
_LINKS: Final = frozenset({NoticeKind.LINK_AGAIN, NoticeKind.SIGN_IN_REFUSED, NoticeKind.LINK_ENDING})
_ENDS_OF_RUNS: Final = frozenset({NoticeKind.JOB_CARD, NoticeKind.JOB_ENDED, NoticeKind.JOB_FAILED})


def redraw(kind: NoticeKind, facts: Facts, *, is_closing: bool) -> Answer:
    """Draw a message again from the rows as they are; a closing one without its buttons."""
    if is_closing:
        return past(kind, facts)
    return render(kind, facts) if holds(kind, facts) else _as_it_is(kind, facts) or past(kind, facts)


def _as_it_is(kind: NoticeKind, facts: Facts) -> Answer | None:
    """Draw what has become of the workspace or run of a live message; None if that is said elsewhere."""
    if facts.is_superseded or kind in _LINKS:
        return None
    if facts.run is not None:
        return render(NoticeKind.JOB_CARD, facts)
    if facts.operation is not None:
        return render(NoticeKind.CARD, facts)
    workspace = facts.workspace
    if workspace is None or workspace.hidden:
        return None
    return status_answer(facts, workspace, remark=sentence(kind, facts))


def holds(kind: NoticeKind, facts: Facts) -> bool:
    """Return whether what a message said is still so; cards always say what is."""
    operation, run = facts.operation, facts.run
    if Mark.CARD in kind.marks or kind in _QUESTIONS:
        return True
    if run is not None:
        return kind is not NoticeKind.JOB_WAITING or (run.is_open and run.is_late)
    if kind in _LINKS:
        return facts.link_is_ending if kind is NoticeKind.LINK_ENDING else facts.is_refused
    state = facts.workspace.state if facts.workspace is not None else State.GONE
    match kind:
        case _ if facts.is_superseded:
            return False
        case NoticeKind.READY:
            return state is State.RUNNING
        case NoticeKind.STOPPED | NoticeKind.SUSPENDED | NoticeKind.STOPPED_ELSEWHERE:
            return state not in _UP
        case NoticeKind.FAILED | NoticeKind.REFUSED:
            return operation is not None and not is_so_anyhow(facts, operation)
        case NoticeKind.WAITING:
            return operation is not None and operation.is_open and operation.deadline_at is None
        case NoticeKind.TIMER_ENDING | NoticeKind.TIMER_FAILED:
            return state in _UP and not _is_moved(kind, facts)
        case NoticeKind.ENDING:
            return facts.workspace is not None and facts.workspace.ends_at is not None
        case NoticeKind.CLASS_ENDING:
            return facts.kept is None
        case _:
            return True


def _is_moved(kind: NoticeKind, facts: Facts) -> bool:
    """Return whether the stop that a message warned of was put off or taken back."""
    stop_at = facts.workspace.stop_at if facts.workspace is not None else None
    return kind is NoticeKind.TIMER_ENDING and stop_at != facts.body.get("stop_at")


def past(kind: NoticeKind, facts: Facts) -> Answer:
    """Draw a message as the one line that it becomes."""
    if kind is NoticeKind.APPROVAL_ASKED:
        return approvals.asked(facts)
    if facts.run is not None and not facts.run.is_open and kind in _ENDS_OF_RUNS:
        line = past_run(facts.run, facts)
    elif kind in _QUESTIONS and not (facts.operation or facts.run):
        line = fill(words.OVER, at=kit.moment(facts.written_at, facts.written_at))
    elif kind in _QUESTIONS:
        line = kit.bare(render(kind, facts).text)
    else:
        line = sentence(kind, facts)
    return kit.answer(kit.bare(line), [kit.context(line)])
