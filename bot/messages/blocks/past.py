"""Messages that are drawn again: the live one as things are, the ones before it as a line without buttons."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.facts import Facts, HeldFacts, RunFacts, WorkspaceFacts
from bot.domain.notices import Answer, Mark, NoticeKind
from bot.messages.blocks import kit
from bot.messages.blocks.drawn import DRAWN
from bot.messages.blocks.lists import status_answer
from bot.messages.blocks.notices import line, render


def redraw(kind: NoticeKind, facts: Facts, *, is_closing: bool) -> Answer:
    """Draw a message again from the rows as they are; a closing one without its buttons."""
    if is_closing:
        return past(kind, facts)
    return render(kind, facts) if holds(kind, facts) else _as_it_is(kind, facts) or past(kind, facts)


def _as_it_is(kind: NoticeKind, facts: Facts) -> Answer | None:
    """Draw what has become of the workspace or run of a live message; None if that is said elsewhere."""
    if isinstance(facts, RunFacts):
        return render(NoticeKind.JOB_CARD, facts)
    if facts.is_superseded or not isinstance(facts, WorkspaceFacts):
        return None
    if facts.operation is not None:
        return render(NoticeKind.CARD, facts)
    workspace = facts.workspace
    if workspace is None or workspace.hidden:
        return None
    return status_answer(facts, workspace, remark=line(kind, facts))


def holds(kind: NoticeKind, facts: Facts) -> bool:
    """Return whether what a message said is still so; cards and questions say themselves what is."""
    if kind.marks & (Mark.CARD | Mark.APART):
        return True
    return not facts.is_superseded and DRAWN[kind].holds(facts)


def still_so(facts: HeldFacts) -> HeldFacts:
    """Leave out what quiet hours held back and isn't so any more."""
    return replace(facts, held=tuple(one for one in facts.held if holds(*one)))


def past(kind: NoticeKind, facts: Facts) -> Answer:
    """Draw a message as the one line that it becomes."""
    said = line(kind, facts)
    return kit.answer(kit.bare(said), [kit.context(said)])
