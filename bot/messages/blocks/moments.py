"""Times that people type, answered."""

from __future__ import annotations

from bot.domain.moments import FARTHEST_SECONDS, Unread
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import moments as words
from bot.messages.texts import times


def unread(why: Unread, given: str, soonest: float = 60.0) -> Markup:
    """Say why a typed time can't be used, and how to write it."""
    forms = Markup(words.FORMS)
    if not given.strip():
        return Markup(fill(words.EMPTY, forms=forms))
    options = Markup("")
    if why.options:
        options = Markup(fill(words.OR, first=why.options[0], second=why.options[1]))
    return Markup(
        fill(
            words.UNREAD[why.why],
            given=given,
            forms=forms,
            options=options,
            least=times.duration(soonest),
            most=times.duration(FARTHEST_SECONDS),
        )
    )
