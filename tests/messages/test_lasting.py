"""Answers that can be edited: what is kept of them, and what they are drawn as later."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.domain.models import Answer, Approval, Named, NoticeKind, Run, RunState, Spec, State
from bot.messages.blocks import lists, offers, replies, run_lists
from bot.messages.blocks.approvals import asked
from bot.messages.blocks.lasting import lasting
from bot.messages.blocks.past import redraw
from bot.messages.blocks.welcome import help_button
from tests.messages.card_facts import ALICE, IDE_URL, NOW, OPERATION, WORKSPACE, facts
from tests.rigs.golden import check_golden

RUNNING = {"state": State.RUNNING}
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
    started_at=NOW - 800,
)


def alone(**workspace):
    return replace(facts(workspace=workspace, ide_url=IDE_URL), operation=None)


def status():
    return lists.status_answer(alone(**RUNNING), replace(WORKSPACE, **RUNNING))


def listing(page=1):
    rows = [alone(**RUNNING), replace(alone(), workspace=replace(WORKSPACE, id="workspace_2", name="report"))]
    return lists.workspace_list(rows, page=page, more=[help_button("workspace", is_short=True)])


def running():
    """Return a list of only those that run."""
    return lists.workspace_list([alone(**RUNNING)], only={"what": "running workspaces", "words": "running"})


def guess():
    return replies.hint("Did you mean one of these?", offers.command_buttons(["start notebook"]))


def choice():
    both = [WORKSPACE, replace(WORKSPACE, id="workspace_2")]
    return replies.hint("Which one?", replies.choices("start", both, ["a", "b"], lambda _one: {}))


OFFERS = {
    "status": (status(), "shown", "workspace_1", True, " workspace_1 "),
    "under way": (lists.card_answer(facts()), "shown", "workspace_1", True, " workspace_1 operation_1 "),
    "opening": (replies.opening(alone(**RUNNING), "Here."), "shown", "workspace_1", True, " workspace_1 "),
    "list": (listing(), "shown", "workspaces", False, " workspaces workspace_1 workspace_2 "),
    "run": (run_lists.run_status(RUN, facts()), "shown", "job_1", True, " job_1 "),
    "runs": (run_lists.run_list([(RUN, facts())]), "shown", "runs", False, " runs "),
    "guess": (guess(), "reply", "answers", False, " say "),
    "choice": (choice(), "reply", "answers", False, " workspace_1 workspace_2 "),
    "invitation": (
        replies.invitation("https://usher.example.test/link/n0nce", "T", code_comes=True),
        "reply",
        "linking",
        False,
        "  ",
    ),
}


@pytest.mark.parametrize("name", OFFERS)
def test_what_an_answer_offers_is_known_by_its_buttons_and_no_address_is_kept(name):
    answer, kind, about, is_one, names = OFFERS[name]
    offer = lasting(answer)
    assert {key: offer[key] for key in ("kind", "about", "is_one", "names")} == {
        "kind": kind,
        "about": about,
        "is_one": is_one,
        "names": names,
    }
    kept = json.dumps(offer)
    assert "https://" not in kept
    assert ("button" in kept) is (name == "list")


def test_what_offers_nothing_or_a_providers_page_only_is_not_kept():
    assert lasting(replies.answer("Done.")) is None
    assert lasting(replies.answer("Help.", [help_button("workspace")])) is None
    page = replies.answer("Look there.", lists.page_button(facts()))
    assert page.blocks[-1]["type"] == "actions"
    assert lasting(page) is None
    assert lasting(lists.workspace_list([alone()], shared_by="<@U1>")) is None


def again(answer: Answer, given, *, is_closing=False) -> Answer:
    offer = lasting(answer)
    given = replace(given, body=offer["kept"], written_at=NOW - 500)
    return redraw(offer["kind"], given, is_closing=is_closing)


DRAWN = {
    "status": (status(), alone()),
    "status-under-way": (status(), facts()),
    "status-forgotten": (status(), alone(hidden=True)),
    "list": (listing(page=9), replace(alone(), listed=(alone(), alone(**RUNNING)))),
    "list-empty": (listing(), replace(alone(), workspace=None)),
    "list-narrowed": (running(), replace(alone(), listed=(alone(**RUNNING),))),
    "run": (run_lists.run_status(RUN, facts()), replace(facts(), operation=None, workspace=None, run=RUN)),
    "runs": (
        run_lists.run_list([(RUN, facts())]),
        replace(facts(), listed=(replace(facts(), run=RUN),), operation=None, workspace=None),
    ),
    "guess": (guess(), alone()),
}


@pytest.mark.parametrize("name", DRAWN)
def test_an_answer_is_drawn_again_as_things_are_now(name):
    check_golden(f"past/answer-{name}", again(*DRAWN[name]))


@pytest.mark.parametrize("name", DRAWN)
def test_an_answer_that_is_closed_offers_nothing(name):
    answer = again(*DRAWN[name], is_closing=True)
    assert '"button"' not in json.dumps(answer.blocks)
    check_golden(f"past/answer-{name}-closed", answer)


def test_an_open_operation_is_shown_as_its_card_even_if_it_began_later():
    assert "Refresh" in json.dumps(again(status(), facts()).blocks)
    assert OPERATION.is_open


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
    given = replace(facts(), operation=None, workspace=None, body=body, approval=STATES[name], people=people)
    drawn = asked(given)
    check_golden(f"notices/approval-from-elsewhere-{name}", drawn)
    assert "<@" not in json.dumps(drawn.blocks)


@pytest.mark.parametrize("name", STATES)
def test_a_request_to_administrators_says_who_decided(name):
    body = {"approval": "approval_1", "username": "alice", "person": ALICE.key}
    people = {ALICE.key: Named("UALICE", "Alice"), "-:T1:U0AMIR": Named("U0AMIR", "Amir")}
    given = replace(facts(), operation=None, workspace=None, body=body, approval=STATES[name], people=people)
    drawn = asked(given)
    check_golden(f"notices/approval-{name}", drawn)
    assert ("button" in json.dumps(drawn.blocks)) is (name == "asked")
    assert redraw(NoticeKind.APPROVAL_ASKED, given, is_closing=name != "asked") == drawn
