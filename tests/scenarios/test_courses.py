"""A course in the local Slack: its card, people who join it once, and a lesson for which they are ready."""

from datetime import timedelta

from tests.scenarios.class_seeds import TRAINER
from tests.scenarios.course_room import ANN, BOB, CLEO, _begin, _card, _joins, _running, _until
from tests.scenarios.course_room import room as room  # noqa: PLC0414 - a fixture


async def test_who_joins_once_finds_a_workspace_when_the_lesson_begins(room):
    made, trainer = room, room.person(TRAINER)
    begin = _begin(made)
    end, day = begin + timedelta(minutes=40), f"{begin:%A}".lower()
    hours = f"{day} {begin:%H:%M}-{end:%H:%M}"
    said = await trainer.types(f"card notebook --title Statistics --hours {hours}")
    assert said.text
    await made.pass_time(2)
    assert f"{begin:%A}s, {begin:%H:%M}\u2013{end:%H:%M} (Berlin)" in _card(made).text
    joined = await _joins(made, ANN)
    assert "You've joined *Statistics*" in joined.text
    leaving = await _joins(made, BOB)
    assert "You've left *Statistics*" in (await made.person(BOB).presses(leaving, "Leave"))[-1].text
    # A person who isn't linked is led through linking, and has then joined without pressing again.
    late = made.person(CLEO)
    asked = await _joins(made, CLEO)
    await late.links(CLEO.lower(), asked=asked)
    await made.pass_time(10)
    assert "2 people have joined." in _card(made).text
    assert _running(made) == []

    await _until(made, begin - timedelta(seconds=20))
    assert _running(made) == [ANN, CLEO]
    assert [one.kind for one in made.person(ANN).sees()] == []
    await _until(made, begin + timedelta(seconds=10), step=2)
    for user in (ANN, CLEO):
        told = made.person(user).sees()[-1]
        assert (told.kind, told.text.splitlines()[0]) == (
            "lesson",
            "*Statistics* is starting, and your workspace is ready.",
        )
        assert told.address("Open")
    assert "2 of 2 are ready" in _card(made).text
    assert "Open" not in _card(made).labels

    await _until(made, end + timedelta(minutes=2), step=20)
    assert _running(made) == []
    assert "are ready" not in _card(made).text
    assert [one.kind for one in made.person(BOB).sees()] == []
    shown = await made.person(ANN).types("hours")
    assert "Lessons of *Statistics*" in shown.text
    left = await made.person(ANN).presses(shown, "Leave Statistics")
    assert "You've left *Statistics*." in left[-1].text
    asked = await trainer.types("card Statistics end")
    await trainer.presses(asked, "End course")
    await made.pass_time(130, step=10)
    assert "The course has ended." in _card(made).text


async def test_lesson_that_is_left_or_skipped_while_on_ends_as_planned(room):
    made, trainer = room, room.person(TRAINER)
    begin = _begin(made)
    end, day = begin + timedelta(minutes=40), f"{begin:%A}".lower()
    await trainer.types(f"card notebook --title Statistics --hours {day} {begin:%H:%M}-{end:%H:%M}")
    await made.pass_time(2)
    for user in (ANN, BOB):
        await _joins(made, user)
    await _until(made, begin + timedelta(minutes=10))
    assert _running(made) == [ANN, BOB]

    shown = await made.person(ANN).types("hours")
    assert "Lessons of *Statistics*" in shown.text
    assert "I'll still stop it at <!date" in shown.text
    *_, left = await made.person(ANN).presses(shown, "Leave Statistics")
    assert "You've left *Statistics*. I'll still stop *notebook* at <!date" in left.text
    assert {"Keep running"} <= set(left.labels)
    asked = await trainer.types("card Statistics end")
    *_, ended = await trainer.presses(asked, "End course")
    await made.pass_time(10)
    assert "The lesson that is on ends at <!date" in ended.text

    await _until(made, end + timedelta(minutes=2), step=20)
    assert _running(made) == []
    for user in (ANN, BOB):
        assert "Statistics is over" in made.person(user).sees()[-1].text.replace("*", "")
