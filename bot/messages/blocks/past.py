"""Messages that are drawn again: as they were while that holds, later as one line without buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.domain.models import NoticeKind, Outcome, State
from bot.messages.blocks import approvals, kit, lasting
from bot.messages.blocks.cards import is_so_anyhow, name_of
from bot.messages.blocks.limits import fill
from bot.messages.blocks.notices import render
from bot.messages.blocks.runs import short
from bot.messages.texts import cards
from bot.messages.texts import past as words

if TYPE_CHECKING:
    from bot.domain.facts import Facts
    from bot.domain.models import Answer
    from bot.messages.blocks.limits import Markup

_UP: Final = frozenset({State.RUNNING, State.STARTING})
#: Questions say themselves what became of them.
_QUESTIONS: Final = frozenset({NoticeKind.ASKED, NoticeKind.JOB_ASKED})
_ANSWERS: Final = frozenset({NoticeKind.REPLY, NoticeKind.SHOWN})
_CARDS: Final = frozenset({NoticeKind.CARD, NoticeKind.JOB_CARD, NoticeKind.CLASS_CARD})


def redraw(kind: NoticeKind, facts: Facts, *, is_closing: bool) -> Answer:
    """Draw a message again from the rows as they are; a closing one without its buttons."""
    if kind in _ANSWERS:
        return lasting.redraw(kind, facts, is_closing=is_closing)
    is_empty = kind is NoticeKind.HELD and not facts.held
    if is_closing or is_empty or not holds(kind, facts):
        return past(kind, facts)
    return render(kind, facts)


def holds(kind: NoticeKind, facts: Facts) -> bool:
    """Return whether what a message said is still so; cards always say what is."""
    operation, run = facts.operation, facts.run
    if kind in _CARDS or kind in _QUESTIONS:
        return True
    if run is not None:
        return kind is not NoticeKind.JOB_WAITING or (run.is_open and run.is_late)
    if kind in {NoticeKind.LINK_AGAIN, NoticeKind.SIGN_IN_REFUSED}:
        return facts.is_refused
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
        case NoticeKind.TIMER_FAILED:
            return state in _UP
        case NoticeKind.ENDING:
            return facts.workspace is not None and facts.workspace.ends_at is not None
        case NoticeKind.CLASS_ENDING:
            return facts.kept is None
        case _:
            return True


def past(kind: NoticeKind, facts: Facts) -> Answer:
    """Draw a message as the one line that it becomes."""
    if kind is NoticeKind.APPROVAL_ASKED:
        return approvals.asked(facts)
    if facts.run is not None and kind in {NoticeKind.JOB_ENDED, NoticeKind.JOB_FAILED}:
        line = short(facts.run, facts)
    elif kind in _QUESTIONS and not (facts.operation or facts.run):
        line = fill(words.OVER, at=_clock(facts.written_at))
    elif kind in _QUESTIONS:
        line = kit.bare(render(kind, facts).text)
    else:
        line = _line(kind, facts)
    return kit.answer(kit.bare(line), [kit.context(line)])


def _line(kind: NoticeKind, facts: Facts) -> str:
    operation, at = facts.operation, facts.written_at
    template = words.KEPT if facts.kept else words.SAID.get(kind, words.OVER)
    if operation is not None and kind in {NoticeKind.CARD, NoticeKind.FAILED, NoticeKind.REFUSED}:
        at = operation.ended_at or operation.created_at
        template = words.ASKED if operation.is_open else words.ENDED.get(str(operation.outcome), words.OVER)
        if operation.outcome is Outcome.FULFILLED:
            template = words.DONE[operation.asked_verb]
            if not operation.has_called:
                template = words.ALREADY.get(operation.asked_verb, template)
        elif operation.cause == "sent":
            template = words.SENT
        if operation.cause == "not_made":
            template = words.ENDED["cancelled"]
    name = facts.run.name if facts.run is not None else name_of(facts)
    forms = cards.FORMS[operation.asked_verb] if operation is not None else cards.SOME_REQUEST
    line = fill(template, name=name, title=facts.connection_title, at=_clock(at), **forms._asdict())
    return f"{line[0].upper()}{line[1:]}"


def _clock(at: float) -> Markup:
    """Return a time of day without the day, which Slack shows above the message."""
    return kit.moment(at, at)
