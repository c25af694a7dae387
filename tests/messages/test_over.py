"""Messages of every kind, read when what they announce has come."""

import re

import pytest

from bot.domain.announcements import Span, drop_past, find_next_moment
from bot.domain.message_kinds import AnyKind, Mark, list_members
from bot.domain.waitlist import WaitlistKind
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.renderers import RENDERERS, renders
from tests.messages.card_facts import NOW
from tests.rigs.golden import entries, shown

FAMILIES = ("notices", "answers", "hours", "jobs")
#: Every message that tests draw, at its own moment, with what it announces.
SAID = [name for family in FAMILIES for name in entries(family) if "blocks" in shown(name)]
#: The future tense beside a time.
FUTURE = re.compile(r"[^.!?\n]*\b(?:will|I'll|begins|expires|until)\b[^.!?\n]*<!date\^(\d+)\^[^.!?\n]*")
#: A day that is another one when it is read later.
NEAR = re.compile(r"\b(?:today|tomorrow|yesterday|\d\d:\d\d)\b")


def left_of(name, since, now):
    given = kit.keep_buttons(kit.answer(shown(name)["blocks"]), lambda one: not past(one, since, now))
    return drop_past(given.blocks, Span(since, now))


def past(button, since, now):
    return Span(since, now).has(ButtonValue.from_button(button).at)


@pytest.mark.parametrize("later", [1.0, 2 * 86_400.0], ids=["second", "days"])
def test_no_message_announces_what_has_come(later):
    found = 0
    for name in SAID:
        since = at = find_next_moment(shown(name)["blocks"], NOW)
        while at is not None:
            found, now = found + 1, at + later
            left = left_of(name, since, now) or []
            announced = [float(one) for line in kit.iterate_lines(left) for one in FUTURE.findall(line)]
            presses = [ButtonValue.from_button(one) for one in kit.iterate_buttons(left)]
            assert not [one for one in announced if since <= one <= now], name
            assert not [one for one in presses if one.at is not None and since <= one.at <= now], name
            at = find_next_moment(left, now)
    assert found > 20


def test_buttons_name_no_day_and_no_time_that_was_not_typed():
    for name in (one for family in ("notices", "jobs") for one in entries(family)):
        for button in kit.iterate_buttons(shown(name).get("blocks", ())):
            assert not NEAR.search(button["text"]["text"]), name


def test_every_kind_that_passes_says_when_it_is_true():
    usual = renders.__kwdefaults__["is_true"]
    passing = [kind for kind in list_members(AnyKind) if Mark.PASSES in kind.marks]
    assert len(passing) >= 12
    # A question passes once it has a successor.
    assert [kind for kind in passing if RENDERERS[kind].is_true is usual] == [WaitlistKind.WAITLIST_PLACE]
    assert [kind for kind in passing if Mark.ASKS in kind.marks] == [WaitlistKind.WAITLIST_PLACE]
    # Nobody is told whom a message names by its absence.
    assert not [kind for kind in passing if Mark.PEOPLE in kind.marks]
