"""Homes: golden files, and that whatever the rows say makes a view that Slack takes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.accounts import Approval
from bot.domain.message_context import ConnectionCounts
from bot.domain.people import Named
from bot.domain.runs import Run, RunState
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.features.courses.model import ClassCard, ClassCounts, ClassFacts, CourseRule
from bot.features.home import messages as drawn
from bot.features.home import texts as home_words
from bot.features.home.messages import render_totals
from bot.features.home.model import ConnectionFacts, LinkFacts, MakerFacts, Question, TotalsFacts
from bot.features.preferences.model import PreferenceFacts, Preferences
from bot.messages.blocks import kit, replies
from tests.messages.card_facts import ALICE, CALLED, NOW, WORKSPACE, facts, run_facts
from tests.messages.home_rows import CAN, own, row
from tests.rigs.golden import check_golden, check_limits

LINKED = LinkFacts("saturn", "Saturn Cloud", "linked", "token", "alice")
MAKER = MakerFacts("hub", "Course hub", ("Small", "Medium", "GPU"))


def course(title, *, is_teacher=True, counts=None):
    """Return a course of a Home, taught or joined."""
    lessons = {"days": frozenset({"tue"}), "starts": 480, "stops": 570, "last_day": "2027-02-12"}
    card = ClassCard(ALICE, "C1", "saturn", title, id=f"class_{title}", reference="R", pattern="x", **lessons)
    keys = {
        "connection": "saturn",
        "workspace_id": "w",
        "zone": "UTC",
        "seen_zone": "UTC",
        "processed_until": NOW,
    }
    rule = (
        None
        if is_teacher
        else CourseRule(id=title, principal=ALICE, card=card.id, course=title, **keys, **lessons)
    )
    more = {"counts": counts or ClassCounts(), "rule": rule, "is_teacher": is_teacher}
    return ClassFacts(now=NOW, connection="saturn", connection_title="Saturn Cloud", card=card, **more)


def run(**more):
    known = {"id": "job_1", "principal": ALICE, "connection": "saturn", "name": "nightly", "spec": None}
    return Run(**{**known, "created_at": NOW - 300, "reference": "R", "remote_id": "r1", **more})


#: Somebody of another Slack workspace, who is never mentioned here.
FOREIGN = Named("", "Olivia <!here> Osei", "Beta & *Labs*")
APPROVAL = Approval("approval_1", replace(ALICE, user_id="U0CHEN"), "saturn", "chen", "requested", NOW - 60)
FEW = own(
    rows=[
        row("analysis", State.STARTING, {**CALLED}),
        row("notebook", State.RUNNING, expires_at=NOW + 7200, expiry_mode="stops"),
        row("simulation", State.RUNNING, stop_at=NOW + 3600, stop_mode="stop"),
        row("report", State.STOPPED, detail="Quota of the group is used up"),
        row("old", State.GONE),
    ],
    count=5,
    running=2,
    runs=[run_facts(run(state=RunState.RUNNING, started_at=NOW - 200), capabilities=CAN)],
    more_runs=3,
    links=[
        LINKED,
        LinkFacts("courses", "Courses", "needless"),
        LinkFacts("hub", "Course hub", "held", "token", "alice", NOW - 600),
        LinkFacts("lab", "The lab", "requested", "admin", "alice.k"),
        LinkFacts("other", "Other cloud", "refused", "token", "alice"),
        LinkFacts("workbench", "Workbench", "none", "admin"),
        LinkFacts("west", "West cluster", "none", "both"),
    ],
    makers=[MAKER, MakerFacts("saturn", "Saturn Cloud")],
    has_code=True,
    questions=[
        Question("operation", row("lost", operation={**CALLED, "question_since": NOW - 30})),
        Question("run", run_facts(run(question_since=NOW - 20), capabilities=CAN)),
    ],
)
MANY = own(
    rows=[row(f"study {number:03}") for number in range(15, 30)],
    page=2,
    pages=14,
    count=200,
    running=3,
    links=[LINKED],
    makers=[replace(MAKER, templates=[f"Course {number}" for number in range(40)])],
)
#: As much as a person can set.
SET = PreferenceFacts(
    Preferences(stopped=True, connection="saturn", template="Course"),
    NOW,
    WORKSPACE,
    "Saturn Cloud",
    tuple(replace(WORKSPACE, id=f"w{number}", name=f"report {number}") for number in range(12)),
)
HOMES = {
    "settings": own(links=[LINKED], parts={"preferences": SET}),
    "unlinked": own(links=[replace(LINKED, state="none", username="")]),
    "empty": own(links=[LINKED], makers=[MAKER]),
    "empty-elsewhere": own(links=[replace(LINKED, state="none", username="")], makers=[MAKER]),
    "nothing-set-up": own(),
    "few": FEW,
    "many": MANY,
    "admin": replace(
        FEW,
        is_administrator=True,
        questions=[
            Question(
                "approval", (APPROVAL, "Saturn Cloud", {APPROVAL.principal.key: Named("U0CHEN", "Chen Li")})
            )
        ],
        has_code=False,
        answer=replies.answer("Starting *analysis* on Saturn Cloud.").as_body(),
        answered_at=NOW - 3,
    ),
}
FAILED = {"outcome": Outcome.FAILED, "cause": "unreachable", "ended_at": NOW - 900}
TOTALS = TotalsFacts(
    now=NOW,
    connections=[
        ConnectionFacts("Course hub", None, ConnectionCounts(120, 0, 118, 64, 0)),
        ConnectionFacts("Saturn Cloud", NOW - 400, ConnectionCounts(12, 2, 30, 4, 3)),
        ConnectionFacts("Sphere Engine", None, ConnectionCounts(7, 0, 9, 1, 0), has_links=False),
    ],
    starting=9,
    open_runs=2,
    dead_notices=1,
    failed_runs=1,
    people={ALICE.key: Named(ALICE.user_id)},
    slow=[facts({"created_at": NOW - 700, "block_reason": "Saturn Cloud has not answered since 14:02."})],
    failed=[facts(FAILED), facts({**FAILED, "cause": "invalid: disk <too> small"})],
    lost_runs=[run_facts(run(outcome=Outcome.FAILED, cause="lost", ended_at=NOW - 60))],
)


def test_golden_homes():
    for name, given_ in HOMES.items():
        check_golden(f"home/{name}", drawn.render_home(given_))
    check_golden("home/guest", drawn.render_sentence("Guests can't use me. Ask a full member to do it."))
    check_golden("home/totals", render_totals(TOTALS))
    check_golden("home/totals-calm", render_totals(TotalsFacts(now=NOW)))
    of_one = TotalsFacts(now=NOW, place="Beta Labs", slow=TOTALS.slow, people={ALICE.key: FOREIGN})
    check_golden("home/totals-of-a-workspace", render_totals(of_one))


def test_looking_again_is_no_reason_for_a_new_view_and_every_change_is():
    def digest(**more):
        return drawn.digest(drawn.render_home(replace(MANY, **more)))

    looked = [replace(one, workspace=replace(one.workspace, observed_at=NOW + 9)) for one in MANY.rows]
    assert digest(now=NOW + 10, rows=looked) == digest()
    changed = [
        {"running": 4},
        {"rows": [*MANY.rows[1:], row("other", State.RUNNING)]},
        {"rows": [*MANY.rows[1:], row("study 015", State.RUNNING, expires_at=NOW + 60, expiry_mode="stops")]},
        {"links": [replace(LINKED, state="refused")]},
        {"page": 3},
        {"answer": {"text": "Done", "blocks": []}},
        {"parts": {"preferences": SET}},
    ]
    assert len({digest(), *(digest(**one) for one in changed)}) == len(changed) + 1


@pytest.mark.parametrize("name", HOMES)
def test_a_workspace_is_one_section_of_at_most_two_lines_with_one_accessory(name):
    blocks = drawn.render_home(HOMES[name])["blocks"]
    headers = [one["text"]["text"] if one["type"] == "header" else "" for one in blocks]
    at = headers.index(home_words.WORKSPACES_HEADING)
    until = next((n for n, header in enumerate(headers) if n > at and header), len(blocks))
    sections = [one for one in blocks[at:until] if one["type"] == "section"]
    if HOMES[name].rows:
        assert len(sections) == len(HOMES[name].rows)
        assert all(len(one["text"]["text"].split("\n")) <= 2 for one in sections)
        assert {one["accessory"]["type"] for one in sections} <= {"button", "overflow"}


def test_a_name_cannot_lead_a_link_elsewhere():
    link = kit.link("https://ide.example.org/a|b>c?x=1&y=2", "a|b>c <https://evil.example.org|x>")
    assert link == (
        "<https://ide.example.org/a%7Cb%3Ec?x=1&amp;y=2|a¦b&gt;c &lt;https://evil.example.org¦x&gt;>"
    )


def test_the_totals_name_no_workspace():
    assert WORKSPACE.name not in str(render_totals(TOTALS))


WORDS = st.text(max_size=400)
STATES = st.sampled_from(list(State))
ROWS = st.builds(
    lambda name, state, detail, hold, is_open, asked: row(
        name,
        state,
        {**CALLED, "block_reason": hold, "question_since": NOW if asked else None} if is_open else None,
        detail=detail,
    ),
    WORDS,
    STATES,
    st.none() | st.text(max_size=4000),
    st.none() | WORDS,
    st.booleans(),
    st.booleans(),
)
RUNS = st.builds(
    lambda name, state, detail, outcome: run_facts(
        run(name=name, state=state, detail=detail, outcome=outcome), capabilities=CAN
    ),
    WORDS,
    st.sampled_from(list(RunState)),
    st.none() | WORDS,
    st.sampled_from([None, "ended", "failed", "cancelled"]),
)
LINKS = st.builds(
    LinkFacts,
    st.sampled_from(["saturn", "hub"]),
    WORDS,
    st.sampled_from(["linked", "held", "refused", "requested", "none", "needless"]),
    st.sampled_from(["token", "admin", "both", ""]),
    WORDS,
)
ANSWERS = st.none() | st.builds(
    lambda text, count: (
        replies.answer(kit.safe(text)).as_body()
        | {"blocks": [*replies.answer(kit.safe(text)).blocks] * count}
    ),
    WORDS,
    st.integers(0, 40),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(ROWS, max_size=15),
    st.lists(RUNS, max_size=5),
    st.lists(LINKS, max_size=40),
    st.lists(st.builds(MakerFacts, st.just("hub"), WORDS, st.lists(WORDS, max_size=9)), max_size=12),
    ANSWERS,
    st.booleans(),
)
def test_any_rows_make_a_view_that_slack_takes(rows, runs, links, makers, answer, is_administrator):
    asked = [Question("operation", one) for one in rows if one.operation is not None][:5]
    given_ = own(
        rows=rows,
        page=2,
        pages=3,
        count=len(rows),
        runs=runs,
        more_runs=7,
        links=links,
        makers=makers,
        questions=asked,
        has_code=True,
        parts={
            "preferences": SET,
            "courses": [course(f"Course {number}", counts=ClassCounts(9, failed=1)) for number in range(9)],
        },
        is_administrator=is_administrator,
        answer=answer,
        answered_at=NOW,
    )
    view = drawn.render_home(given_)
    check_limits(view)
    # Nothing is cut away at the end: the last block says when it was drawn.
    assert view["blocks"][-1]["elements"][0]["text"] == drawn.format_updated(NOW)


@settings(max_examples=20, deadline=None)
@given(st.lists(WORDS, max_size=30), WORDS)
def test_any_totals_make_a_view_that_slack_takes(titles, cause):
    failed = [facts({"outcome": Outcome.FAILED, "cause": f"invalid: {cause}", "ended_at": NOW})] * 8
    given_ = TotalsFacts(
        now=NOW,
        connections=[ConnectionFacts(title, NOW, ConnectionCounts(1, 1, 1, 1, 9)) for title in titles],
        slow=[facts({"block_reason": cause})] * 8,
        failed=failed,
        dead_notices=5,
    )
    view = render_totals(given_)
    check_limits(view)
    assert view["blocks"][-1]["elements"][0]["text"] == drawn.format_updated(NOW)


def test_each_course_can_be_left_in_home():
    view = drawn.render_home(
        own(parts={"courses": [course(title, is_teacher=False) for title in ("Statistics", "Algebra")]})
    )
    check_limits(view)
    leaving = [one for one in kit.iterate_buttons(view["blocks"]) if one["text"]["text"] == "Leave"]
    assert [one["value"] for one in leaving] == ["class_Statistics", "class_Algebra"]
