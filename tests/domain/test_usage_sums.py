"""What ran within a window is added up by workspace and by job."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bot.domain.usage import Known, Moment, add_up, find_next_monday
from tests.rigs.lives import exact, make_life

HOUR = 3600.0
SINCE, UNTIL, NOW = 100 * HOUR, 200 * HOUR, 150 * HOUR
BERLIN = ZoneInfo("Europe/Berlin")


def added(*lives, now=NOW):
    return add_up(lives, SINCE, UNTIL, now)


def test_nothing_ran():
    usage = added()
    assert (usage.lines, usage.idle, usage.total.lives) == ((), None, 0)


def test_lives_of_one_workspace_are_one_line():
    usage = added(make_life(101 * HOUR, 103 * HOUR), make_life(110 * HOUR, 111 * HOUR))
    (line,) = usage.lines
    assert (line.sum.hours.best, line.sum.lives, usage.total.hours.best) == (3.0, 2, 3.0)


def test_lines_are_the_longest_first_and_runs_of_a_job_are_one():
    runs = [
        make_life(at * HOUR, (at + 1) * HOUR, "train", kind="run", subject=f"run_{at}") for at in (101, 120)
    ]
    usage = added(*runs, make_life(100 * HOUR, 105 * HOUR, "lab"), make_life(101 * HOUR, 102 * HOUR, "tiny"))
    assert [(one.newest.name, one.sum.hours.best) for one in usage.lines] == [
        ("lab", 5.0),
        ("train", 2.0),
        ("tiny", 1.0),
    ]


def test_same_names_on_two_connections_are_two_lines():
    usage = added(
        make_life(101 * HOUR, 102 * HOUR, kind="run", subject="a"),
        make_life(101 * HOUR, 102 * HOUR, kind="run", subject="b", connection="hub"),
    )
    assert len(usage.lines) == 2


@pytest.mark.parametrize(
    ("began", "ended", "hours"),
    [
        pytest.param(90, 102, 2.0, id="began_before"),
        pytest.param(148, 160, 2.0, id="ends_after_now"),
        pytest.param(90, 160, 50.0, id="both"),
        pytest.param(120, 121, 1.0, id="within"),
    ],
)
def test_only_the_part_within_the_window_counts(began, ended, hours):
    usage = added(make_life(began * HOUR, ended * HOUR))
    assert usage.total.hours.best == hours


@pytest.mark.parametrize(("began", "ended"), [(80, 99), (160, 170)], ids=["before", "after_now"])
def test_lives_outside_the_window_are_no_lines(began, ended):
    assert added(make_life(began * HOUR, ended * HOUR)).lines == ()


def test_running_one_counts_to_its_last_sign_of_life():
    usage = added(make_life(140 * HOUR, None, last_seen_at=149 * HOUR))
    assert usage.lines[0].sum.hours.best == 9.0
    assert [life.name for life in usage.lines[0].open] == ["notebook"]


def test_unknown_end_counts_to_the_last_sign_of_life():
    usage = added(make_life(110 * HOUR, Moment(112 * HOUR, 140 * HOUR, Known.UNKNOWN)))
    (line,) = usage.lines
    assert (line.sum.hours.best, line.unknown_from) == (2.0, 112 * HOUR)


def test_end_between_two_reads_has_a_spread():
    usage = added(make_life(110 * HOUR, Moment(111 * HOUR, 112 * HOUR, Known.SEEN)))
    assert (usage.lines[0].sum.hours.best, usage.lines[0].spread) == (1.5, 0.5)


def test_what_usher_did_has_no_spread():
    usage = added(make_life(Moment(110 * HOUR, 110.1 * HOUR, Known.ASKED), 112 * HOUR))
    assert usage.lines[0].spread == 0.0


def test_begin_before_the_first_sign_of_life_is_at_least():
    usage = added(make_life(exact(110 * HOUR, Known.UNKNOWN), 112 * HOUR))
    assert usage.lines[0].is_least


def test_money_of_two_currencies_is_never_added():
    usage = added(
        make_life(100 * HOUR, 110 * HOUR, price="0.40 USD"),
        make_life(100 * HOUR, 101 * HOUR, "lab", price="2 EUR"),
        make_life(100 * HOUR, 103 * HOUR, "free"),
    )
    assert usage.total.money == {"USD": Decimal("4.00"), "EUR": Decimal(2)}
    assert usage.total.unpriced == 3.0


def test_longest_time_without_use_is_found():
    usage = added(
        make_life(100 * HOUR, 120 * HOUR, opened_at=101 * HOUR),
        make_life(100 * HOUR, 140 * HOUR, "lab", opened_at=130 * HOUR),
        make_life(100 * HOUR, 149 * HOUR, "train", kind="run"),
    )
    assert usage.idle is not None
    assert (usage.idle.life.name, usage.idle.seconds) == ("notebook", 19 * HOUR)
    assert not usage.idle.is_use_known


def test_use_at_the_provider_counts():
    usage = added(make_life(100 * HOUR, 120 * HOUR, opened_at=101 * HOUR, used_at=112 * HOUR))
    assert usage.idle is not None
    assert (usage.idle.seconds, usage.idle.is_use_known) == (8 * HOUR, True)


def test_less_than_an_hour_without_use_is_nothing():
    assert added(make_life(100 * HOUR, 120 * HOUR, opened_at=119.5 * HOUR)).idle is None


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        ("2026-11-25T12:00", "2026-11-30T09:00+01:00"),
        ("2026-11-30T08:59", "2026-11-30T09:00+01:00"),
        ("2026-11-30T09:00", "2026-12-07T09:00+01:00"),
        ("2026-10-21T12:00", "2026-10-26T09:00+01:00"),
        ("2026-03-25T12:00", "2026-03-30T09:00+02:00"),
    ],
)
def test_next_monday_is_at_nine_in_the_persons_zone(now, monday):
    after = datetime.fromisoformat(now).replace(tzinfo=BERLIN).timestamp()
    at = datetime.fromtimestamp(find_next_monday(after, BERLIN), BERLIN)
    assert at.isoformat(timespec="minutes") == monday
