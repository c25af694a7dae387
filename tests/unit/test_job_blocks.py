"""All cards and messages of runs as people see them, and the rules that hold for whatever a run writes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.facts import Facts
from bot.domain.models import Call, Job, JobState, Spec
from bot.messages.blocks.job_lists import job_list, job_status
from bot.messages.blocks.jobs import job_asked, job_card, job_ended, job_failed, job_waiting, output_message
from bot.messages.blocks.limits import SECTION
from bot.messages.blocks.output import preformatted
from bot.messages.texts import holds
from tests.support.golden import check_golden, check_limits
from tests.unit.card_facts import ALICE, NOW
from tests.unit.test_cards import NAMES, OURS

JOB = Job(
    id="job_1",
    principal=ALICE,
    connection="posit",
    name="train.R",
    spec=Spec("train.R", {"command": "Rscript train.R"}),
    created_at=NOW - 100,
    reference="K7QX-2MPA",
)
CALLING = {"launch_call": Call.CALLING, "called_at": NOW - 20}
TAKEN = {"remote_id": "42", "launch_call": Call.ACCEPTED, "observed_at": NOW - 5}
RUNNING = TAKEN | {"state": JobState.RUNNING, "started_at": NOW - 90}
STOPPING = RUNNING | {"stop_wanted": "stop", "stop_call": Call.ACCEPTED}
ENDED = RUNNING | {"outcome": "ended", "finished_at": NOW - 1, "ended_at": NOW}
DONE = ENDED | {"state": JobState.SUCCEEDED, "exit_code": 0}
FAILED = ENDED | {"state": JobState.FAILED, "exit_code": 137}
ALL = frozenset({"runs"})
TITLE = "Posit Workbench"


def job(**keys):
    return replace(JOB, **keys)


def facts(**keys):
    given = {
        "now": NOW,
        "connection": "posit",
        "connection_title": "Posit Workbench",
        "username": "alice",
        "capabilities": ALL,
    }
    return Facts(**given | keys)


CARDS = {
    "to-launch": job(),
    "to-launch-held-up": job(hold=holds.silent_since("Posit Workbench", NOW - 60)),
    "to-launch-called-off": job(stop_wanted="stop"),
    "launching": job(**CALLING),
    "asked": job(**CALLING | {"asked_at": NOW - 5}),
    "late": job(held_since=NOW - 1900, hold=holds.PERSON_UNKNOWN),
    "late-unseen": job(**RUNNING | {"held_since": NOW - 1900, "hold": holds.UNSEEN}),
    "waiting": job(**TAKEN),
    "unknown": job(**TAKEN | {"state": JobState.UNKNOWN}),
    "running": job(**RUNNING | {"detail": "On node <7>"}),
    "stopping": job(**STOPPING | {"called_at": NOW - 10}),
    "stopping-unanswered": job(**STOPPING | {"called_at": NOW - 60}),
    "forcing": job(**STOPPING | {"stop_wanted": "force", "called_at": NOW - 90}),
    "done": job(**DONE),
    "done-just-now": job(**DONE | {"outcome": None, "ended_at": None}),
    "done-without-code": job(**DONE | {"exit_code": None, "started_at": None}),
    "failed": job(**FAILED | {"detail": "Out of memory"}),
    "stopped": job(**ENDED | {"state": JobState.CANCELLED}),
    "over-unknown": job(**ENDED | {"state": JobState.UNKNOWN}),
    "not-run": job(outcome="failed", cause="invalid: no such image <x>", ended_at=NOW),
    "lost": job(**RUNNING | {"outcome": "failed", "cause": "lost", "ended_at": NOW}),
    "refused-link": job(**RUNNING | {"outcome": "failed", "cause": "credential_refused", "ended_at": NOW}),
    "called-off": job(outcome="cancelled", cause="cancelled", ended_at=NOW),
    "unlinked": job(**RUNNING | {"outcome": "cancelled", "cause": "unlinked", "ended_at": NOW}),
    "let-go": job(**RUNNING | {"outcome": "failed", "cause": "let_go", "ended_at": NOW}),
    "unanswered": job(**CALLING | {"outcome": "failed", "cause": "unanswered", "ended_at": NOW}),
    "found": job(**RUNNING | {"spec": None}),
}
LINES = ["epoch 1: loss 0.9", "  warning: <x> & ```", "epoch 2: loss 0.8"]
OVER = [name for name, one in CARDS.items() if one.outcome == "ended"]
NOT_DONE = [name for name, one in CARDS.items() if one.outcome in {"failed", "cancelled"}]


@pytest.mark.parametrize("name", CARDS)
def test_the_card(name):
    check_golden(f"jobs/card-{name}", job_card(CARDS[name], facts()))


@pytest.mark.parametrize("name", ["asked", "running", "to-launch", "unanswered"])
def test_the_question_and_what_it_is_afterwards(name):
    check_golden(f"jobs/question-{name}", job_asked(CARDS[name], facts()))


@pytest.mark.parametrize("name", ["late", "late-unseen", "done"])
def test_the_message_after_the_deadline(name):
    check_golden(f"jobs/waiting-{name}", job_waiting(CARDS[name], facts()))


@pytest.mark.parametrize("name", OVER)
def test_the_message_at_the_end(name):
    check_golden(f"jobs/ended-{name}", job_ended(CARDS[name], facts(), LINES))


@pytest.mark.parametrize("name", NOT_DONE)
def test_the_message_that_there_is_no_end(name):
    check_golden(f"jobs/failed-{name}", job_failed(CARDS[name], facts()))


@pytest.mark.parametrize(
    ("name", "tail", "lines", "is_over"),
    [
        ("none-yet", "", 0, False),
        ("some", "\n".join(LINES), 3, False),
        ("one", "ready\n", 1, False),
        ("part", "\n".join(f"line {number}" for number in range(500)), 10_000, False),
        ("over", "\n".join(LINES), 3, True),
        ("over-none", " \n", 0, True),
    ],
)
def test_the_output(name, tail, lines, is_over):
    check_golden(
        f"jobs/output-{name}",
        output_message(JOB, facts(), tail, every=25.2, lines=lines, is_over=is_over),
    )


def test_the_status_says_how_old_it_is():
    page = f"https://app.example.org/dash/resources/job/{'0f' * 16}"
    told = job_status(CARDS["running"], facts(connection_title="Saturn Cloud", page_url=page))
    check_golden("jobs/status", told)
    assert "No news of it yet." in shown(job_status(JOB, facts()))
    assert job_status(CARDS["done"], facts()) == job_card(CARDS["done"], facts())


def test_the_list():
    rows = [(one, facts()) for one in CARDS.values()]
    check_golden("jobs/list", job_list(rows, remark="I am looking."))
    check_limits(job_list(rows * 3, page=2))
    check_limits(job_list([]))


@pytest.mark.parametrize("name", CARDS)
def test_without_any_capability_nothing_is_offered_that_cannot_be_done(name):
    said = shown(job_card(CARDS[name], facts(capabilities=frozenset())))
    for action in ("job_stop", "job_force", "job_logs", "job_again"):
        assert action not in said


def shown(answer):
    return json.dumps(answer.as_body(), ensure_ascii=False)


@given(NAMES, NAMES, NAMES, st.sampled_from(sorted(CARDS)), st.floats(0, 1e6), st.integers(0, 10**9))
def test_no_text_mentions_links_or_breaks_a_limit(name, detail, tail, card, every, lines):
    run = replace(
        CARDS[card], name=name, detail=detail, hold=detail or None, cause=f"invalid: {detail}", reference=name
    )
    told = facts(connection_title=name or "Posit")
    for answer in (
        job_card(run, told),
        job_status(run, told),
        job_list([(run, told)] * 25),
        job_ended(run, told, tail.split("\n")),
        job_failed(run, told),
        output_message(run, told, tail, every=every, lines=lines, is_over=lines % 2 == 0),
    ):
        check_limits(answer)
        rest = OURS.sub("", shown(answer))
        assert "<" not in rest
        assert ">" not in rest


@example("`````")
@example("````````` and ``` more")
@given(st.text(alphabet="ab <&>`\t\n\u202e\x1b🚀", max_size=6000))
def test_output_keeps_its_end_and_its_fences(text):
    made = preformatted(text)
    if made is None:
        return
    assert len(made.text) <= SECTION
    assert made.text.count("```") == 2
    assert made.text.startswith("```\n")
    assert made.text.endswith("\n```")
    assert made.is_cut == (made.lines < len(text.rstrip().splitlines()))


def test_indentation_and_tabs_are_kept():
    made = preformatted("  a\n\tb\tc")
    assert made.text == "```\n  a\n    b   c\n```"


def test_one_endless_line_shows_its_end():
    made = preformatted("x" * 10_000 + "<end>")
    assert made.text.endswith("x&lt;end&gt;\n```")
    assert made.text.startswith("```\n…x")
    assert len(made.text) > SECTION - 200
    assert made.lines == 1
