"""Time running within a window is added up by workspace and by job."""

from __future__ import annotations

from dataclasses import astuple
from decimal import Decimal
from random import Random

import pytest

from bot.domain.usage import Known, Moment, Sum
from bot.store import usage as ledger
from tests.rigs.clock import NOW
from tests.rigs.lives import exact, keep, make_life, measure
from tests.rigs.store import ALICE

pytestmark = pytest.mark.both_engines

HOUR = 3600.0
BEGIN = NOW - 150 * HOUR


def at(hour):
    """Convert an hour to a timestamp. The window is hours 100 to 200, and the clock starts at hour 150."""
    return BEGIN + hour * HOUR


async def added(store, *lives):
    await keep(store, *lives)
    return await store.read(ledger.read_usage, ALICE, at(100), at(200))


async def test_nothing_ran(store):
    usage = await added(store)
    assert (usage.lines, usage.idle, usage.total.lives) == ((), None, 0)


async def test_lives_of_one_workspace_are_one_line(store):
    usage = await added(store, make_life(at(101), at(103)), make_life(at(110), at(111)))
    (line,) = usage.lines
    assert (line.sum.hours.best, line.sum.lives, usage.total.hours.best) == pytest.approx((3.0, 2, 3.0))


async def test_lines_are_the_longest_first_and_runs_of_a_job_are_one(store):
    runs = [make_life(at(one), at(one + 1), "train", kind="run", subject=f"run_{one}") for one in (101, 120)]
    usage = await added(store, *runs, make_life(at(100), at(105), "lab"), make_life(at(101), at(102), "tiny"))
    assert [(one.name, one.sum.hours.best) for one in usage.lines] == [
        ("lab", 5.0),
        ("train", 2.0),
        ("tiny", 1.0),
    ]


async def test_same_names_on_two_connections_are_two_lines(store):
    usage = await added(
        store,
        make_life(at(101), at(102), kind="run", subject="a"),
        make_life(at(101), at(102), kind="run", subject="b", connection="hub"),
    )
    assert len(usage.lines) == pytest.approx(2)


@pytest.mark.parametrize(
    ("began", "ended", "hours"),
    [
        pytest.param(90, 102, 2.0, id="began_before"),
        pytest.param(148, 160, 2.0, id="ends_after_now"),
        pytest.param(90, 160, 50.0, id="both"),
        pytest.param(120, 121, 1.0, id="within"),
    ],
)
async def test_only_the_part_within_the_window_counts(store, began, ended, hours):
    usage = await added(store, make_life(at(began), at(ended)))
    assert usage.total.hours.best == pytest.approx(hours)


@pytest.mark.parametrize(("began", "ended"), [(80, 99), (160, 170)], ids=["before", "after_now"])
async def test_lives_outside_the_window_are_no_lines(store, began, ended):
    assert (await added(store, make_life(at(began), at(ended)))).lines == ()


async def test_running_one_counts_to_its_last_sign_of_life(store):
    usage = await added(store, make_life(at(140), None, last_seen_at=at(149)))
    assert usage.lines[0].sum.hours.best == pytest.approx(9.0)
    assert usage.lines[0].is_open


async def test_unknown_end_counts_to_the_last_sign_of_life(store):
    usage = await added(store, make_life(at(110), Moment(at(112), at(140), Known.UNKNOWN)))
    (line,) = usage.lines
    assert (line.sum.hours.best, line.unknown_from) == (2.0, at(112))


async def test_end_between_two_reads_has_a_spread(store):
    usage = await added(store, make_life(at(110), Moment(at(111), at(112), Known.SEEN)))
    assert (usage.lines[0].sum.hours.best, usage.lines[0].spread) == pytest.approx((1.5, 0.5))


async def test_what_usher_did_has_no_spread(store):
    usage = await added(store, make_life(Moment(at(110), at(110.1), Known.ASKED), at(112)))
    assert usage.lines[0].spread == pytest.approx(0.0)


async def test_begin_before_the_first_sign_of_life_is_at_least(store):
    usage = await added(store, make_life(exact(at(110), Known.UNKNOWN), at(112)))
    assert usage.lines[0].is_least


async def test_money_of_two_currencies_is_never_added(store):
    usage = await added(
        store,
        make_life(at(100), at(110), price="0.40 USD"),
        make_life(at(100), at(101), "lab", price="2 EUR"),
        make_life(at(100), at(103), "free"),
    )
    assert usage.total.money == {"USD": Decimal("4.00"), "EUR": Decimal(2)}
    assert usage.total.unpriced == pytest.approx(3.0)


async def test_longest_time_without_use_is_found(store):
    usage = await added(
        store,
        make_life(at(100), at(120), opened_at=at(101)),
        make_life(at(100), at(140), "lab", opened_at=at(130)),
        make_life(at(100), at(149), "train", kind="run"),
    )
    assert usage.idle is not None
    assert (usage.idle.name, usage.idle.seconds) == ("notebook", 19 * HOUR)
    assert not usage.idle.is_use_known


async def test_use_at_the_provider_counts(store):
    usage = await added(store, make_life(at(100), at(120), opened_at=at(101), used_at=at(112)))
    assert usage.idle is not None
    assert (usage.idle.seconds, usage.idle.is_use_known) == (8 * HOUR, True)


async def test_less_than_an_hour_without_use_is_nothing(store):
    assert (await added(store, make_life(at(100), at(120), opened_at=at(119.5)))).idle is None


async def test_a_renamed_workspace_is_one_line_with_its_newest_name(store):
    lives = [
        make_life(at(101), at(103), "old", subject="g", workspace_id="ws1"),
        make_life(at(110), at(111), "new", subject="g", workspace_id="ws2"),
        make_life(at(104), at(105), "old", subject="g", workspace_id="ws1", price="1 EUR"),
    ]
    (line,) = (await added(store, *lives)).lines
    assert (line.name, line.workspace_id, line.sum.lives) == ("new", "ws2", 3)
    assert {one.line for one in lives} == {(line.kind, line.key)}


async def test_one_not_seen_for_a_day_counts_up_to_then_and_does_not_run(store):
    (line,) = (await added(store, make_life(at(101), None, last_seen_at=at(110)))).lines
    assert (line.is_open, line.unknown_from, line.sum.hours.unknown) == (False, at(110), 1)
    assert line.sum.hours.highest == pytest.approx(9.0)


def make_some(numbers):
    """Return random lives of three workspaces and a job around the window, with every kind of ``Known``."""
    found, known = [], [*Known]
    for name in ("lab", "notebook", "gpu", "train"):
        marks = sorted(numbers.uniform(80.0, 170.0) for _ in range(40))
        for first, up, last, off in zip(*[iter(map(at, marks))] * 4, strict=True):
            began, ended = numbers.choice(known), numbers.choice(known)
            price = numbers.choice(["", "0.40 USD", "1 EUR"])
            begins = exact(up, began) if began is Known.UNKNOWN else Moment(first, up, began)
            kind = {"kind": "run", "subject": f"run_{up}"} if name == "train" else {}
            found.append(make_life(begins, Moment(last, off, ended), name, price=price, **kind))
    return found


@pytest.mark.parametrize("seed", range(5))
async def test_lines_are_what_the_model_measures(store, seed):
    """The sums computed in SQL match those computed in Python."""
    lives = make_some(Random(seed))
    usage, now = await added(store, *lives), await store.now()
    wanted = {}
    for life in lives:
        if life.began.earliest < now and life.runs_until >= at(100):
            wanted.setdefault(life.line, []).append(life)
    assert {(one.kind, one.key) for one in usage.lines} == wanted.keys()
    for line in usage.lines:
        total = Sum()
        for life in wanted[line.kind, line.key]:
            total.add(measure(life, at(100), at(200), now), life.price)
        assert astuple(line.sum.hours) == pytest.approx(astuple(total.hours))
        assert (line.sum.lives, line.sum.at_price) == (total.lives, pytest.approx(total.at_price))


async def read_lives(store, since, until):
    return {one.id: one for one in await store.read(ledger.read_lives_of_person, ALICE, since, until)}


@pytest.mark.parametrize("seed", range(5))
async def test_hours_are_within_their_bounds_and_add_up_over_windows(store, seed):
    numbers = Random(seed)
    await keep(store, *make_some(numbers))
    first, second = sorted(numbers.uniform(80.0, 150.0) for _ in range(2))
    whole = await read_lives(store, 0.0, 4e9)
    windows = ((0.0, at(first)), (at(first), at(second)), (at(second), 4e9))
    parts = [await read_lives(store, *window) for window in windows]
    for key, life in whole.items():
        some = [one[key].hours for one in parts if key in one]
        for hours in (life.hours, *some):
            assert 0.0 <= hours.lowest <= hours.best + 1e-9
            assert hours.best <= hours.highest + 1e-9
        assert sum(one.best for one in some) == pytest.approx(life.hours.best)
        assert sum(one.unknown for one in some) == life.hours.unknown


@pytest.mark.parametrize("seed", range(5))
async def test_an_export_is_the_sum_of_the_answers(store, seed):
    usage = await added(store, *make_some(Random(seed)))
    every = await store.read(lambda tx: list(ledger.iterate_lives(tx, at(100), at(200))))
    total, now = Sum(), await store.now()
    for life in every:
        assert astuple(life.hours) == pytest.approx(astuple(measure(life, at(100), at(200), now)))
        total.add(life.hours, life.price)
    for name in ("best", "lowest", "unknown"):
        assert getattr(usage.total.hours, name) == pytest.approx(getattr(total.hours, name))
    assert usage.total.at_price == pytest.approx(total.at_price)
