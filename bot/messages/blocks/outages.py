"""Notices to administrators that a connection doesn't answer, and that it answers again."""

from __future__ import annotations

from bot.domain.facts import Facts
from bot.domain.models import Answer
from bot.messages.blocks import kit
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import outages, times


def outage(facts: Facts) -> Answer:
    """Say that an outage began or ended: ``what`` happened ``since`` when, and how long it lasted."""
    sentence, text = outages.OUTAGES[facts.word("what") or "away"]
    since = facts.time("since")
    lasted = times.duration(facts.time("until") - since)
    names = {
        "title": facts.connection_title,
        "since": kit.moment(since, facts.now),
        "lasted": lasted,
        "until": kit.moment(facts.time("until"), facts.now),
        "place": facts.word("place"),
        # Our own address, from the settings.
        "page": Markup(f"<{facts.word('page')}>"),
    }
    return kit.message(fill(text, **names), fill(sentence, **names))
