"""What a text makes of a time that was said before, and how a time is typed."""

from zoneinfo import ZoneInfo

import pytest

from bot.domain import time_parsing

ZONE = ZoneInfo("Europe/Berlin")
#: Friday 15 January 2027, 09:00 in Berlin.
NOW = 1_800_000_000.0


def at(text):
    return time_parsing.read(text, ZONE, NOW).at


@pytest.mark.parametrize(
    ("last", "text", "found"),
    [
        ("today 18:00", "8:30", "today 20:30"),
        ("today 18:00", "20:30", "today 20:30"),
        ("today 18:00", "6", "today 18:00"),
        ("tomorrow 09:00", "half past ten", "tomorrow 10:30"),
        ("tomorrow 09:00", "in the evening", "tomorrow 21:00"),
        ("today 22:00", "in the morning", "today 10:00"),
        ("today 20:00", "08:00", "tomorrow 08:00"),
        ("today 18:00", "tomorrow", "tomorrow 18:00"),
        ("today 18:00", "tomorrow morning", "tomorrow 06:00"),
        ("tomorrow 18:00", "tuesday", "tuesday 18:00"),
        ("today 18:00", "tomorrow 9:00", ""),
        ("today 18:00", "two hours", ""),
        ("today 18:00", "report", ""),
    ],
)
def test_a_text_changes_a_time_and_keeps_the_rest_of_it(last, text, found):
    changed = time_parsing.replace_time(text, at(last), ZONE, NOW)
    assert (time_parsing.format_time(changed, ZONE, NOW) if changed else "") == found
