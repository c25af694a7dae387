"""Tests of which messages are sent, and when people are reminded that a link expires."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.accounts import find_due_reminder, plan_first_reminder
from bot.domain.notices import Mark, NoticeKind
from bot.domain.preferences import Preferences, should_send

K = NoticeKind
TOPICS = (K.READY, K.STOPPED_ELSEWHERE, K.JOB_ENDED)
IN_CARD = [kind for kind in NoticeKind if Mark.IN_CARD in kind.marks]
NOTHING = Preferences(ready=False, stopped=False, run_ended=False)


@pytest.mark.parametrize("kind", sorted(set(NoticeKind) - set(TOPICS)))
def test_what_nobody_can_switch_off_is_always_sent(kind):
    assert should_send(kind, NOTHING, chosen=False, has_card=Mark.IN_CARD not in kind.marks)


def test_what_a_card_says_at_its_end_has_no_message_of_its_own():
    assert not any(should_send(kind, Preferences(), has_card=True) for kind in IN_CARD)
    assert [kind.value for kind in IN_CARD] == ["stopped", "removed"]


@pytest.mark.parametrize("kind", TOPICS)
@pytest.mark.parametrize("chosen", [None, True, False])
@pytest.mark.parametrize("wants", [True, False])
@pytest.mark.parametrize("has_card", [True, False])
def test_what_is_off_is_told_by_the_card_alone(kind, chosen, wants, has_card):
    preferences = Preferences(ready=wants, stopped=wants, run_ended=wants)
    is_on = wants if chosen is None else chosen
    # Without a card, the notice is sent anyway, because nobody would hear about it otherwise. A workspace
    # that stopped on its own never has a card, so the preference decides.
    expected = is_on or (not has_card and kind is not K.STOPPED_ELSEWHERE)
    assert should_send(kind, preferences, chosen=chosen, has_card=has_card) == expected
    assert should_send(kind, preferences, chosen=chosen, is_failure=True, has_card=has_card)


def test_at_first_all_is_told_but_stops_by_themselves():
    assert [should_send(kind, Preferences(), has_card=True) for kind in TOPICS] == [
        True,
        False,
        True,
    ]


# -- reminders of links that expire --------------------------------------------------------------------------


DAY = 86_400.0
END = 100 * DAY


@pytest.mark.parametrize(
    ("linked_at", "ends_at", "first"),
    [
        (0.0, END, END - 7 * DAY),
        (END - 8 * DAY, END, END - 7 * DAY),
        # A person who links for less than a week is reminded a day before, and for less than a day not at
        # all.
        (END - 7 * DAY, END, END - DAY),
        (END - 2 * DAY, END, END - DAY),
        (END - DAY, END, None),
        (END + DAY, END, None),
        (0.0, None, None),
    ],
)
def test_the_first_comes_a_week_before_unless_that_is_over(linked_at, ends_at, first):
    assert plan_first_reminder(linked_at, ends_at) == first


@pytest.mark.parametrize(
    ("before", "due", "next_before"),
    [
        (8 * DAY, "", 7 * DAY),
        (7 * DAY, "week", DAY),
        (1.5 * DAY, "week", DAY),
        (DAY, "day", 0.0),
        (60.0, "day", 0.0),
        (0.0, "", None),
        (-DAY, "", None),
    ],
)
def test_what_is_due_by_the_time_that_is_left(before, due, next_before):
    assert find_due_reminder(END, END - before) == (due, None if next_before is None else END - next_before)


@given(st.floats(0, 400 * DAY), st.lists(st.floats(0.1, 30 * DAY), min_size=1, max_size=60), st.floats(0, 99))
def test_however_rarely_somebody_looks_each_is_said_once_at_most_and_it_comes_to_an_end(ends_at, gaps, late):
    said, now, due_at = [], 0.0, plan_first_reminder(0.0, ends_at)
    for gap in (*gaps, 500 * DAY):
        now += gap
        if due_at is not None and due_at <= now:
            occasion, due_at = find_due_reminder(ends_at, now)
            assert due_at is None or due_at > now
            said += [occasion] if occasion else []
            if now < ends_at - late and ends_at > DAY:
                assert occasion
    assert said in ([], ["week"], ["day"], ["week", "day"])
    assert due_at is None or due_at == ends_at
