"""Whether a workspace's person is asked now if they still need it."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.hours import evening_of_asking, left_since
from bot.domain.workspaces import State, Workspace
from tests.rigs.store import ALICE

HOUR = 3600.0
BERLIN = ZoneInfo("Europe/Berlin")
LEFT = Workspace("w1", ALICE, "cloud", "r1", "g1", "analysis", state=State.RUNNING)


def local(text: str) -> float:
    return datetime.fromisoformat(f"2027-11-{text}").replace(tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("now", "hours", "more", "is_asked"),
    [
        ("22 09:12", 24, {"started_at": "21 09:12"}, True),
        ("22 09:11", 24, {"started_at": "21 09:12"}, False),
        ("22 08:59", 8, {"started_at": "21 09:12"}, False),
        ("22 09:00", 8, {"started_at": "21 09:12"}, True),
        ("22 16:59", 8, {"started_at": "21 09:12"}, True),
        ("22 17:00", 8, {"started_at": "21 09:12"}, False),
        ("22 12:00", None, {"started_at": "01 09:12"}, False),
        ("22 12:00", 8, {}, False),
        ("22 12:00", 8, {"started_at": "20 09:00", "last_used_at": "22 04:01"}, False),
        ("22 12:00", 8, {"started_at": "20 09:00", "last_used_at": "22 04:00"}, True),
        ("22 12:00", 8, {"last_used_at": "22 04:00"}, True),
        # Of an earlier life.
        ("22 12:00", 8, {"started_at": "22 08:00", "last_used_at": "20 04:00"}, False),
        # They did something with it here.
        ("22 12:00", 8, {"started_at": "20 09:00", "used_at": "22 10:00"}, False),
        ("22 12:00", 8, {"started_at": "20 09:00", "stop_at": "22 20:00"}, False),
        ("22 12:00", 8, {"started_at": "20 09:00", "ends_at": "22 20:00"}, False),
        ("22 12:00", 8, {"started_at": "20 09:00", "state": State.STOPPED}, False),
        ("22 12:00", 8, {"started_at": "20 09:00", "state": State.STARTING}, False),
    ],
)
def test_who_left_something_alone_for_long_is_asked_in_daytime(now, hours, more, is_asked):
    known = {key: value if key == "state" else local(value) for key, value in more.items()}
    after = None if hours is None else hours * HOUR
    evening = evening_of_asking(replace(LEFT, **known), after, local(now), BERLIN)
    assert evening == (local("22 18:00") if is_asked else None)


def test_what_counts_is_the_last_use_where_it_is_told():
    assert left_since(replace(LEFT, started_at=1.0)) == (1.0, False)
    assert left_since(replace(LEFT, started_at=1.0, last_used_at=2.0)) == (2.0, True)
    assert left_since(replace(LEFT, started_at=3.0, last_used_at=2.0)) == (3.0, False)
