"""Tests of all cards and messages of runs as people see them, with rules that hold for any output."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.forms import Spec
from bot.domain.holds import HoldCode, make_hold
from bot.domain.runs import OutputTail, Run, RunState
from bot.domain.work_items import Call, Outcome
from bot.messages.blocks.limits import MAX_SECTION_LENGTH
from bot.messages.blocks.lists import run_list, run_status
from bot.messages.blocks.runs import format_output, run_asked, run_card, run_ended, run_failed, run_waiting
from tests.messages.card_facts import ALICE, NAMES, NOW, OURS, run_facts
from tests.rigs.drawn import as_shown
from tests.rigs.golden import check_golden, check_limits

JOB = Run(
    id="job_1",
    principal=ALICE,
    connection="posit",
    name="train.R",
    spec=Spec("train.R", {"command": "Rscript train.R"}),
    created_at=NOW - 100,
    reference="K7QX-2MPA",
)
CALLING = {"start_call": Call.CALLING, "called_at": NOW - 20}
TAKEN = {"remote_id": "42", "start_call": Call.ACCEPTED, "observed_at": NOW - 5}
RUNNING = TAKEN | {"state": RunState.RUNNING, "started_at": NOW - 90}
STOPPING = RUNNING | {"requested_stop": "stop", "stop_call": Call.ACCEPTED}
ENDED = RUNNING | {"outcome": Outcome.ENDED, "finished_at": NOW - 1, "ended_at": NOW}
DONE = ENDED | {"state": RunState.SUCCEEDED, "exit_code": 0}
FAILED = ENDED | {"state": RunState.FAILED, "exit_code": 137}
ALL = frozenset({"runs"})


def run(**keys):
    return replace(JOB, **keys)


def facts(run, **keys):
    return run_facts(run, **{"connection_title": "Posit Workbench", "capabilities": ALL} | keys)


CARDS = {
    "to-launch": run(),
    "to-launch-held-up": run(block_reason=make_hold(HoldCode.SILENT, NOW - 60)),
    "to-launch-called-off": run(requested_stop="stop"),
    "launching": run(**CALLING),
    "asked": run(**CALLING | {"question_since": NOW - 5}),
    "late": run(blocked_since=NOW - 1900, block_reason=make_hold(HoldCode.PERSON_UNKNOWN)),
    "late-unseen": run(**RUNNING | {"blocked_since": NOW - 1900, "block_reason": make_hold(HoldCode.UNSEEN)}),
    "waiting": run(**TAKEN),
    "unknown": run(**TAKEN | {"state": RunState.UNKNOWN}),
    "running": run(**RUNNING | {"detail": "On node <7>"}),
    "stopping": run(**STOPPING | {"called_at": NOW - 10}),
    "stopping-unanswered": run(**STOPPING | {"called_at": NOW - 60}),
    "forcing": run(**STOPPING | {"requested_stop": "force", "called_at": NOW - 90}),
    "done": run(**DONE),
    "done-just-now": run(**DONE | {"outcome": None, "ended_at": None}),
    "done-without-code": run(**DONE | {"exit_code": None, "started_at": None}),
    "done-noticed-late": run(**DONE | {"finished_at": None}),
    "failed": run(**FAILED | {"detail": "Out of memory"}),
    "stopped": run(**ENDED | {"state": RunState.CANCELLED}),
    "over-unknown": run(**ENDED | {"state": RunState.UNKNOWN}),
    "not-run": run(outcome=Outcome.FAILED, cause="invalid: no such image <x>", ended_at=NOW),
    "lost": run(**RUNNING | {"outcome": Outcome.FAILED, "cause": "lost", "ended_at": NOW}),
    "refused-link": run(
        **RUNNING | {"outcome": Outcome.FAILED, "cause": "credential_refused", "ended_at": NOW}
    ),
    "called-off": run(outcome=Outcome.CANCELLED, cause="cancelled", ended_at=NOW),
    "unlinked": run(**RUNNING | {"outcome": Outcome.CANCELLED, "cause": "unlinked", "ended_at": NOW}),
    "let-go": run(**RUNNING | {"outcome": Outcome.FAILED, "cause": "let_go", "ended_at": NOW}),
    "unanswered": run(**CALLING | {"outcome": Outcome.FAILED, "cause": "unanswered", "ended_at": NOW}),
    "found": run(**RUNNING | {"spec": None}),
}
LINES = ["epoch 1: loss 0.9", "  warning: <x> & ```", "epoch 2: loss 0.8"]
OVER = [name for name, one in CARDS.items() if one.outcome is Outcome.ENDED]
NOT_DONE = [name for name, one in CARDS.items() if one.outcome in {Outcome.FAILED, Outcome.CANCELLED}]


DRAWN = [
    ("card", run_card, CARDS),
    ("question", run_asked, ["asked", "running", "to-launch", "unanswered"]),
    ("waiting", run_waiting, ["late", "late-unseen", "done"]),
    ("ended", lambda facts: run_ended(replace(facts, body={"lines": LINES})), OVER),
    ("failed", run_failed, NOT_DONE),
]


@pytest.mark.parametrize(
    ("kind", "draw", "name"), [(kind, draw, name) for kind, draw, names in DRAWN for name in names]
)
def test_what_is_drawn_of_a_run(kind, draw, name):
    check_golden(f"jobs/{kind}-{name}", draw(facts(CARDS[name])))


@pytest.mark.parametrize(("count", "heading"), [(2, "Output"), (40, "Last lines of output")])
def test_lines_of_an_ended_run_are_called_all_or_the_last(count, heading):
    output = OutputTail("", count, is_over=True, last_lines=("epoch 1", "! epoch 2"))
    ended = run_ended(facts(CARDS["done"], output=output))
    assert f"{heading} · lines marked ! are stderr:" in str(ended.blocks)


@pytest.mark.parametrize(
    ("name", "tail", "lines"),
    [
        ("none-yet", " \n", 0),
        ("some", "\n".join(LINES), 3),
        ("one", "ready\n", 1),
        ("part", "\n".join(f"line {number}" for number in range(500)), 10_000),
        ("stderr", "! no such file\n", 1),
    ],
)
def test_the_output_on_the_card(name, tail, lines):
    check_golden(
        f"jobs/output-{name}", run_card(facts(run(**RUNNING), output=OutputTail(tail, lines, False)))
    )
    # The card shows all stored lines, though there were more.
    shortened = run_card(facts(run(**RUNNING), output=OutputTail(tail, lines + 1, False)))
    assert ("showing the newest" in str(shortened.blocks)) == bool(lines)
    over = facts(run(**DONE), output=OutputTail(tail, lines, True))
    assert run_card(over) == run_card(replace(over, output=None))


def test_the_status_says_how_old_it_is():
    page = f"https://app.example.org/dash/resources/job/{'0f' * 16}"
    told = run_status(facts(CARDS["running"], connection_title="Saturn Cloud", page_url=page))
    check_golden("jobs/status", told)
    assert "Not checked yet." in shown(run_status(facts(JOB)))
    over = run_status(facts(CARDS["done"]))
    assert over == run_card(facts(CARDS["done"]))


@pytest.mark.parametrize("draw", [run_card, lambda told: run_list([told])])
def test_logs_is_offered_only_where_the_output_is_not_outputanyway(draw):
    assert '"job_logs"' not in json.dumps(draw(facts(run(**DONE, is_watched=False))).blocks)
    for one in (run(**RUNNING), run(**DONE | {"spec": None})):
        assert '"job_logs"' not in json.dumps(draw(facts(one)).blocks)
        assert '"job_logs"' in json.dumps(draw(facts(replace(one, is_watched=False))).blocks)
        assert '"job_logs"' not in json.dumps(
            draw(facts(replace(one, is_watched=False), capabilities=frozenset())).blocks
        )


def test_the_list():
    rows = [facts(one) for one in CARDS.values()]
    check_golden("jobs/list", run_list(rows, remark="I am looking."))
    check_limits(run_list(rows * 3, page=2))
    check_limits(run_list([]))


@pytest.mark.parametrize("name", CARDS)
def test_without_any_capability_nothing_is_offered_that_cannot_be_done(name):
    said = shown(run_card(facts(CARDS[name], capabilities=frozenset())))
    for action in ("job_stop", "job_force", "job_logs", "job_again"):
        assert action not in said


def shown(answer):
    return json.dumps(as_shown(answer), ensure_ascii=False)


@given(NAMES, NAMES, NAMES, st.sampled_from(sorted(CARDS)), st.integers(0, 10**9))
def test_no_text_mentions_links_or_breaks_a_limit(name, detail, tail, card, lines):
    run = replace(
        CARDS[card],
        name=name,
        detail=detail,
        block_reason=detail or None,
        cause=f"invalid: {detail}",
        reference=name,
    )
    output = OutputTail(tail, lines, lines % 2 == 0, tuple(tail.split("\n")))
    told = facts(run, connection_title=name or "Posit", output=output)
    for answer in (
        run_card(told),
        run_status(told),
        run_list([told] * 25),
        run_ended(told),
        run_failed(told),
    ):
        check_limits(answer)
        rest = OURS.sub("", shown(answer))
        assert "<" not in rest
        assert ">" not in rest


@example("`````")
@example("````````` and ``` more")
@given(st.text(alphabet="ab <&>`\t\n\u202e\x1b🚀", max_size=6000))
def test_output_keeps_its_end_and_its_fences(text):
    made = format_output(text)
    if made is None:
        return
    assert len(made.text) <= MAX_SECTION_LENGTH
    assert made.text.count("```") == 2
    assert made.text.startswith("```\n")
    assert made.text.endswith("\n```")
    assert made.is_cut == (made.lines < len(text.rstrip().splitlines()))


def test_indentation_and_tabs_are_kept():
    made = format_output("  a\n\tb\tc")
    assert made.text == "```\n  a\n    b   c\n```"


def test_one_endless_line_shows_its_end():
    made = format_output("x" * 10_000 + "<end>")
    assert made.text.endswith("x&lt;end&gt;\n```")
    assert made.text.startswith("```\n…x")
    assert len(made.text) > MAX_SECTION_LENGTH - 200
    assert made.lines == 1
    assert len(format_output("x" * 10_000).text) == MAX_SECTION_LENGTH - 1
