"""Tests of updating sent messages: texts stay, working buttons stay, unsent results are up to date."""

from dataclasses import replace

import pytest

from bot.domain.notices import Mark, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.messages.blocks.buttons import make_change, still_applies, stop_button
from bot.messages.blocks.notices import is_true, keep_current_buttons, render, render_pending
from bot.messages.blocks.runs import run_waiting
from bot.messages.blocks.timers import keep_buttons
from tests.messages.card_facts import CALLED, IDE_URL, NOW, facts, least_facts, run_facts
from tests.messages.runs import RUN

ENDED = CALLED | {"outcome": Outcome.FULFILLED, "ended_at": NOW - 600}
RUNNING, STOPPED, STARTING = ({"state": each} for each in (State.RUNNING, State.STOPPED, State.STARTING))


def verb(name, outcome=Outcome.FULFILLED, **keys):
    return CALLED | {"verb": OperationVerb(name), "outcome": outcome, "ended_at": NOW - 600} | keys


def late(run):
    return replace(run, deadline_at=None, deadline_number=1, blocked_since=NOW - 900)


def labels(answer):
    return [one["text"]["text"] for one in kit.iterate_buttons(answer.blocks)]


def bare(answer):
    """Return what a message says, without its buttons."""
    return kit.keep_buttons(answer, lambda _: False)


#: Kind of message, workspace, operation, whether there is a newer operation; is the message still true?
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
    (
        NoticeKind.WORKSPACE_EXPIRY,
        RUNNING | {"expires_at": NOW + 60, "expiry_mode": "stops"},
        {},
        False,
        True,
    ),
    (NoticeKind.WORKSPACE_EXPIRY, RUNNING, {}, False, False),
    (NoticeKind.CARD, STOPPED, ENDED, True, True),
]


@pytest.mark.parametrize(("kind", "workspace", "operation", "is_superseded", "expected"), STILL)
def test_a_message_has_buttons_for_as_long_as_the_rows_say_the_same(
    kind, workspace, operation, is_superseded, expected
):
    given = facts(operation=operation, workspace=workspace, is_superseded=is_superseded, written_at=NOW - 5)
    assert is_true(kind, given) is expected
    said = render(kind, replace(given, is_superseded=False))
    now = keep_current_buttons(kind, given, said)
    assert bare(now) == bare(said)
    assert labels(now) == (labels(said) if expected and not is_superseded else [])
    assert keep_current_buttons(kind, None, said) == bare(said)


def test_of_the_buttons_of_a_message_those_go_that_it_would_not_have_now():
    given = facts(operation=ENDED, workspace=RUNNING | {"verified_at": NOW}, ide_url=IDE_URL)
    said = render(NoticeKind.READY, given)
    assert {"Open", "Stop"} <= set(labels(said))
    elsewhere = replace(given, ide_url=f"{IDE_URL}/other")
    assert [one for one in labels(said) if one != "Open"] == labels(
        keep_current_buttons(NoticeKind.READY, elsewhere, said)
    )
    again = replace(given, workspace=replace(given.workspace, generation=7))
    left = labels(keep_current_buttons(NoticeKind.READY, again, said))
    assert "Stop" not in left
    assert "Open" in left


def test_the_answer_that_offers_something_fits_while_it_would_do_what_it_says():
    up = facts(operation={}, workspace=RUNNING | {"verified_at": NOW}, ide_url=IDE_URL)
    [opens] = [one for one in kit.iterate_buttons(render(NoticeKind.READY, up).blocks) if one.get("url")]
    stop = stop_button(up.workspace, up.effects)
    start = kit.button("Start", make_change("start", up.workspace))
    down = replace(up, workspace=replace(up.workspace, state=State.STOPPED))
    brought_up = replace(up, workspace=replace(up.workspace, generation=up.workspace.generation + 1))
    found = {
        name: [still_applies(one, given) for one in (opens, stop, start)]
        for name, given in {
            "up": up,
            "down": down,
            "again": brought_up,
            "gone": None,
            "hidden": replace(up, workspace=replace(up.workspace, hidden=True)),
        }.items()
    }
    assert found == {
        "up": [True, True, False],
        "down": [False, False, True],
        "again": [True, False, False],
        "gone": [False, False, False],
        "hidden": [True, False, False],
    }


def test_what_answers_a_warning_fits_until_the_end_that_it_was_drawn_for_changes():
    given = facts(operation={}, workspace=RUNNING | {"stop_at": NOW + 600.4})
    keep = keep_buttons(given.workspace)
    assert [still_applies(one, given) for one in keep] == [True, True]
    for stop_at in (None, NOW + 4200.4):
        changed = replace(given, workspace=replace(given.workspace, stop_at=stop_at))
        assert [still_applies(one, changed) for one in keep] == [False, False]
    assert [still_applies(one, None) for one in keep] == [False, False]


def test_what_was_not_sent_is_asked_about_while_there_is_something_to_start():
    cause = "stale:: You asked a while ago, so I haven't sent it. Do you still want it?"
    given = facts(operation=verb("start", Outcome.FAILED, cause=cause), workspace=STOPPED)
    said = render(NoticeKind.FAILED, given)
    assert labels(said) == ["Start", "No, thanks"]
    assert "Do you still want it?" in str(said.blocks)
    gone = render(NoticeKind.FAILED, replace(given, workspace=None, page_url=None))
    assert labels(gone) == []
    assert gone.text.endswith("You asked a while ago, so I haven't sent it.")
    assert "Do you still want it?" not in str(gone.blocks)


def test_a_menu_keeps_the_options_that_work():
    options = [kit.button(name, name, "key") for name in ("one", "two", "three")]
    answer = kit.answer([kit.section("All of them.", kit.menu(options))])
    assert labels(kit.keep_buttons(answer, lambda one: one["action_id"] != "two")) == ["one", "three"]
    assert "accessory" not in kit.keep_buttons(answer, lambda _: False).blocks[0]


def test_the_question_to_post_a_class_card_again_goes_once_it_was_posted():
    given = replace(least_facts(NoticeKind.CLASS_POSTED), written_at=NOW - 5)
    asked = render(NoticeKind.CLASS_POSTED, given)
    assert keep_current_buttons(NoticeKind.CLASS_POSTED, replace(given, is_superseded=True), asked) == bare(
        asked
    )


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
    given = least_facts(kind, link_expires_at=NOW + 60)
    if state is not None:
        given = replace(facts(workspace={"state": state}), operation=None)
    assert (render_pending(NoticeKind.SUMMARY, replace(HELD, held=((kind, given),))) is not None) is expected
    assert Mark.NEWS in kind.marks


HELD = least_facts(NoticeKind.SUMMARY)
STOP = ENDED | {"verb": OperationVerb.STOP}


@pytest.mark.parametrize(
    ("kind", "operation", "state", "said"),
    [
        # If the message isn't true any more, it says what has happened since.
        (NoticeKind.READY, ENDED, State.STOPPED, "has since been stopped"),
        (NoticeKind.READY, ENDED, State.FAILED, "has since failed"),
        (NoticeKind.READY, ENDED, State.RUNNING, "is ready"),
        (NoticeKind.STOPPED, STOP, State.RUNNING, "started again"),
        (NoticeKind.STOPPED, STOP, State.STOPPED, "has stopped"),
    ],
)
def test_how_an_operation_ended_is_told_as_things_are_then(kind, operation, state, said):
    given = facts(operation=operation, workspace={"state": state})
    assert said in str(render_pending(kind, given).blocks)


@pytest.mark.parametrize("kind", [NoticeKind.READY, NoticeKind.STOPPED, NoticeKind.FAILED, NoticeKind.CARD])
def test_once_something_newer_was_asked_for_an_end_is_told_without_buttons(kind):
    operation = {NoticeKind.READY: ENDED, NoticeKind.STOPPED: STOP}.get(kind, verb("start", Outcome.FAILED))
    superseded = replace(facts(operation=operation), is_superseded=True)
    answer = render_pending(kind, superseded)
    assert answer is not None
    assert not list(kit.iterate_buttons(answer.blocks))


def test_a_wait_that_is_over_is_told_to_nobody():
    over = facts(operation=ENDED | {"outcome": Outcome.FAILED})
    assert render_pending(NoticeKind.WAITING, over) is None


def test_the_request_to_link_again_holds_while_the_account_is_refused():
    for kind in (NoticeKind.RELINK_PROMPT, NoticeKind.SIGN_IN_REFUSED):
        refused = least_facts(kind, is_refused=True)
        assert is_true(kind, refused)
        assert not is_true(kind, replace(refused, is_refused=False))


def test_a_reminder_holds_until_its_link_is_another_or_has_ended():
    said = least_facts(NoticeKind.LINK_EXPIRY, link_expires_at=NOW + 60, body={"expires_at": NOW + 60})
    assert is_true(NoticeKind.LINK_EXPIRY, said)
    assert not is_true(NoticeKind.LINK_EXPIRY, replace(said, now=NOW + 60))
    assert not is_true(NoticeKind.LINK_EXPIRY, replace(said, link_expires_at=NOW + 9e6))
    assert not is_true(NoticeKind.LINK_EXPIRY, replace(said, link_expires_at=None))


def test_the_question_about_a_late_run_holds_until_somebody_waits_on():
    of_run = run_facts(late(RUN))
    assert is_true(NoticeKind.JOB_WAITING, of_run)
    asked = run_waiting(of_run)
    assert keep_current_buttons(NoticeKind.JOB_WAITING, of_run, asked) == asked
    kept = replace(of_run, run=replace(late(RUN), deadline_at=NOW + 60))
    assert not is_true(NoticeKind.JOB_WAITING, kept)
    over = replace(of_run, run=replace(late(RUN), outcome=Outcome.ENDED))
    assert not is_true(NoticeKind.JOB_WAITING, over)
    assert not list(kit.iterate_buttons(keep_current_buttons(NoticeKind.JOB_WAITING, over, asked).blocks))
