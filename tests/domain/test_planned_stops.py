"""Which of a workspace's planned stops takes effect."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.begun_hours import find_begun_stop, has_end, need_workspace
from bot.domain.courses import ClassCard
from bot.domain.hours import HoursRule, find_hours_stop
from bot.domain.people import Principal
from bot.domain.planned_stops import choose_end
from bot.domain.stops import PlannedStop, PlannedStops
from bot.domain.timers import find_next_stop
from bot.domain.timetable import postpone
from bot.domain.workspaces import Workspace

#: The days of lessons, and when a member joined the course.
MONDAYS, JOINED = frozenset({"mon"}), 1000.0


def at(time: str) -> float:
    """Return a time on a Monday, as a timestamp."""
    hour, minute = map(int, time.split(":"))
    return datetime(2027, 11, 22, hour, minute, tzinfo=UTC).timestamp()


def _read_times(times: str) -> dict:
    starts, stops = ((at(one) - at("0:00")) / 60 if one else None for one in times.split("-"))
    return {"starts": starts, "stops": stops}


def rule(key: str, times: str, **keys) -> HoursRule:
    begin, _, end = times.partition("-")
    shared = {"days": MONDAYS, "lead_seconds": 300.0} | _read_times(f"{begin}-{end}")
    given = (key, Principal(None, "T1", "U1"), "cloud", "w", "UTC", 0.0)
    return HoursRule(*given, **{**shared, **keys})


def course(key: str, times: str, **keys) -> ClassCard:
    """Return a course with lessons on Mondays."""
    shared = {"days": MONDAYS, "lead_seconds": 300.0} | _read_times(times)
    return ClassCard(Principal(None, "T1", "U1"), "C1", "cloud", key, id=key, **shared, **keys)


def end(because: str, time: str, source: str = "", since: float = 0.0) -> PlannedStop:
    return PlannedStop(at(time), "stop", because=because, source=source, since=since)


FIRST, LOOK = end("lesson", "10:30", "first"), end("look", "9:35", "card")
CLASS, HOURS = end("class", "10:00", "one"), end("hours", "9:45", "own")
EARLIER, LATER = (end("own", time, since=JOINED + 1) for time in ("9:50", "12:00"))
END_OF_START = PlannedStop(at("12:00"), "stop", since=JOINED + 1, start="start")
BEFORE = end("own", "9:50", since=JOINED - 1)
COURSE = course("first", "9:00-10:30")


@pytest.mark.parametrize(
    ("ends", "plans", "counts"),
    [
        ([], [], None),
        ([FIRST], [COURSE], ("10:30", "lesson", "first")),
        # Of several planned stops the latest one counts, whatever the reasons are.
        ([FIRST, CLASS], [COURSE], ("10:30", "lesson", "first")),
        ([CLASS, end("class", "9:40", "two")], [], ("10:00", "class", "one")),
        ([HOURS, FIRST], [COURSE], ("10:30", "lesson", "first")),
        # A stop because nobody said that the workspace is needed doesn't postpone an earlier one.
        ([CLASS, end("needed", "18:00")], [], ("10:00", "class", "one")),
        # A stop that the owner set after joining the course counts, whether it is earlier or later. One from
        # before is treated like the others.
        ([FIRST, EARLIER], [COURSE], ("9:50", "own", "")),
        ([FIRST, LATER], [COURSE], ("12:00", "own", "")),
        ([FIRST, BEFORE], [COURSE], ("10:30", "lesson", "first")),
        ([end("own", "11:00", since=JOINED - 1), FIRST], [COURSE], ("11:00", "own", "")),
        ([EARLIER, HOURS], [], ("9:50", "own", "")),
        ([BEFORE, end("hours", "12:00", "own")], [COURSE], ("10:30", "lesson", "first")),
        # If a stop was planned along with a start, it was set by a person who may only start the workspace.
        ([END_OF_START], [], ("12:00", "own", "")),
        ([END_OF_START, HOURS], [], ("9:45", "hours", "own")),
        # A first look (the time to try out a course's workspace) doesn't end during a lesson, and nothing
        # else does either.
        ([LOOK], [COURSE], ("10:30", "lesson", "first")),
        ([LOOK], [course("first", "9:40-11:00")], ("11:00", "lesson", "first")),
        ([LOOK], [course("first", "9:41-11:00")], ("9:35", "look", "card")),
        ([HOURS], [COURSE], ("10:30", "lesson", "first")),
        ([BEFORE], [COURSE], ("10:30", "lesson", "first")),
        # Lessons that overlap, follow each other, or are at the same time; one after a break; one that is
        # cancelled.
        ([FIRST], [COURSE, course("b", "10:00-11:30")], ("11:30", "lesson", "b")),
        ([FIRST], [COURSE, course("b", "10:30-11:30")], ("11:30", "lesson", "b")),
        ([FIRST], [COURSE, course("b", "9:00-10:30")], ("10:30", "lesson", "first")),
        ([FIRST], [COURSE, course("b", "10:30-11:30"), course("c", "11:30-12:00")], ("12:00", "lesson", "c")),
        ([FIRST], [COURSE, course("b", "10:36-11:30")], ("10:30", "lesson", "first")),
        (
            [FIRST],
            [COURSE, course("b", "10:00-11:30", off=frozenset({"2027-11-22"}))],
            ("10:30", "lesson", "first"),
        ),
        # The owner's own hours keep a workspace running, with or without an end. Hours that only stop don't.
        ([FIRST], [COURSE, rule("own", "9:15-12:00")], None),
        ([FIRST], [COURSE, rule("own", "9:15")], None),
        ([FIRST], [COURSE, rule("own", "-18:00")], ("10:30", "lesson", "first")),
        ([FIRST, end("hours", "12:00", "own")], [rule("own", "9:15-12:00")], ("12:00", "hours", "own")),
    ],
)
def test_the_end_that_counts(ends, plans, counts):
    """Also in any other order."""
    agreed_at = JOINED if FIRST in ends or BEFORE in ends else 0.0
    courses = [one for one in plans if isinstance(one, ClassCard)]
    own = [one for one in plans if isinstance(one, HoursRule)]
    for given in (ends, ends[::-1]):
        found = choose_end(
            given, agreed_at, lambda end: postpone(end, courses), lambda at: need_workspace(own, at)
        )
        said = found and (found.at, found.because, found.source)
        assert said == (counts and (at(counts[0]), *counts[1:]))


def test_ends_are_read_back_from_json():
    """Planned stops are also read from an earlier release's JSON, without the newest fields."""
    known = {name: getattr(FIRST, name) for name in PlannedStop.__slots__}
    assert PlannedStops.from_json({"rows": [known], "counts": known}) == PlannedStops((FIRST,), FIRST)
    end = PlannedStop(5.0, "stop")
    assert PlannedStops.from_json({"rows": [{"at": 5.0, "mode": "stop"}], "counts": None}) == PlannedStops(
        (end,)
    )


# -- what hours have started -------------------------------------------------------------------------------


def hours(times: str, days: str = "mon", **keys) -> HoursRule:
    """Return a person's own hours, on Mondays unless other days are given."""
    return rule("own", times, days=frozenset(days.split()), lead_seconds=0.0, **keys)


DAY, OFF = hours("9:00-18:00"), {"off": frozenset({"2027-11-22"})}
NIGHT = hours("20:00-8:00", "sun")


@pytest.mark.parametrize(
    ("rules", "now", "stops"),
    [
        pytest.param([], "14:00", None, id="none"),
        pytest.param([DAY], "14:00", "18:00", id="in hours"),
        pytest.param([DAY], "8:59", None, id="before"),
        pytest.param([DAY], "18:00", None, id="after"),
        pytest.param([NIGHT], "2:00", "8:00", id="over midnight"),
        pytest.param([hours("-18:00")], "14:00", None, id="only a stop"),
        pytest.param([hours("9:00-")], "14:00", None, id="only a start"),
        pytest.param([hours("9:00-"), hours("-18:00")], "14:00", "18:00", id="of two rules"),
        pytest.param([hours("9:00-"), hours("-12:00")], "14:00", None, id="of two rules, after"),
        pytest.param([hours("-8:00"), hours("8:10-")], "14:00", None, id="restart"),
        pytest.param([DAY, hours("10:00-20:00")], "14:00", "18:00", id="overlapping"),
        pytest.param([DAY, hours("10:00-20:00")], "19:00", "20:00", id="overlapping, after the first"),
        pytest.param([DAY, hours("15:00-16:00")], "14:00", "18:00", id="overlapping, inside"),
        pytest.param([hours("9:00-18:00", **OFF)], "14:00", None, id="left out"),
        pytest.param([hours("9:00-18:00", paused="person")], "14:00", None, id="paused"),
        pytest.param([replace(DAY, processed_until=at("18:00"))], "17:55", None, id="planned already"),
        pytest.param(
            [replace(DAY, processed_until=at("18:00")), hours("9:00-12:00", "tue")],
            "17:55",
            None,
            id="planned already, another day ahead",
        ),
    ],
)
def test_hours_that_have_begun_have_a_stop_ahead(rules, now, stops):
    found = find_begun_stop(rules, at(now))
    assert (found and found[0].at) == (stops and at(stops))


@pytest.mark.parametrize(
    ("rules", "ends"),
    [
        pytest.param([], False, id="none"),
        pytest.param([DAY], True, id="the same"),
        pytest.param([hours("9:00-20:00")], True, id="later today"),
        pytest.param([hours("9:00-12:00", "mon tue")], False, id="earlier, past"),
        pytest.param([hours("9:00-18:00", "tue")], False, id="another day"),
        pytest.param([hours("9:00-")], False, id="only a start"),
        pytest.param([hours("17:00-22:00")], True, id="go on from there"),
        pytest.param([hours("19:00-22:00")], False, id="later hours"),
        pytest.param([hours("17:00-")], False, id="a start without a stop"),
        pytest.param([hours("-20:00")], True, id="only a stop"),
    ],
)
def test_changed_hours_name_an_end_of_today_or_none(rules, ends):
    assert has_end(rules, at("18:00"), at("14:00")) is ends


ALICE = Principal(None, "T1", "U1")
NEXT_MONDAY = at("18:00") + 7 * 86_400.0


@pytest.mark.parametrize(
    ("known", "rules", "stops_at"),
    [
        pytest.param({}, [], None, id="nothing"),
        pytest.param({"stop_at": at("16:00")}, [], at("16:00"), id="planned"),
        pytest.param({}, [rule("own", "9:00-18:00")], at("18:00"), id="hours"),
        pytest.param({}, [rule("own", "-18:00")], at("18:00"), id="hours_that_only_stop"),
        pytest.param({}, [rule("own", "9:00-")], None, id="hours_that_only_start"),
        pytest.param({}, [rule("own", "9:00-18:00", paused="unused")], None, id="paused"),
        pytest.param(
            {}, [rule("own", "9:00-18:00", off=frozenset({"2027-11-22"}))], NEXT_MONDAY, id="left_out"
        ),
        pytest.param(
            {},
            [replace(rule("own", "9:00-18:00"), processed_until=at("18:00"))],
            NEXT_MONDAY,
            id="taken_back",
        ),
        pytest.param({"stop_at": at("10:30")}, [], at("10:30"), id="lesson_that_has_started_it"),
        # The stop that the owner set counts, even if their hours would stop the workspace earlier.
        pytest.param(
            {"stop_at": NEXT_MONDAY},
            [rule("own", "9:00-18:00")],
            NEXT_MONDAY,
            id="planned_beyond_hours",
        ),
        pytest.param({"expires_at": at("15:00")}, [], at("15:00"), id="ends_by_itself"),
        pytest.param(
            {"expires_at": at("15:00"), "stop_at": at("14:00")}, [], at("14:00"), id="whichever_is_first"
        ),
        pytest.param({"expires_at": at("8:00")}, [], None, id="did_not_end_as_it_said"),
        # It is being carried out.
        pytest.param({"stop_at": at("8:59")}, [], at("8:59"), id="due"),
    ],
)
def test_next_stop_is_what_ends_it_first(known, rules, stops_at):
    """Of a Monday at nine."""
    workspace = Workspace("w", ALICE, "cloud", "r", "g", "lab", **known)
    assert find_next_stop(workspace, find_hours_stop(rules, at("9:00")), at("9:00")) == stops_at
