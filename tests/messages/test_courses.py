"""Tests of class cards and their messages: what they promise, and that they never show an address."""

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from bot.domain.courses import ClassCard, ClassCounts, ClassProblem, Participant
from bot.domain.forms import Spec
from bot.domain.holds import hold_by_cause
from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import NoticeKind
from bot.domain.people import Named, Principal
from bot.domain.stops import StopEffect
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import courses as messages
from bot.messages.blocks import notices, timers
from bot.messages.texts import courses as class_words
from bot.messages.texts import problems
from handlers.workspace.class_cards import parse_card_command, read_end
from tests.messages.card_facts import ALICE, OPERATION, class_facts, least_facts
from tests.rigs.golden import check_golden, check_limits

TRAINER = Principal(None, "T1", "UTRAINER")
NOW = 1_800_000_000.0  #: a Friday, 09:00 in Berlin
CARD = ClassCard(
    id="class_1",
    principal=TRAINER,
    channel_id="C1",
    connection="saturn",
    title="Statistics for all",
    reference="R-1",
    created_at=NOW,
    pattern="notebook",
    time_zone="Europe/Berlin",
)
COUNTS = ClassCounts(joined=500, ready=312, starting=170, unlinked=10, failed=8, consented=490)
STOPPED = replace(CARD, closed_at=NOW, stopped_by="-:T1:UADMIN", stops_at=NOW + 300)
CASES = {
    "new": class_facts(CARD, "Saturn Cloud", NOW),
    "until": class_facts(
        replace(CARD, stops_at=NOW + 28_800, maximum=60, pattern="", template="R & more", spec=Spec("x")),
        "Saturn Cloud",
        NOW,
    ),
    "going": class_facts(CARD, "Saturn Cloud", NOW, counts=COUNTS),
    "stopped-by-themselves": class_facts(CARD, "Saturn Cloud", NOW, counts=ClassCounts(joined=100, down=100)),
    "closing": class_facts(STOPPED, "Saturn Cloud", NOW + 10, counts=COUNTS),
    "stopping": class_facts(STOPPED, "Saturn Cloud", NOW + 310, counts=COUNTS),
    "over": class_facts(
        replace(STOPPED, done_at=NOW + 400),
        "Saturn Cloud",
        NOW + 500,
        counts=replace(COUNTS, stopped=480, kept=10),
    ),
}


ENDS = {"stop": StopEffect.ENDS, "force": StopEffect.ENDS}
KEEPS = {**ENDS, "suspend": StopEffect.KEEPS}
MADE = replace(CARD, pattern="", template="R", spec=Spec("x"))
CASES |= {
    "made-and-suspended": class_facts(MADE, "Workbench", NOW, effects=KEEPS),
    "made-and-ended": class_facts(replace(MADE, stops_at=NOW + 28_800), "Workbench", NOW, effects=ENDS),
    "suspended-or-ended": class_facts(CARD, "Workbench", NOW, effects=KEEPS),
    "erased": class_facts(
        MADE, "Courses", NOW, effects={"stop": StopEffect.ERASES}, linking=frozenset({"none"})
    ),
}


#: How the people in the class's own Slack workspace are named.
PEOPLE = {f"-:T1:{user}": Named(user) for user in ("UTRAINER", "UADMIN", "UALICE")}
CASES = {name: replace(facts, people=PEOPLE) for name, facts in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_the_card(name):
    check_golden(f"cards/class-{name}", messages.render_class_card(CASES[name]))


@pytest.mark.parametrize(
    ("joined", "said"),
    [(0, "2 of 2 places left"), (1, "1 of 2 places left"), (2, "Full"), (3, "Full")],
)
def test_card_counts_the_places_left(joined, said):
    for of in (CARD, COURSE):
        facts = class_facts(replace(of, maximum=2), "Saturn Cloud", NOW, counts=ClassCounts(joined=joined))
        (context,) = [one for one in messages.render_class_card(facts).blocks if one["type"] == "context"]
        assert context["elements"][-1]["text"].endswith(said)


def test_course_card_names_template_as_template():
    """A template's workspaces have names of their own."""
    course = replace(COURSE, pattern="", template="Course notebook", spec=Spec("x"))
    said = str(messages.render_class_card(class_facts(course, "Saturn Cloud", NOW)).blocks)
    assert "create a workspace from *Course notebook* for you on Saturn Cloud, start it before" in said


def test_the_warning_and_the_summary():
    workspace = Workspace("w1", TRAINER, "saturn", "r1", "g1", "notebook", url="https://app.example.test/ide")
    cases = [
        ("ends", "Saturn Cloud", {}),
        ("ends-for-good", "Workbench", ENDS),
        ("spares", "Workbench", ENDS),
    ]
    for name, title, effects in cases:
        of = class_facts(STOPPED, title, NOW, effects=effects, people=PEOPLE)
        at = STOPPED.stops_at
        timed = replace(workspace, state=State.RUNNING, stop_at=at, stop_card=STOPPED.id)
        timed = replace(timed, stop_agreed=name == "ends-for-good")
        facts = WorkspaceFacts(
            now=NOW,
            connection="saturn",
            connection_title=title,
            workspace=timed,
            effects=effects,
            stopping_class=of,
            body={"stop_at": at},
        )
        check_golden(f"notices/class-{name}", timers.render_warning(facts))
    counts = replace(COUNTS, stopped=470, kept=10, not_stopped=2, stopping=1)
    answer = messages.render_summary(class_facts(STOPPED, "Saturn Cloud", NOW, counts=counts))
    check_golden("notices/class-summary", answer)
    assert "http" not in str(answer.blocks)
    stopped = replace(COUNTS, stopped=480, kept=10)
    assert " 0 " not in str(
        messages.render_summary(class_facts(STOPPED, "Saturn Cloud", NOW, counts=stopped)).blocks
    )


@pytest.mark.parametrize(
    ("stopped_by", "ending", "over"),
    [
        (STOPPED.stopped_by, "You're ending the class *S*", "you ended the class *S*"),
        (None, "Your class *S* is ending", "your class *S* is over"),
    ],
    ids=["early", "in time"],
)
def test_the_end_of_a_class_is_told_to_its_teacher_in_the_second_person(stopped_by, ending, over):
    card = replace(STOPPED, title="S", stopped_by=stopped_by)
    own = class_facts(card, "Saturn Cloud", NOW, people=PEOPLE, is_stopper=True)
    workspace = Workspace("w1", TRAINER, "saturn", "r1", "g1", "notebook", state=State.RUNNING)
    timed = replace(workspace, stop_at=card.stops_at, stop_card=card.id)
    names = {"connection": "saturn", "connection_title": "Saturn Cloud", "workspace": timed}
    facts = WorkspaceFacts(now=NOW, **names, stopping_class=own)
    assert f"{ending}, so *notebook*" in str(timers.render_warning(facts).blocks)
    assert messages.describe_end(facts, is_done=True).endswith(f"has been stopped: {over}.")
    failed = messages.describe_end(facts, is_done=False)
    assert failed == f"{over[0].upper()}{over[1:]}, but *notebook* on Saturn Cloud couldn't be stopped."


def test_summary_without_participants_counts_nothing():
    answer = messages.render_summary(class_facts(STOPPED, "Saturn Cloud", NOW, counts=ClassCounts()))
    (section,) = answer.blocks
    assert section["text"]["text"].endswith("is over.\nNobody took part.")


def test_many_problems_stay_within_the_limits():
    presses = [
        Participant("class_1", Principal(None, "T1", f"U{number}"), NOW, "unlinked") for number in range(100)
    ]
    found = [ClassProblem(press, operation=None, workspace=None, state="unlinked") for press in presses]
    answer = messages.render_problems(class_facts(CARD, "S" * 200, NOW + 60, counts=COUNTS), found)
    check_limits(answer)
    assert f"and {180 + 8 - messages.MAX_PROBLEMS} more" in str(answer.blocks)
    nearly_all = ClassCounts(joined=500, unlinked=messages.MAX_PROBLEMS + 1)
    answer = messages.render_problems(class_facts(CARD, "Saturn Cloud", NOW + 60, counts=nearly_all), found)
    assert "and 1 more" in str(answer.blocks)


@pytest.mark.parametrize("cause", [*problems.CAUSES, "nobody knows this one"])
def test_the_trainer_reads_about_somebody_else_not_what_that_person_is_told(cause):
    press = Participant("class_1", ALICE, NOW, "")
    failed = replace(OPERATION, outcome=Outcome.FAILED, cause=cause)
    held = replace(OPERATION, block_reason=hold_by_cause(cause))
    shown = [failed, held] if cause in class_words.WHY_CAUSE else [failed]
    for operation in shown:
        answer = messages.render_problems(
            CASES["going"], [ClassProblem(press, operation, workspace=None, state="failed")]
        )
        assert not re.search(r"\b[Yy]our?\b", str(answer.blocks)), cause


def test_the_trainer_reads_a_providers_reason_without_addresses():
    cause = "limit: no room at https://w-alice.example.test/x?token=1, ask for more"
    failed = replace(OPERATION, outcome=Outcome.FAILED, cause=cause)
    found = [ClassProblem(Participant("class_1", ALICE, NOW, ""), failed, workspace=None, state="failed")]
    assert "no room at … ask for more" in str(messages.render_problems(CASES["going"], found).blocks)


def test_the_poster_is_asked():
    check_golden(
        "notices/class-posted",
        messages.render_post_question(class_facts(CARD, "Saturn Cloud", NOW, body={"is_unsure": True})),
    )


@pytest.mark.parametrize("cause", [*class_words.HELPS, "invalid_blocks"])
def test_the_poster_reads_what_helps_where_a_channel_takes_no_card(cause):
    said = str(
        messages.render_post_question(class_facts(CARD, "Saturn Cloud", NOW, body={"cause": cause})).blocks
    )
    assert class_words.HELPS.get(cause, f"Slack answered `{cause}`") in said


@pytest.mark.parametrize(
    ("text", "what", "title", "until", "maximum"),
    [
        ("card notebook", "notebook", "", None, None),
        ("/workspace card saturn/R course --max=5", "saturn/R course", "", None, 5),
        ("card notebook --title Data & more --until 17:00", "notebook", "Data & more", "17:00", None),
        ("card 'my lab' --title “Big one”", "my lab", "Big one", None, None),
        ("card lab —until 9:30 --max 7 --title X", "lab", "X", "9:30", 7),
    ],
)
def test_a_line_is_taken_apart(text, what, title, until, maximum):
    command = parse_card_command(text, {"/workspace": "workspace"})
    assert (command.what, command.title, command.until, command.maximum) == (what, title, until, maximum)
    assert command.problems == {}


def test_a_day_on_which_the_clocks_are_changed():
    # On 2026-10-25, at 00:30 in Berlin. That day has 25 hours.
    now = 1_792_881_000.0
    zone = ZoneInfo("Europe/Berlin")
    command = parse_card_command("card lab --until 00:15", {})
    assert read_end(command, zone, now) == now - 900 + 25 * 3600


@pytest.mark.parametrize(
    ("pending", "said"),
    [
        (1, "3 people have joined. 1 still has to link an account."),
        (2, "3 people have joined. 2 still have to link an account."),
        (0, "3 people have joined."),
    ],
)
def test_course_card_counts_pending_enrollments(pending, said):
    counts = ClassCounts(joined=3, pending=pending)
    drawn = messages.render_class_card(class_facts(COURSE, "Saturn Cloud", NOW, counts=counts))
    (context,) = [block for block in drawn.blocks if block["type"] == "context"]
    assert " ".join(one["text"] for one in context["elements"]) == said


COURSE = replace(
    CARD,
    title="Biology",
    days=frozenset({"fri"}),
    starts=600,
    stops=690,
    last_day="2027-02-12",
    lead_seconds=3_600.0,
)
BEGINS = NOW + 3_600.0


def of(state, waits_for="", cause=None, **keys):
    """Return a member of a class, whose start is open or has failed for a cause."""
    press = Participant("class_1", ALICE, NOW, waits_for, workspace_id="w1")
    ends = {"outcome": Outcome.FAILED, "cause": cause} if cause else {}
    operation = replace(OPERATION, created_at=NOW - 300.0, **ends) if cause or state == "starting" else None
    return ClassProblem(press, operation, WORKSPACE, state, **keys)


WORKSPACE = Workspace("w1", ALICE, "saturn", "r1", "g1", "notebook")
LINKED = {"is_linked": True, "linking": frozenset({"token"})}
NEXT_ONE = {"begins": BEGINS, "is_withheld": False}
MISSING = {
    "unlinked": (of("unlinked", "unlinked"), {"linking": frozenset({"token"})}),
    "unlinked-asks": (of("unlinked", "unlinked"), {"linking": frozenset({"admin"})}),
    "refused": (of("unlinked"), LINKED | {"is_refused": True}),
    "no-workspace": (of("no_workspace", "no_workspace"), LINKED),
    "several": (of("no_workspace", "many_workspaces"), LINKED),
    "withheld": (of("coming"), LINKED | {"body": NEXT_ONE | {"is_withheld": True}}),
}


@pytest.mark.parametrize("name", MISSING)
def test_who_would_have_nothing_ready_reads_why_with_one_button(name):
    problem, keys = MISSING[name]
    facts = class_facts(COURSE, "Saturn Cloud", NOW, problems=[problem], **{"body": NEXT_ONE} | keys)
    assert notices.is_true(NoticeKind.LESSON_NOT_READY, facts)
    check_golden(f"notices/unserved-{name}", messages.render_member_not_ready(facts))
    mended = replace(facts, problems=[of("ready")])
    assert not notices.is_true(NoticeKind.LESSON_NOT_READY, mended)
    assert not notices.is_true(NoticeKind.LESSON_NOT_READY, replace(facts, now=BEGINS + 1_350.0))
    # Its card was swept.
    assert not notices.is_true(NoticeKind.LESSON_NOT_READY, least_facts(NoticeKind.LESSON_NOT_READY))


@pytest.mark.parametrize("ended_at", [NOW - 60.0, NOW + 5.0])
def test_what_was_made_before_a_lesson_stays_ready_in_its_message(ended_at):
    """A creation isn't planned for a time.

    If it ends after the lesson's message was written, it has a message of its own.
    """
    made = replace(OPERATION, outcome=Outcome.FULFILLED, ended_at=ended_at, planned_for=None)
    facts = WorkspaceFacts(
        now=NOW + 20.0,
        connection="saturn",
        connection_title="Saturn Cloud",
        operation=made,
        workspace=replace(WORKSPACE, state=State.RUNNING),
        body={"card": COURSE.id, "ends": NOW + 1_800.0},
        lessons=(COURSE,),
        written_at=NOW,
    )
    assert notices.is_true(NoticeKind.LESSON, facts) == (ended_at < NOW)


def test_a_teacher_reads_nothing_of_a_lesson_that_nobody_is_expected_at_yet():
    facts = class_facts(COURSE, "Saturn Cloud", NOW, counts=ClassCounts(joined=1), body={"ends": NOW + 60.0})
    assert not notices.is_true(NoticeKind.LESSON_REPORT, facts)
    came = replace(facts, counts=ClassCounts(joined=1, expected=1))
    assert notices.is_true(NoticeKind.LESSON_REPORT, came)


REPORTS = {
    "one": ({"ready": 1, "expected": 1}, []),
    "none": ({"expected": 7, "down": 7}, []),
    "one-of-each": (
        {"ready": 1, "expected": 8, "unlinked": 1, "no_workspace": 1, "failed": 1, "no_room": 1, "down": 1}
        | {"starting": 1, "coming": 1},
        [of("failed", cause="gave_up"), of("no_room", cause="limit: no room"), of("starting")],
    ),
    "many": (
        {"ready": 1_058, "expected": 1_072, "unlinked": 2, "no_workspace": 2, "failed": 2, "no_room": 2}
        | {"starting": 2, "coming": 2, "down": 2},
        [of("failed", cause="forbidden: no"), of("no_room", cause="limit: no room"), of("starting")],
    ),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_teacher_reads_how_many_are_ready(name):
    counts, found = REPORTS[name]
    facts = class_facts(COURSE, "Saturn Cloud", NOW, problems=found, counts=ClassCounts(**counts))
    check_golden(f"notices/report-{name}", messages.render_report(facts))


def test_report_quotes_no_cause_of_an_open_start():
    """While the start is still open, its cause is only the refusal of its last call."""
    operation = replace(OPERATION, outcome=None, cause="lost_track: it is already running")
    problem = of("no_room", cause="limit: full")._replace(operation=operation)
    counts = ClassCounts(expected=1, no_room=1)
    facts = class_facts(COURSE, "Saturn Cloud", NOW, problems=[problem], counts=counts)
    assert "already running" not in str(messages.render_report(facts))
