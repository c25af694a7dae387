"""A term of fourteen weeks, 5 October to 10 January, message by message.

The table lists the expected behaviour. It was written from the promises that courses make, before their code
was read. Times are in Berlin, where the clocks are set back in the night to 25 October. The "lead" is the
time before a lesson in which workspaces are started, at most 45 minutes. "Ready", "warned" and "ended" are
stages of the only message that a student gets about a lesson: it is edited from one to the next.

| case | who runs when | who is told what | the teacher's figures |
|---|---|---|---|
| overlapping: Physics wed 9:00-10:30 and Chemistry wed 10:00-11:30, one notebook | one start in the lead of
  9:00, one stop at 11:30 | ready for Physics at 9:00 and for Chemistry at 10:00; warned once, at 11:20, of
  11:30; nothing about 10:30 | 1 of 1 for each |
| back to back: Latin wed 9:00-10:00 and Greek wed 10:00-11:00, one notebook | one start, one stop at 11:00 |
  ready for each; warned once, at 10:50 | 1 of 1 for each |
| at the same hour: Drama and Music wed 9:00-10:00, one notebook | one start, one stop at 10:00 | ready,
  naming both or one each; warned once, at 9:50 | 1 of 1 for each |
| joined 25 minutes before a template's lesson, fri 14:00-15:30 | made and started at 13:35, one stop at
  15:30; none at 14:35 | that it's being made, that it's ready; warned once, at 15:20, of 15:30 | 1 of 1 |
| during the lesson, a student plans a stop for a later time | runs past the lesson's end until that time |
  nothing about the lesson's end | - |
| during the lesson, a student plans a stop for an earlier time | stops at that time, isn't started again |
  that the student planned that stop | - |
| two titles of one teacher: Physics wed in #a, then Physics fri in #b | the Wednesday's member runs on
  Wednesdays as before, not on Fridays; the Friday's on Fridays | the Wednesday's member hears nothing of
  the second card | each card has its own |
| skip of one of the two, in #b | that Friday nobody, that Wednesday as ever | the card says so, no member
  hears it | - |
| skip of days of both, in a direct message | nothing until it's chosen with a button; then that one only
  | the teacher is asked which | - |
| a skip of a day without a lesson | as ever | the teacher is told that there's no lesson then; members
  nothing | - |
| a skip taken back with `resume` | the lesson takes place | - | n of n as ever |
| a colleague's course with the same title, a third Physics in #c | as ever for the first two | each teacher's
  commands mean their own course; members of the others hear nothing | each has their own |
| holidays: skip 22 Dec to 6 Jan | nobody from 22 December to 6 January, everybody from 7 January | - |
  none in the holidays |
| a daylight-saving night: mon 9:00 on 19 and 26 October | 9:00 Berlin: 7:00 UTC, then 8:00 UTC | ready at
  that hour | at that hour |
| a lesson in that night, sun 1:30-4:00 | one start, in the lead of 1:30 summer time, one stop at 4:00
  winter time | ready once, warned once, at 3:50 winter time | once |
| a teacher who leaves, alone | as ever until the last day; an Usher admin may change it | - | nobody gets
  them |
| a teacher who leaves, with a co-teacher | as ever | nobody is asked | to the co-teacher |
| a full provider in a lesson, room at 9:10 | one runs from the lead, the other from 9:10 | ready, later
  than usual | 1 of 2, 1 without room |
| a full provider in a lesson, no room until 9:15 | one runs; nothing is started after 9:15 | that
  there was no room, once | 1 of 2, 1 without room |
| after a failed lesson, the next | both | ready | 2 of 2, nothing about the failure of the week before |
| a student without a link | never | the evening before, once, with the button that links | 1 hasn't linked
  |
| one who links late, the day before, from elsewhere | from the next lesson on | the press that waited goes
  on: joined | counted as ready |
| one who links late, in the lesson | started at once, stopped at its end | ready; warned of the end | - |
| kill -9 in the lead (for real: tests/benchmarks) | each is started once | ready once each | one report |
| a class until 10:00, a course until 11:00, one notebook | one stop at 11:00 | warned once, of 11:00 | - |
| the end of the term | nothing is started after it | - | - |

In every case, nobody gets a message about other people's courses or links, a student has one message left
from each lesson, and nothing runs unless a lesson, a class or a person started it.
"""

import asyncio
import json
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

import pytest

from tests.rigs.term import TermWorld, at, days, ran, sense, together

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(900)]

#: The teacher of most courses, a colleague, two who leave, a co-teacher; and the Usher admin.
TINA, CARL, GRETA, GUS, CORA, AMIR = "tina", "carl", "greta", "gus", "cora", "amir"
#: Students with overlapping, back-to-back and simultaneous lessons, one who joins 25 minutes before a lesson,
#: and two who choose their own time for the stop, one later and one earlier than the lesson's end.
OLA, TOM, HUGO, BEA, LATER, SOONER = "ola", "tom", "hugo", "bea", "later", "sooner"
#: Students of the three courses with the same title, one who agrees to another day, one who doesn't, and one
#: in a lesson at night.
WEDA, FRIDA, CARA, YES, NO, NIA = "weda", "frida", "cara", "yes", "no", "nia"
#: Students of the teachers who leave, one with room at the provider and one without, one who never links, one
#: who links by command the day before a lesson, and one who links during a lesson.
LEA, LEO, ROOM, FULL, UNA, ELSA, LATE = "lea", "leo", "room", "full", "una", "elsa", "late"
#: A student whose lesson begins when all processes are killed, and one in a class and a course at the same
#: time.
KIM, CLAS = "kim", "clas"
TEACHERS = (TINA, CARL, GRETA, GUS, CORA, AMIR)
STUDENTS = (
    *(OLA, TOM, HUGO, BEA, LATER, SOONER, WEDA, FRIDA, CARA, YES, NO, NIA),
    *(LEA, LEO, ROOM, FULL, UNA, ELSA, LATE, KIM, CLAS),
)
A, B, C = "C0GENERAL", "C0BIRCH", "C0CEDAR"
OPENS, CLOSES = at("2026-10-05", "7:00"), at("2027-01-11")
#: Most courses end after five weeks, because simulating each lesson takes time. Only courses that are checked
#: later go on.
HALF = "2026-11-06"
HOLIDAYS = set(days(at("2026-12-22"), at("2027-01-06")))
NO_ROOM = json.dumps({"message": "Quota exceeded: 0 running workspaces at most"})
#: Days of which every message is checked. Their lessons are simulated in small time steps.
READ = {
    *("2026-10-07", "2026-10-09", "2026-10-12", "2026-10-14", "2026-10-16", "2026-10-22", "2026-10-23"),
    *("2026-10-25", "2026-10-26", "2026-10-30"),
}
DAYS = set(days(at("2026-12-22"), at("2027-01-06")))
NO_ROOM = json.dumps({"message": "Quota exceeded: 0 running workspaces at most"})
#: Days of which every message is checked. Their lessons are simulated in small time steps.
READ = (
    *("2026-10-07", "2026-10-08", "2026-10-09", "2026-10-12", "2026-10-14", "2026-10-15", "2026-10-16"),
    *("2026-10-19", "2026-10-22", "2026-10-23", "2026-10-25", "2026-10-26", "2026-10-30", "2026-11-10"),
    "2026-11-13",
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Course(NamedTuple):
    """A course as its card is typed, and who joins it when."""

    title: str
    hours: str
    members: tuple[str, ...]
    teacher: str = TINA
    what: str = "notebook"
    place: str = A
    posted: str = "2026-10-05"
    last: str = "2027-01-08"
    more: str = ""

    def lessons(self) -> Iterator[tuple[datetime, datetime]]:
        """Yield the begin and end of each lesson, without those in the holidays."""
        names, _, times = self.hours.partition(" ")
        first, last = times.split("-")
        for day in days(at(self.posted), at(self.last)):
            if DAYS[day.weekday()] in names.split(",") and day not in HOLIDAYS:
                yield at(f"{day:%Y-%m-%d}", first), at(f"{day:%Y-%m-%d}", last)


COURSES = (
    Course("Algebra", "mon 9:00-10:00", (NIA,), last=HALF),
    Course("Optics", "wed 9:00-10:30", (OLA,), last=HALF),
    Course("Chemistry", "wed 10:00-11:30", (OLA,), last=HALF),
    Course("Latin", "wed 9:00-10:00", (TOM,), last=HALF),
    Course("Greek", "wed 10:00-11:00", (TOM,), last=HALF),
    Course("Drama", "wed 9:00-10:00", (HUGO,), last=HALF),
    Course("Music", "wed 9:00-10:00", (HUGO,), last=HALF),
    Course("Robotics", "wed 9:00-11:00", (CLAS,), last=HALF),
    Course("Physics", "wed 9:00-10:00", (WEDA,)),
    Course("History", "tue,thu 9:00-10:00", (YES, NO)),
    Course("Statistics", "thu 14:00-15:00", (UNA, ELSA, LATE)),
    Course("Zoology", "thu 14:00-15:00", (KIM,), last=HALF),
    Course("Graphics", "fri 14:00-15:00", (ROOM, FULL), last=HALF),
    Course("Writing", "fri 14:00-15:00", (LATER, SOONER), last=HALF),
    Course("Biology", "fri 14:00-15:30", (), what="saturn/course", last=HALF),
    Course("Ethics", "thu 14:00-15:00", (LEA,), GRETA),
    Course("Logic", "thu 14:00-15:00", (LEO,), GUS, more="--with @cora"),
    Course("Physics", "fri 9:00-10:00", (FRIDA,), place=B, posted="2026-10-13"),
    Course("Astronomy", "sun 1:30-4:00", (NIA,), posted="2026-10-20", last="2026-10-25"),
    Course("Physics", "fri 9:00-10:00", (CARA,), CARL, place=C, posted="2026-11-16"),
)


def user(name):
    """Return a person's Slack id, given their username at Saturn Cloud."""
    return f"U0{name.upper()}"


# -- the script --------------------------------------------------------------------------------------------


def _slack_seed():
    everybody = [
        {"id": user(one), "name": one, "real_name": one.title(), "tz": "Europe/Berlin"}
        for one in (*TEACHERS, *STUDENTS)
    ]
    members = [one["id"] for one in everybody]
    places = {A: "general", B: "birch", C: "cedar"}
    channels = [{"id": key, "name": name, "members": [*members, "@bot"]} for key, name in places.items()]
    return {"people": everybody, "channels": channels}


def _saturn_seed():
    everybody = (*TEACHERS, *STUDENTS)
    times = {"start_seconds": 20.0, "stop_seconds": 1.0}
    return {
        "page_size": 50,
        "users": [{"name": one} for one in everybody],
        "workspaces": [{"owner": one, "name": "notebook", **times} for one in everybody if one != BEA],
    }


async def _play(folder):
    """Play the whole term, and return its log."""
    recipe = {"type": "workspace", "spec": {"name": "x", "instance_type": "large"}}
    (folder / "course.json").write_text(json.dumps(recipe))
    template = {"name": "course", "title": "The course", "file": str(folder / "course.json")}
    seeds = {"slack_seed": _slack_seed(), "saturn_seed": _saturn_seed()}
    stage = TermWorld(folder, OPENS, **seeds, saturn_connection={"templates": [template]})
    try:
        async with stage.running():
            for one in (*TEACHERS, *STUDENTS):
                if one not in (UNA, ELSA, LATE):
                    await stage.person(user(one)).has_linked(one)
            await stage.pass_time(60, step=10)
            for write in (_courses, _own_acts, _twins, _changes, _troubles):
                write(stage)
            await stage.play(CLOSES)
    except Exception:  # noqa: BLE001 - told by the test of the rules
        stage.log.broken = traceback.format_exc()
    return stage.log


def _courses(stage):
    for number, one in enumerate(COURSES):
        for begin, end in one.lessons():
            stage.watch_lesson(begin, end, is_read=f"{begin:%Y-%m-%d}" in READ)
        teacher, posted = stage.person(user(one.teacher)), at(one.posted, "7:10") + timedelta(minutes=number)
        named = f"card {one.what} --title {one.title} --hours {one.hours}"
        named += f" --until {at(one.last):%-d %B} {one.more}"
        stage.does(posted, f"post {number}", partial(teacher.types, named, one.place))
        for member in one.members:
            joins = partial(stage.joins, stage.person(user(member)), one.title, one.place)
            stage.does(posted + timedelta(minutes=40), f"{member} joins {one.title}", joins)


def _own_acts(stage):
    later, sooner, clas, bea = (stage.person(user(one)) for one in (LATER, SOONER, CLAS, BEA))
    stage.does(at("2026-10-09", "13:35"), "bea joins", partial(stage.joins, bea, "Biology", A))
    stage.does(at("2026-10-16", "14:30"), "later", partial(later.writes, "stop notebook at 16:00"))
    for clock in ("14:50", "16:00"):
        stage.watch_lesson(at("2026-10-16", "14:30"), at("2026-10-16", clock), is_read=True)
    stage.does(at("2026-10-16", "14:31"), "sooner", partial(sooner.writes, "stop notebook at 14:50"))
    workshop = "card notebook --title Workshop --until 10:00"
    stage.does(at("2026-10-14", "9:05"), "workshop", partial(stage.person(user(TINA)).types, workshop, A))
    gets = partial(stage.joins, clas, "Workshop", A, "Get my workspace")
    stage.does(at("2026-10-14", "9:07"), "clas gets", gets)


def _twins(stage):
    tina, carl = stage.person(user(TINA)), stage.person(user(CARL))

    def says(day, clock, called, text, place, who=tina):
        stage.does(at(day, clock), called, partial(who.types, text, place))

    says("2026-10-22", "10:00", "skip in birch", "card Physics skip 23 Oct", B)
    stage.does(at("2026-10-26", "10:30"), "which", partial(tina.writes, "card Physics skip 2 Nov to 8 Nov"))
    chooses = partial(stage.presses_last, tina, r"(?i)wed|general", "Physics")
    stage.does(at("2026-10-26", "10:32"), "chooses", chooses)
    says("2026-10-27", "10:30", "no lesson then", "card Physics skip 29 Oct", A)
    says("2026-11-09", "10:30", "skip", "card Physics skip 11 Nov", A)
    says("2026-11-09", "10:40", "resume", "card Physics resume", A)
    says("2026-11-17", "10:30", "skip of tina", "card Physics skip 18 Nov", A)
    says("2026-11-17", "10:35", "skip of carl", "card Physics skip 20 Nov", C, carl)


def _changes(stage):
    tina = stage.person(user(TINA))
    for number, one in enumerate(COURSES):
        if one.last < "2026-12-22":
            continue
        teacher = stage.person(user({GUS: CORA, GRETA: AMIR}.get(one.teacher, one.teacher)))
        skips = partial(teacher.types, f"card {one.title} skip 22 Dec to 6 Jan", one.place)
        stage.does(at("2026-12-15", "12:00") + timedelta(minutes=3 * number), f"holidays {number}", skips)
    nobody = "card notebook --title Nobody --hours mon 12:00-13:00 --with @nobodyknows"
    stage.does(at("2026-10-06", "16:00"), "with nobody", partial(tina.types, nobody, A))
    asks = ("courses", "card Statistics")
    for number, text in enumerate(asks):
        stage.does(at("2026-10-08", f"16:0{number}"), text, partial(tina.writes, text))


def _troubles(stage):
    for leaver in (GRETA, GUS):
        leaves = partial(stage.slack.change_person, user(leaver), deleted=True)
        stage.does(at("2026-11-16", "12:00"), f"{leaver} leaves", leaves)
    for day, until in (("2026-10-23", "14:10"), ("2026-10-30", "15:10")):
        stage.does(at(day, "13:00"), f"{day} fills", partial(_fill, stage, is_full=True))
        stage.does(at(day, until), f"{day} empties", partial(_fill, stage, is_full=False))
        stage.watch_moment(at(day, "14:13"))
    elsa, late = stage.person(user(ELSA)), stage.person(user(LATE))
    stage.does(at("2026-10-07", "12:00"), "elsa links", partial(elsa.links, ELSA))
    stage.does(at("2026-10-15", "14:20"), "late links", partial(late.links, LATE))
    stage.does(at("2026-10-22", "13:52"), "kill", partial(_kill, stage))


async def _fill(stage, *, is_full):
    """Make the provider run out of capacity for one of two students, or restore it."""
    stage.heal()
    if is_full:
        key = stage.resource("notebook", FULL).id
        stage.saturn_fails(rf"POST .*{key}/start$", status=403, body=NO_ROOM, times=None, name="full")


async def _kill(stage):
    """Kill the process once Saturn Cloud has been asked for the start.

    Another process continues from the rows.
    """
    theirs = stage.resource("notebook", KIM)
    while not theirs.live() and stage.now < at("2026-10-22", "14:00"):
        await stage.pass_time(5, step=5)
    found = theirs.status(stage.clock.now())
    await stage.stop_bot()
    await stage.start_bot()
    return found


@pytest.fixture(scope="module")
def term(tmp_path_factory):
    return asyncio.run(_play(tmp_path_factory.mktemp("term")))


# -- what is looked at -------------------------------------------------------------------------------------


def every(title, *, number=0, but=(), since="2026-10-05", until="2027-01-11"):
    """Return the lessons of a course, except those on some days."""
    course = [one for one in COURSES if one.title == title][number]
    left = [one for one in course.lessons() if at(since) <= one[0] < at(until)]
    return [one for one in left if f"{one[0]:%-d %b}" not in but]


def told(log, who, day, *, since="0:00", until="23:59"):
    """Return the messages that a person got on a day, except answers."""
    return log.told(user(who), at(day, since), at(day, until))


def heard(log, who, day, *expected, since="0:00"):
    """Check that a person got exactly these messages on a day: the meaning, names and time of each."""
    found = told(log, who, day, since=since)
    shown = [(sense(one), one.clock, one.text) for one in found]
    assert [sense(one) for one in found] == [meant for meant, _, _ in expected], shown
    for one, (_, names, clock) in zip(found, expected, strict=True):
        assert names in one.text, shown
        assert abs((one.moment - at(day, clock)).total_seconds()) <= 120, shown


def figures(log, day, title, teacher=TINA):
    """Return how many of how many are ready for each lesson of a day, and the text of the message."""
    found = []
    for one in told(log, teacher, day):
        count = re.search(rf"(\d+) of (\d+) (?:is|are) ready for \*?{title}\b", one.text)
        if count is not None:
            found.append((int(count[1]), int(count[2]), one.text))
    return found


def counted(log, day, title, ready, expected, *says, teacher=TINA):
    """Check the only message that a teacher gets before a lesson."""
    found = figures(log, day, title, teacher)
    assert [one[:2] for one in found] == [(ready, expected)], found
    for pattern in says:
        assert re.search(pattern, found[0][2]), found
    if not says:
        assert not re.search(r"failed|linked|starting|agreed", found[0][2]), found


def done(log, *acts):
    """Check that the actions of people succeeded."""
    failed = {one: log.failed[one].splitlines()[-1] for one in acts if one in log.failed}
    assert not failed, failed


# -- the cases ---------------------------------------------------------------------------------------------


def test_every_rule_is_kept_throughout(term):
    assert term.broken == ""
    done(term, *term.failed)


def test_overlapping_lessons_are_one_run_and_each_is_said(term):
    ran(term, OLA, together(every("Optics"), every("Chemistry")))
    heard(
        term,
        OLA,
        "2026-10-07",
        *(("ready", "Optics", "9:00"), ("ready", "Chemistry", "10:00"), ("warned", "11:30", "11:20")),
    )
    counted(term, "2026-10-07", "Optics", 1, 1)
    counted(term, "2026-10-07", "Chemistry", 1, 1)


def test_touching_lessons_are_one_run(term):
    ran(term, TOM, together(every("Latin"), every("Greek")))
    heard(
        term,
        TOM,
        "2026-10-07",
        *(("ready", "Latin", "9:00"), ("ready", "Greek", "10:00"), ("warned", "11:00", "10:50")),
    )
    counted(term, "2026-10-07", "Latin", 1, 1)
    counted(term, "2026-10-07", "Greek", 1, 1)


def test_two_lessons_at_one_hour_are_one_run(term):
    ran(term, HUGO, every("Drama"))
    found = [sense(one) for one in told(term, HUGO, "2026-10-07")]
    assert found in (["ready", "warned"], ["ready", "ready", "warned"]), found
    said = " ".join(one.text for one in told(term, HUGO, "2026-10-07"))
    assert "Drama" in said
    assert "Music" in said
    counted(term, "2026-10-07", "Drama", 1, 1)
    counted(term, "2026-10-07", "Music", 1, 1)


def test_who_joins_25_minutes_before_runs_until_the_lesson_ends(term):
    done(term, "bea joins")
    (made, ended), *others = term.runs(BEA, at("2026-10-09"), at("2026-10-10"))
    assert not others
    assert abs(made - at("2026-10-09", "13:35")) <= timedelta(minutes=6)
    assert timedelta(0) <= ended - at("2026-10-09", "15:30") <= timedelta(minutes=2)
    ran(term, BEA, every("Biology", since="2026-10-10"), since=at("2026-10-10"))
    said = told(term, BEA, "2026-10-09")
    assert not [one.text for one in said if "14:35" in one.text]
    assert [one.clock for one in said if sense(one) == "warned" and "15:30" in one.text] == ["15:20"]
    counted(term, "2026-10-09", "Biology", 1, 1)


def test_who_joins_25_minutes_before_isnt_told_of_a_stop_in_the_lesson(term):
    assert "in an hour" not in term.shown["bea joins"]


def test_an_end_of_ones_own_wins_later_and_earlier(term):
    later = together(
        every("Writing", but=("16 Oct",)), [(at("2026-10-16", "14:00"), at("2026-10-16", "16:00"))]
    )
    ran(term, LATER, later)
    sooner = [*every("Writing", but=("16 Oct",)), (at("2026-10-16", "14:00"), at("2026-10-16", "14:50"))]
    ran(term, SOONER, sooner)
    for who, end in ((LATER, "16:00"), (SOONER, "14:50")):
        said = told(term, who, "2026-10-16", since="14:29")
        assert end in said[0].text
        assert not [one.text for one in said if "15:00" in one.text]
        # The warning has been replaced by the message that the workspace has stopped.
        became = term.told(user(who), at("2026-10-16", "14:29"), at("2026-10-16", "23:59"), also=True)
        stopped = [one for one in became if "has stopped" in one.text]
        assert stopped
        assert "Writing" not in stopped[-1].text
    counted(term, "2026-10-16", "Writing", 2, 2)


def test_a_class_until_ten_ends_no_course_until_eleven(term):
    ran(term, CLAS, every("Robotics"))
    said = [one for one in told(term, CLAS, "2026-10-14") if sense(one) == "warned"]
    assert [one.clock for one in said] == ["10:50"], [one.text for one in said]


def test_two_courses_of_one_title_are_two(term):
    ran(term, WEDA, every("Physics", but=("4 Nov", "18 Nov")))
    ran(term, FRIDA, every("Physics", number=1, but=("23 Oct",)))
    assert told(term, WEDA, "2026-10-13") == []
    counted(term, "2026-10-28", "Physics", 1, 1)
    counted(term, "2026-10-30", "Physics", 1, 1)


def test_a_skip_is_of_this_channels_course(term):
    assert told(term, FRIDA, "2026-10-22") == told(term, WEDA, "2026-10-22") == []
    ran(term, FRIDA, every("Physics", number=1, but=("23 Oct",)), until=at("2026-11-01"))
    ran(term, WEDA, every("Physics"), until=at("2026-11-01"))


def test_words_that_fit_two_courses_are_asked_about(term):
    done(term, "which", "chooses")
    assert "?" in term.shown["which"]
    ran(term, WEDA, every("Physics", but=("4 Nov",)), until=at("2026-11-08"))
    ran(term, FRIDA, every("Physics", number=1), since=at("2026-10-31"), until=at("2026-11-08"))


def test_a_day_without_a_lesson_is_refused(term):
    assert re.search(r"no lesson", term.shown["no lesson then"])


def test_a_lesson_that_is_held_after_all_takes_place(term):
    done(term, "skip", "resume")
    ran(term, WEDA, every("Physics"), since=at("2026-11-09"), until=at("2026-11-14"))
    counted(term, "2026-11-11", "Physics", 1, 1)


def test_a_colleagues_course_of_that_title_is_theirs(term):
    ran(term, CARA, every("Physics", number=2, but=("20 Nov",)))
    ran(term, FRIDA, every("Physics", number=1), since=at("2026-11-16"))
    ran(term, WEDA, every("Physics", but=("18 Nov",)), since=at("2026-11-16"))
    counted(term, "2026-11-27", "Physics", 1, 1, teacher=CARL)


def test_nothing_runs_and_nobody_is_told_anything_in_the_holidays(term):
    assert not [key for key in term.pods if term.runs(key[0], at("2026-12-22"), at("2027-01-07"))]
    assert not [
        one.text
        for who in (*STUDENTS, TINA)
        for one in term.told(user(who), at("2026-12-22"), at("2027-01-06"))
    ]


def test_a_lesson_is_at_its_hour_when_the_clocks_change(term):
    night = (at("2026-10-25", "1:30"), at("2026-10-25", "4:00"))
    ran(term, NIA, [*every("Algebra"), night])
    for day, hour in (("2026-10-19", 7), ("2026-10-26", 8)):
        ready = [one for one in told(term, NIA, day) if sense(one) == "ready"]
        assert [one.moment.astimezone(UTC).hour for one in ready] == [hour]
    heard(term, NIA, "2026-10-25", ("ready", "Astronomy", "1:30"), ("warned", "4:00", "3:50"))
    counted(term, "2026-10-25", "Astronomy", 1, 1)


def test_a_lesson_leaves_its_student_one_message(term):
    heard(term, NIA, "2026-10-12", ("ready", "Algebra", "9:00"), ("warned", "10:00", "9:50"))
    left = term.left(user(NIA), at("2026-10-12"), at("2026-10-13"))
    assert len(left) == 1, [one.text for one in left]


def test_what_is_said_of_lessons_reads_well(term):
    for who in set(STUDENTS) - {LATER, SOONER}:
        wrong = [
            one.text
            for one in term.told(user(who), OPENS, CLOSES)
            if re.search("as you asked|planned this", one.text)
        ]
        assert not wrong, wrong[:2]
    assert not [one.text for one in term.said if "1 of 1 are" in one.text][:1]


def test_a_course_without_its_teacher_goes_on_until_its_last_day(term):
    ran(term, LEA, every("Ethics"))


def test_a_course_goes_on_with_its_co_teacher(term):
    ran(term, LEO, every("Logic"))
    counted(term, "2026-11-26", "Logic", 1, 1, teacher=CORA)
    assert not [one.text for one in term.told(user(AMIR), OPENS, CLOSES) if "Logic" in one.text]


def test_where_there_is_no_room_it_is_tried_until_there_is(term):
    first, second = (at(day, "14:00") for day in ("2026-10-23", "2026-10-30"))
    usual = every("Graphics", but=("23 Oct", "30 Oct"))
    ran(term, ROOM, every("Graphics"))
    ran(term, FULL, usual, until=at("2026-10-17"))
    ran(term, FULL, usual, since=at("2026-10-31"))
    (began, ended), *others = term.runs(FULL, first - timedelta(hours=2), first + timedelta(hours=3))
    assert not others
    assert timedelta(minutes=10) <= began - first <= timedelta(minutes=15)
    assert timedelta(0) <= ended - first - timedelta(hours=1) <= timedelta(minutes=2)
    said = told(term, FULL, "2026-10-23")
    assert [sense(one) for one in said] == ["ready", "warned"], [one.text for one in said]
    assert "later than usual" in said[0].text
    counted(term, "2026-10-23", "Graphics", 1, 2, r"no room|room")
    assert term.runs(FULL, second - timedelta(hours=2), second + timedelta(hours=3)) == []
    said = told(term, FULL, "2026-10-30")
    (missed,) = said
    assert "I couldn't start *notebook* on Saturn Cloud in time for *Graphics*" in missed.text
    counted(term, "2026-10-30", "Graphics", 1, 2, r"no room|room")
    # A failure in one lesson isn't mentioned in the next.
    counted(term, "2026-11-06", "Graphics", 2, 2)


def test_who_has_no_link_hears_it_the_evening_before_and_runs_never(term):
    ran(term, UNA, [])
    (said,) = told(term, UNA, "2026-10-07", since="16:00")
    assert "Statistics" in said.text
    assert [one for one in said.labels if "Link" in one]
    assert told(term, UNA, "2026-10-08") == []
    counted(term, "2026-10-08", "Statistics", 1, 3, r"2 .*haven't linked")


def test_a_link_made_elsewhere_wakes_the_press_that_waits(term):
    ran(term, ELSA, every("Statistics"))
    assert [one for one in told(term, ELSA, "2026-10-07") if "Statistics" in one.text]


def test_who_links_in_the_lesson_runs_at_once_until_its_end(term):
    (began, ended), *others = term.runs(LATE, at("2026-10-15"), at("2026-10-16"))
    assert not others
    assert abs(began - at("2026-10-15", "14:20")) <= timedelta(minutes=1)
    assert timedelta(0) <= ended - at("2026-10-15", "15:00") <= timedelta(minutes=2)
    ran(term, LATE, every("Statistics", since="2026-10-16"), since=at("2026-10-16"))
    said = [sense(one) for one in told(term, LATE, "2026-10-15", since="14:21")]
    assert said == ["ready", "warned"], said
    counted(term, "2026-10-22", "Statistics", 2, 3, r"1 .*hasn't linked")


def test_a_kill_in_the_lead_starts_nothing_twice(term):
    assert term.shown["kill"] == "pending"
    ran(term, KIM, every("Zoology"))
    heard(term, KIM, "2026-10-22", ("ready", "Zoology", "14:00"), ("warned", "15:00", "14:50"))
    counted(term, "2026-10-22", "Zoology", 1, 1)


def test_a_teacher_finds_their_courses_and_who_is_in_them(term):
    assert "Statistics" in term.shown["courses"]
    assert "Algebra" in term.shown["courses"]
    assert "Logic" not in term.shown["courses"]
    assert "Next lesson: Thu 15 Oct" in term.shown["card Statistics"]
    assert re.search("Biology.*\n.*9 Oct.*\n.*Nobody", term.shown["courses"])
    assert "3 joined · 1 linked" in term.shown["card Statistics"]
    for label in ("Cancel Thu 15 Oct for everyone", "End course"):
        assert re.search(rf"\[{label}", term.shown["card Statistics"]), label


def test_courses_are_in_the_order_of_their_next_lessons(term):
    october = [int(one) for one in re.findall(r"Next lesson: \w{3} (\d+) Oct", term.shown["courses"])]
    assert october == sorted(october) != [], october


def test_with_somebody_unknown_nothing_is_posted(term):
    assert re.search("nobodyknows", term.shown["with nobody"])
    assert not [one for one in term.said if one.place == A and "*Nobody*" in one.text and not one.to]


def test_nobody_is_told_of_anothers_course(term):
    theirs = {
        who: {one.title for one in COURSES if who in one.members} | {BEA: {"Biology"}}.get(who, set())
        for who in STUDENTS
    }
    theirs[CLAS].add("Workshop")
    titles = {one.title for one in COURSES}
    for who in STUDENTS:
        for one in term.told(user(who), OPENS, CLOSES):
            others = {title for title in titles - theirs[who] if f"*{title}*" in one.text}
            assert not others, (who, one.text)
