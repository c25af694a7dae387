"""Tests of the format for times: the reader's 12- or 24-hour clock, with the day unless it is today."""

import pytest

from bot.messages.blocks import kit
from tests.messages.card_facts import LONDON, NOW

DAY = 86_400


@pytest.mark.parametrize(
    ("after", "day"),
    [
        (3600, ""),
        (-3600, ""),
        (DAY, "Sat 16 Jan"),
        (-DAY, "Thu 14 Jan"),
        # Fifteen hours from now it is still today, and nine hours ago it was yesterday.
        (15 * 3600, ""),
        (-9 * 3600, "Thu 14 Jan"),
        (360 * DAY, "Mon 10 Jan 2028"),
    ],
    ids=["soon", "just-now", "tomorrow", "yesterday", "evening", "last-night", "next-year"],
)
def test_a_time_names_its_day_unless_it_is_the_readers_today(after, day):
    time = f"<!date^{NOW + after:.0f}^{{time}}|"
    written = kit.moment(NOW + after, NOW, LONDON)
    assert written.startswith(f"{day} at {time}" if day else time)
    assert kit.moment_at(NOW + after, NOW, LONDON) == (written if day else f"at {written}")
    assert kit.since(NOW + after, NOW, LONDON) == (day or written)


def test_several_readers_each_read_their_own_day_of_what_is_ahead():
    for ahead in (3600, DAY):
        assert "{date_short_pretty} at {time}" in kit.moment_at(NOW + ahead, NOW)
    assert kit.moment_at(NOW - 3600, NOW).startswith("at <!date^")
    assert "{date_short_pretty} at {time}" in kit.moment(NOW - DAY, NOW)
