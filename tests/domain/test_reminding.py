"""When people are reminded that a link ends: a table, and what holds whenever somebody looks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.notices import first_reminder, reminder

DAY = 86_400.0
END = 100 * DAY


@pytest.mark.parametrize(
    ("linked_at", "ends_at", "first"),
    [
        (0.0, END, END - 7 * DAY),
        (END - 8 * DAY, END, END - 7 * DAY),
        # Who links for less than a week is told a day before, and for less than a day not at all.
        (END - 7 * DAY, END, END - DAY),
        (END - 2 * DAY, END, END - DAY),
        (END - DAY, END, None),
        (END + DAY, END, None),
        (0.0, None, None),
    ],
)
def test_the_first_comes_a_week_before_unless_that_is_over(linked_at, ends_at, first):
    assert first_reminder(linked_at, ends_at) == first


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
    assert reminder(END, END - before) == (due, None if next_before is None else END - next_before)


@given(st.floats(0, 400 * DAY), st.lists(st.floats(0.1, 30 * DAY), min_size=1, max_size=60), st.floats(0, 99))
def test_however_rarely_somebody_looks_each_is_said_once_at_most_and_it_comes_to_an_end(ends_at, gaps, late):
    said, now, due_at = [], 0.0, first_reminder(0.0, ends_at)
    for gap in (*gaps, 500 * DAY):
        now += gap
        if due_at is not None and due_at <= now:
            occasion, due_at = reminder(ends_at, now)
            assert due_at is None or due_at > now
            said += [occasion] if occasion else []
            if now < ends_at - late and ends_at > DAY:
                assert occasion
    assert said in ([], ["week"], ["day"], ["week", "day"])
    assert due_at is None or due_at == ends_at
