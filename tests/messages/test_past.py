"""What messages become: the live one says what has become of it, those before it are a line."""

from dataclasses import replace

import pytest

from bot.domain.errands import Call, Outcome
from bot.domain.forms import Spec
from bot.domain.notices import Mark, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.runs import Run, RunState
from bot.domain.workspaces import State
from bot.messages.blocks.notices import is_true, owed, past, redraw, render
from bot.messages.blocks.runs import run_waiting
from tests.messages.card_facts import ALICE, CALLED, NOW, facts, least_facts, run_facts
from tests.rigs.golden import check_golden, check_limits

ENDED = CALLED | {"outcome": Outcome.FULFILLED, "ended_at": NOW - 600}
RUNNING, STOPPED, STARTING = ({"state": each} for each in (State.RUNNING, State.STOPPED, State.STARTING))
RUN = Run(
    id="job_1",
    principal=ALICE,
    connection="saturn",
    name="train",
    spec=Spec("train"),
    created_at=NOW - 900,
    reference="K7QX-2MPA",
    remote_id="r1",
    state=RunState.RUNNING,
    start_call=Call.ACCEPTED,
    started_at=NOW - 800,
)


def verb(name, outcome=Outcome.FULFILLED, **keys):
    return CALLED | {"verb": OperationVerb(name), "outcome": outcome, "ended_at": NOW - 600} | keys


def late(run):
    return replace(run, deadline_at=None, deadline_number=1, held_since=NOW - 900)


LINES = {
    **{f"card-{each}": (NoticeKind.CARD, facts(operation=verb(each))) for each in OperationVerb},
    **{
        f"card-{each}": (NoticeKind.CARD, facts(operation=verb("start", each, cause="gave_up")))
        for each in Outcome
        if each not in {Outcome.FULFILLED, Outcome.ENDED}
    },
    "card-sent": (NoticeKind.CARD, facts(operation=verb("stop", Outcome.REPLACED, cause="sent"))),
    "card-not-made": (NoticeKind.CARD, facts(operation=verb("stop", cause="not_made"))),
    "card-open": (NoticeKind.CARD, facts()),
    "card-already-running": (NoticeKind.CARD, facts(operation=verb("start", start_call=Call.NONE))),
    "card-already-stopped": (NoticeKind.CARD, facts(operation=verb("stop", start_call=Call.NONE))),
    "card-forgotten-workspace": (
        NoticeKind.CARD,
        replace(facts(operation=ENDED, former_name="notebook <1>"), workspace=None),
    ),
    "ready": (NoticeKind.READY, facts(operation=ENDED)),
    "stopped": (NoticeKind.STOPPED, facts(operation=verb("stop"))),
    "suspended": (NoticeKind.SUSPENDED, facts(operation=verb("suspend"))),
    "removed": (NoticeKind.REMOVED, facts(operation=verb("remove"))),
    "failed": (NoticeKind.FAILED, facts(operation=verb("start", Outcome.FAILED, cause="gave_up"))),
    "waiting": (NoticeKind.WAITING, facts()),
    "ending": (NoticeKind.ENDING, replace(facts(), operation=None)),
    "stopped-elsewhere": (NoticeKind.STOPPED_ELSEWHERE, replace(facts(), operation=None)),
    "needed": (NoticeKind.NEEDED, replace(facts(), operation=None)),
    "timer-ending": (NoticeKind.TIMER_ENDING, replace(facts(), operation=None)),
    "timer-failed": (NoticeKind.TIMER_FAILED, replace(facts(), operation=None)),
    **{
        kind.value.replace("_", "-"): (kind, least_facts(kind))
        for kind in (
            NoticeKind.LINKED,
            NoticeKind.UNLINKED,
            NoticeKind.LINK_AGAIN,
            NoticeKind.SIGN_IN_REFUSED,
            NoticeKind.LINK_ENDING,
        )
    },
    "class-ending": (NoticeKind.CLASS_ENDING, replace(facts(), operation=None)),
    "asked": (NoticeKind.ASKED, facts(operation=verb("create"))),
    "job-waiting": (NoticeKind.JOB_WAITING, run_facts(RUN)),
    "job-ended": (
        NoticeKind.JOB_ENDED,
        run_facts(
            replace(RUN, state=RunState.FAILED, outcome=Outcome.ENDED, exit_code=2, finished_at=NOW - 300)
        ),
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_what_newer_messages_take_the_place_of_becomes_one_line_without_buttons(name):
    kind, given = LINES[name]
    answer = past(kind, replace(given, written_at=NOW - 500))
    (block,) = answer.blocks
    assert block["type"] == "context"
    assert len(block["elements"]) == 1
    check_golden(f"past/{name}", answer)


@pytest.mark.parametrize("name", ["class-ending", "needed", "timer-ending"])
def test_a_warning_says_when_it_was_sent_not_when_it_was_written(name):
    kind, given = LINES[name]
    answer = past(kind, replace(given, written_at=NOW - 5_000, sent_at=NOW - 400))
    assert f"at <!date^{NOW - 400:.0f}^" in str(answer.blocks)


@pytest.mark.parametrize("kind", sorted(set(NoticeKind) - {NoticeKind.CARD_UPDATE}))
def test_every_kind_has_a_line_whatever_is_known(kind):
    of_its_row = {"job": run_facts(RUN), "operation": facts()}.get(kind.subject, least_facts(kind))
    check_limits(past(kind, of_its_row))
    if kind.subject != "job":
        check_limits(past(kind, least_facts(kind)))


#: Kind, state of the workspace, operation, whether something newer was asked for; does it still hold?
STILL = [
    (NoticeKind.READY, RUNNING, ENDED, False, True),
    (NoticeKind.READY, STOPPED, ENDED, False, False),
    (NoticeKind.READY, RUNNING, ENDED, True, False),
    (NoticeKind.STOPPED, STOPPED, verb("stop"), False, True),
    (NoticeKind.STOPPED, RUNNING, verb("stop"), False, False),
    (NoticeKind.STOPPED, STARTING, verb("stop"), False, False),
    (NoticeKind.STOPPED_ELSEWHERE, STOPPED, {}, True, False),
    (NoticeKind.FAILED, STOPPED, verb("start", Outcome.FAILED), False, True),
    (NoticeKind.FAILED, RUNNING, verb("start", Outcome.FAILED), False, False),
    (NoticeKind.FAILED, RUNNING, verb("stop", Outcome.FAILED), False, True),
    (NoticeKind.FAILED, STOPPED, verb("stop", Outcome.FAILED), False, False),
    (NoticeKind.WAITING, STARTING, CALLED | {"deadline_at": None}, False, True),
    (NoticeKind.WAITING, STARTING, CALLED | {"deadline_at": NOW + 60}, False, False),
    (NoticeKind.WAITING, RUNNING, ENDED, False, False),
    (NoticeKind.ENDING, RUNNING | {"ends_at": NOW + 60, "ends_how": "stops"}, {}, False, True),
    (NoticeKind.ENDING, RUNNING, {}, False, False),
    (NoticeKind.CARD, STOPPED, ENDED, True, True),
]


@pytest.mark.parametrize(("kind", "workspace", "operation", "is_superseded", "expected"), STILL)
def test_a_notice_holds_for_as_long_as_the_rows_say_the_same(
    kind, workspace, operation, is_superseded, expected
):
    given = facts(operation=operation, workspace=workspace, is_superseded=is_superseded, written_at=NOW - 5)
    assert is_true(kind, given) is expected
    drawn = redraw(kind, given, is_closing=False)
    assert (drawn == render(kind, given)) is expected
    # It offers what can be done now, unless something newer was asked for and has a message of its own.
    assert (len(drawn.blocks) > 1) is not (is_superseded and not expected)
    assert len(redraw(kind, given, is_closing=True).blocks) == 1


def test_the_question_to_post_a_class_card_again_goes_once_it_was_posted():
    given = replace(least_facts(NoticeKind.CLASS_POSTED), is_superseded=True, written_at=NOW - 5)
    assert len(redraw(NoticeKind.CLASS_POSTED, given, is_closing=False).blocks) == 1


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        (NoticeKind.READY, State.RUNNING, True),
        (NoticeKind.READY, State.STOPPED, False),
        (NoticeKind.READY, State.GONE, False),
        (NoticeKind.READY, None, False),
        (NoticeKind.STOPPED, State.STOPPED, True),
        (NoticeKind.STOPPED_ELSEWHERE, State.GONE, True),
        (NoticeKind.STOPPED_ELSEWHERE, State.RUNNING, False),
        (NoticeKind.STOPPED, State.STARTING, False),
        (NoticeKind.REMOVED, None, True),
        (NoticeKind.OUTAGE, None, True),
    ],
)
def test_what_is_not_so_any_more_is_left_out_of_what_is_told_together(kind, state, expected):
    given = least_facts(kind, link_ends_at=NOW + 60)
    if state is not None:
        given = replace(facts(workspace={"state": state}), operation=None)
    assert (owed(NoticeKind.SUMMARY, replace(HELD, held=((kind, given),))) is not None) is expected
    assert Mark.NEWS in kind.marks


HELD = least_facts(NoticeKind.SUMMARY)
STOP = ENDED | {"verb": OperationVerb.STOP}


@pytest.mark.parametrize(
    ("kind", "operation", "state", "said"),
    [
        # What has become of it since is told in place of what isn't so any more.
        (NoticeKind.READY, ENDED, State.STOPPED, "has since been stopped"),
        (NoticeKind.READY, ENDED, State.FAILED, "has since failed"),
        (NoticeKind.READY, ENDED, State.RUNNING, "is ready"),
        (NoticeKind.STOPPED, STOP, State.RUNNING, "started again"),
        (NoticeKind.STOPPED, STOP, State.STOPPED, "has stopped"),
    ],
)
def test_how_an_operation_ended_is_told_as_things_are_then(kind, operation, state, said):
    given = facts(operation=operation, workspace={"state": state})
    assert said in str(owed(kind, given).blocks)


@pytest.mark.parametrize(
    ("kind", "operation", "said"),
    [
        (NoticeKind.READY, ENDED, "started at"),
        (NoticeKind.STOPPED, STOP, "stopped at"),
        (NoticeKind.FAILED, ENDED | {"outcome": Outcome.FAILED}, "couldn't start"),
        (NoticeKind.WAITING, ENDED | {"outcome": Outcome.FAILED}, None),
    ],
)
def test_once_something_newer_was_asked_for_an_end_is_past(kind, operation, said):
    superseded = replace(facts(operation=operation), is_superseded=True)
    answer = owed(kind, superseded)
    assert (said is None) is (answer is None)
    if answer is not None:
        assert said in answer.text
        assert [block["type"] for block in answer.blocks] == ["context"]


def test_the_request_to_link_again_holds_while_the_account_is_refused():
    for kind in (NoticeKind.LINK_AGAIN, NoticeKind.SIGN_IN_REFUSED):
        refused = least_facts(kind, is_refused=True)
        assert is_true(kind, refused)
        assert not is_true(kind, replace(refused, is_refused=False))


def test_a_reminder_holds_until_its_link_is_another_or_has_ended():
    said = least_facts(NoticeKind.LINK_ENDING, link_ends_at=NOW + 60, body={"ends_at": NOW + 60})
    assert is_true(NoticeKind.LINK_ENDING, said)
    assert not is_true(NoticeKind.LINK_ENDING, replace(said, now=NOW + 60))
    assert not is_true(NoticeKind.LINK_ENDING, replace(said, link_ends_at=NOW + 9e6))
    assert not is_true(NoticeKind.LINK_ENDING, replace(said, link_ends_at=None))


def test_the_question_about_a_late_run_holds_until_somebody_waits_on():
    of_run = run_facts(late(RUN))
    assert is_true(NoticeKind.JOB_WAITING, of_run)
    assert run_waiting(of_run) == redraw(NoticeKind.JOB_WAITING, of_run, is_closing=False)
    kept = replace(of_run, run=replace(late(RUN), deadline_at=NOW + 60))
    assert not is_true(NoticeKind.JOB_WAITING, kept)
    over = replace(of_run, run=replace(late(RUN), outcome=Outcome.ENDED))
    assert not is_true(NoticeKind.JOB_WAITING, over)
