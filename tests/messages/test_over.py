"""Tests of messages of every kind that are read after the time that they announce."""

import re

from bot.domain.notices import Mark, NoticeKind
from bot.messages.blocks import kit
from bot.messages.blocks.renderers import RENDERERS, renders
from tests.rigs.golden import entries, shown

#: Matches a day or time that means something else if it is read later.
NEAR = re.compile(r"\b(?:today|tomorrow|yesterday|\d\d:\d\d)\b")


def test_buttons_name_no_day_and_no_time_that_was_not_typed():
    for name in (one for family in ("notices", "jobs") for one in entries(family)):
        for button in kit.iterate_buttons(shown(name).get("blocks", ())):
            assert not NEAR.search(button["text"]["text"]), name


def test_every_kind_that_passes_says_when_it_is_true():
    usual = renders.__kwdefaults__["is_true"]
    passing = [kind for kind in NoticeKind if Mark.PASSES in kind.marks]
    assert len(passing) >= 12
    # A question is outdated once there is a newer one.
    assert [kind for kind in passing if RENDERERS[kind].is_true is usual] == [NoticeKind.WAITLIST_PLACE]
    assert [kind for kind in passing if Mark.ASKS in kind.marks] == [NoticeKind.WAITLIST_PLACE]
    # Messages that can go out of date never name other people.
    assert not [kind for kind in passing if Mark.PEOPLE in kind.marks]
