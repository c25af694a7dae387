"""What a message said, in one sentence that stays true."""

from __future__ import annotations

from typing import Final

from bot.domain.facts import Facts
from bot.domain.models import NoticeKind, Outcome
from bot.messages.blocks import kit
from bot.messages.blocks.cards import name_of
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import cards, times
from bot.messages.texts import past as words

_ENDS: Final = frozenset({NoticeKind.CARD, NoticeKind.FAILED, NoticeKind.REFUSED})


def sentence(kind: NoticeKind, facts: Facts) -> str:
    """Say what a message was about, and when: the time of day, as Slack shows the day above the message."""
    operation, at = facts.operation, facts.written_at
    template = words.KEPT if facts.kept else words.SAID.get(kind, words.OVER)
    if operation is not None and kind in _ENDS:
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
    took = Markup()
    ended_at, called_at = (operation.ended_at, operation.called_at) if operation is not None else (None, None)
    if ended_at is not None and called_at is not None and ended_at > called_at:
        took = Markup(fill(words.TOOK, took=times.duration(ended_at - called_at)))
    more = {"at": kit.moment(at, at), "took": took, **forms._asdict()}
    line = fill(template, name=name, title=facts.connection_title, **more)
    return f"{line[0].upper()}{line[1:]}"
