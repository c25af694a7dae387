"""A term of fourteen weeks in simulated time, counted start by start: every due one happens, and no other.

The lessons are at the hour at which the clocks change, in a zone that changes them twice within the term.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.people import Person
from bot.domain.workspaces import State
from bot.services import course_changes as changes
from bot.services import departures
from bot.services.course_readiness import MIN_SECONDS_AHEAD
from bot.services.timers import cancel_timer
from bot.store import courses as courses_store
from bot.store import workspaces as workspace_rows
from tests.reconciler.classroom import TRAINER, ask, people, post, press, seat
from tests.rigs.store import unlink

#: Clocks go back on 23 January at 3:00, and forward on 5 March at 2:00.
ZONE = ZoneInfo("Africa/Casablanca")
FIRST, WEEKS = datetime(2028, 1, 4, tzinfo=ZONE), 14
BEGINS, ENDS = timedelta(hours=2, minutes=30), timedelta(hours=4)
TERM = {
    "days": frozenset({"tue", "sun"}),
    "starts": 150,
    "stops": 240,
    "first_day": "2028-01-04",
    "last_day": "2028-04-09",
    "time_zone": "Africa/Casablanca",
}
OFF = frozenset({"2028-02-15", "2028-02-20"})
STAYS, SKIPS, LEAVES, UNLINKS, GOES, KEEPS, COMES, WORKS = range(8)


def days():
    """Return the days of all lessons on the card, except those that are cancelled."""
    every = [FIRST + timedelta(weeks=week, days=day) for week in range(WEEKS) for day in (0, 5)]
    return [day for day in every if f"{day:%Y-%m-%d}" not in OFF]


def planned():
    """Return when each lesson begins and ends, by day, according to the zone's calendar."""
    found = {f"{day:%Y-%m-%d}": (day + BEGINS, day + ENDS) for day in days()}
    moments = {day: tuple(at.timestamp() for at in both) for day, both in found.items()}
    return dict(sorted(moments.items()))


def expected(number, day):
    """Return whether a person's workspace is started for the lesson on a day."""
    return {
        STAYS: True,
        SKIPS: True,
        LEAVES: day <= "2028-02-01",
        UNLINKS: day <= "2028-02-13",
        GOES: day <= "2028-03-12",
        # The workspace that they keep runs through the next lesson and its end, until they stop it.
        KEEPS: day != "2028-02-08",
        # A person who joins during a lesson is started for it at once.
        COMES: day >= "2028-01-18",
        WORKS: False,
    }[number]


async def happens(world, card, day):
    """Do what somebody does on this day, after the lesson has begun."""
    who = people(8)
    match day:
        case "2028-01-18":
            await press(world, card, who[COMES])
        case "2028-02-01":
            await ask(world, who[LEAVES]).run(changes.leave, card.id)
        case "2028-02-13":
            await unlink(world.store, who[UNLINKS], "cloud")
        case "2028-03-12":
            gone = Person(who[GOES], "U004", is_deleted=True)
            world.slack.add_user(who[GOES].user_id, who[GOES].team_id, deleted=True)
            await ask(world, who[GOES]).run(departures.end_departed, gone, actor="slack")


async def test_a_term_is_counted_to_the_start(world):
    who, every = people(8), planned()
    world.clock.advance(min(every.values())[0] - 3600.0 - world.clock.now())
    card = await post(world, **TERM)
    for number, one in enumerate(who):
        # One of them works through every night, so their workspace is never started.
        await seat(world, one, State.RUNNING if number == WORKS else State.STOPPED)
        if number != COMES:
            await press(world, card, one)
    await ask(world).run(changes.leave_out, card.id, OFF)
    for day, (begins, ends) in every.items():
        for one in [TRAINER, *who]:
            await world.know(one)
        world.clock.advance(begins - 400.0 - world.clock.now())
        await world.pass_time(430.0, step=20.0, longest=20.0)
        await happens(world, card, day)
        await world.pass_time(60.0, step=20.0)
        world.clock.advance(max(ends - 780.0 - world.clock.now(), 0.0))
        for one in who:
            await world.know(one)
        await world.pass_time(300.0, step=20.0)
        if day == "2028-02-06":
            (mine,) = await world.store.perform(workspace_rows.read_workspaces, who[KEEPS])
            await ask(world, who[KEEPS]).run(cancel_timer, mine.id)
        await world.pass_time(600.0, step=20.0)
        if day == "2028-02-08":
            world.provider.machines[f"r-{who[KEEPS].user_id}"].state = State.STOPPED
    started = defaultdict(list)
    ahead = world.clock.now() - world.clock.monotonic()
    for one in (call for call in world.provider.calls if call.method == "start"):
        started[one.remote_id].append(one.at + ahead)
    for number, one in enumerate(who):
        lessons_of = [begins for day, (begins, _) in every.items() if expected(number, day)]
        found = started[f"r-{one.user_id}"]
        early = [round(begins - at) for begins, at in zip(lessons_of, found, strict=False)]
        assert len(found) == len(lessons_of), (number, early)
        assert all(-30.0 <= one <= MIN_SECONDS_AHEAD for one in early), (number, early)
    (counts,) = [await world.store.read(courses_store.count_members, card.id)]
    assert counts.joined == len(who) - len({LEAVES, UNLINKS, GOES})
