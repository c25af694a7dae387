"""The live message about a workspace: whatever it says, it offers what can be done now."""

import json
from dataclasses import replace

import pytest

from bot.domain.accounts import Approval
from bot.domain.errands import Outcome
from bot.domain.notices import NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.people import Named
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.messages.blocks.notices import redraw
from bot.messages.blocks.replies import asked
from tests.messages.card_facts import ALICE, CALLED, IDE_URL, NOW, facts, least_facts
from tests.rigs.golden import check_golden

ENDED = CALLED | {"outcome": Outcome.FULFILLED, "ended_at": NOW - 600}
FAILED = ENDED | {"outcome": Outcome.FAILED, "cause": "gave_up"}
UP = {"state": State.RUNNING, "verified_at": NOW}


def labels(answer):
    return [one["text"]["text"] for one in kit.buttons_of(answer.blocks)]


ABOUT = {
    NoticeKind.CARD: ENDED,
    NoticeKind.READY: ENDED,
    NoticeKind.FAILED: FAILED | {"verb": OperationVerb.STOP},
    NoticeKind.REFUSED: FAILED | {"outcome": Outcome.REFUSED},
    NoticeKind.STOPPED: ENDED | {"verb": OperationVerb.STOP},
    NoticeKind.SUSPENDED: ENDED | {"verb": OperationVerb.SUSPEND},
    NoticeKind.WAITING: CALLED | {"verb": OperationVerb.STOP, "deadline_at": None, "hold": "Slow."},
    NoticeKind.STOPPED_ELSEWHERE: None,
    NoticeKind.ENDING: None,
    NoticeKind.TIMER_ENDING: None,
    NoticeKind.TIMER_FAILED: None,
}


@pytest.mark.parametrize("kind", ABOUT)
def test_whatever_is_live_about_a_running_workspace_offers_to_open_it(kind):
    given = facts(operation=ABOUT[kind] or {}, workspace=UP, ide_url=IDE_URL, written_at=NOW - 5)
    given = given if ABOUT[kind] else replace(given, operation=None)
    drawn = redraw(kind, given, is_closing=False)
    assert labels(drawn).count("Open") == 1
    styles = [one.get("style") for one in kit.buttons_of(drawn.blocks)]
    assert styles.count("primary") == 1
    assert "Open" not in labels(redraw(kind, given, is_closing=True))


def test_what_is_being_stopped_is_not_offered_to_be_opened():
    given = facts(operation=CALLED | {"verb": OperationVerb.STOP}, workspace=UP, ide_url=IDE_URL)
    assert "Open" not in labels(redraw(NoticeKind.CARD, given, is_closing=False))


@pytest.mark.parametrize("kind", [NoticeKind.READY, NoticeKind.STOPPED_ELSEWHERE, NoticeKind.TIMER_ENDING])
def test_what_is_live_about_a_workspace_that_went_down_offers_to_start_it(kind):
    given = facts(operation=ENDED, workspace={"state": State.STOPPED}, written_at=NOW - 5)
    given = given if kind is NoticeKind.READY else replace(given, operation=None)
    assert "Start" in labels(redraw(kind, given, is_closing=False))


APPROVAL = Approval("approval_1", ALICE, "saturn", "alice", "asked", NOW - 60)
STATES = {
    "asked": APPROVAL,
    "approved": replace(APPROVAL, state="approved", decided_by="-:T1:U0AMIR"),
    "linked": replace(APPROVAL, state="linked", decided_by="-:T1:U0AMIR"),
    "failed": replace(APPROVAL, state="failed", decided_by="-:T1:U0AMIR"),
    "denied": replace(APPROVAL, state="denied", decided_by="-:T1:U0AMIR"),
    "withdrawn": None,
}


@pytest.mark.parametrize("name", ["asked", "approved", "withdrawn"])
def test_a_request_from_another_slack_workspace_mentions_nobody(name):
    body = {"approval": "approval_1", "username": "alice", "person": ALICE.key}
    people = {
        ALICE.key: Named("", "Alice", "Beta Labs"),
        # Usher isn't installed there any more.
        "-:T1:U0AMIR": Named("", "Amir"),
    }
    given = least_facts(NoticeKind.APPROVAL_ASKED, body=body, approval=STATES[name], people=people)
    drawn = asked(given)
    check_golden(f"notices/approval-from-elsewhere-{name}", drawn)
    assert "<@" not in json.dumps(drawn.blocks)


@pytest.mark.parametrize("name", STATES)
def test_a_request_to_administrators_says_who_decided(name):
    body = {"approval": "approval_1", "username": "alice", "person": ALICE.key}
    people = {ALICE.key: Named("UALICE", "Alice"), "-:T1:U0AMIR": Named("U0AMIR", "Amir")}
    given = least_facts(NoticeKind.APPROVAL_ASKED, body=body, approval=STATES[name], people=people)
    drawn = asked(given)
    check_golden(f"notices/approval-{name}", drawn)
    assert ("button" in json.dumps(drawn.blocks)) is (name == "asked")
    assert redraw(NoticeKind.APPROVAL_ASKED, given, is_closing=name != "asked") == drawn
