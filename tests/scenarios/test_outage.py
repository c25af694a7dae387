"""A provider's outage at the time when hours or a lesson begins.

Workspaces start late if enough time is left. Otherwise, people are told once that the start was missed.
"""

from datetime import timedelta

import pytest

from playground.faults import fault_from
from tests.scenarios.class_seeds import TRAINER
from tests.scenarios.course_room import ANN, BOB, _begin, _joins, _running, _until
from tests.scenarios.course_room import room as room  # noqa: PLC0414 - a fixture

MINUTES = 60


def goes_away(made):
    fault = {"path": ".*", "times": None, "status": 503, "name": "away"}
    made.saturn.harness.faults.append(fault_from(fault))


def comes_back(made):
    made.saturn.harness.faults.clear()


def texts(messages):
    return "\n".join(one.text for one in messages)


@pytest.mark.parametrize("minutes", [pytest.param(35, id="made-up"), pytest.param(80, id="missed")])
async def test_hours_after_an_outage(linked, minutes):
    """The hours last 110 minutes, of which 75 or 30 are left.

    No message says that the person asked for the start.
    """
    alice = linked.alice
    await alice.types("hours training every day 8:10-10:00")
    goes_away(linked)
    await linked.pass_time((9 + minutes) * MINUTES, step=30)
    comes_back(linked)
    await linked.pass_time(3 * MINUTES, step=5)
    spoken = texts(alice.sees())
    assert "You asked" not in spoken
    assert not any("Keep waiting" in one.labels for one in alice.sees())
    if minutes == 35:
        assert "*training* is ready, later than usual: Saturn Cloud wasn't available until" in spoken
    else:
        missed = alice.only("hours_missed")
        assert "Saturn Cloud hasn't been available since" in missed.text
        assert missed.labels == ["Start it until then"]
        await alice.presses(missed, "Start it until then")
        await linked.pass_time(2 * MINUTES, step=5)
    assert linked.calls("POST .*/start") >= 1
    await linked.pass_time(130 * MINUTES - (12 + minutes) * MINUTES, step=20)
    assert linked.calls("POST .*/stop") == 1


@pytest.mark.parametrize("minutes", [pytest.param(30, id="made-up"), pytest.param(65, id="missed")])
async def test_lesson_after_an_outage(room, minutes):
    """Each student is told about the problem when the lesson begins, and later how it ended."""
    made, trainer = room, room.person(TRAINER)
    begin = _begin(made)
    end, day = begin + timedelta(minutes=90), f"{begin:%A}".lower()
    await trainer.types(f"card notebook --title Statistics --hours {day} {begin:%H:%M}-{end:%H:%M}")
    await made.pass_time(2)
    for user in (ANN, BOB):
        await _joins(made, user)
    await made.pass_time(30)
    goes_away(made)
    await _until(made, begin + timedelta(minutes=2), step=20)
    begun = {user: texts(made.person(user).sees()) for user in (ANN, BOB)}
    await _until(made, begin + timedelta(minutes=minutes), step=20)
    comes_back(made)
    await made.pass_time(4 * MINUTES, step=5)
    assert _running(made) == ([ANN, BOB] if minutes == 30 else [])
    for user in (ANN, BOB):
        # The message from the beginning of the lesson is gone by now.
        assert "I haven't been able to start your workspace yet" in begun[user]
        (last,) = [one for one in made.person(user).sees() if one.kind not in {"card", "reply"}]
        expected = "wasn't available until" if minutes == 30 else "hasn't been available since"
        assert expected in last.text
    await _until(made, end + timedelta(minutes=3), step=20)
    assert _running(made) == []
