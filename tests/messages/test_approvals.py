"""Tests that approval requests to administrators say who decided."""

import json
from dataclasses import replace

import pytest

from bot.domain.accounts import Approval
from bot.domain.notices import NoticeKind
from bot.domain.people import Named
from bot.messages.blocks.approvals import render_request
from tests.messages.card_facts import ALICE, NOW, least_facts
from tests.rigs.golden import check_golden

APPROVAL = Approval("approval_1", ALICE, "saturn", "alice", "requested", NOW - 60)
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
        # This person's Slack workspace has uninstalled Usher.
        "-:T1:U0AMIR": Named("", "Amir"),
    }
    given = least_facts(NoticeKind.APPROVAL_REQUEST, body=body, approval=STATES[name], people=people)
    drawn = render_request(given)
    check_golden(f"notices/approval-from-elsewhere-{name}", drawn)
    assert "<@" not in json.dumps(drawn.blocks)


@pytest.mark.parametrize("name", STATES)
def test_a_request_to_administrators_says_who_decided(name):
    body = {"approval": "approval_1", "username": "alice", "person": ALICE.key}
    people = {ALICE.key: Named("UALICE", "Alice"), "-:T1:U0AMIR": Named("U0AMIR", "Amir")}
    given = least_facts(NoticeKind.APPROVAL_REQUEST, body=body, approval=STATES[name], people=people)
    drawn = render_request(given)
    check_golden(f"notices/approval-{name}", drawn)
    assert ("button" in json.dumps(drawn.blocks)) is (name == "asked")
    # If somebody says that the account is theirs, the request is closed, unless they approve it anyway.
    if name in {"approved", "linked", "failed"}:
        approval = replace(STATES[name], answers={"-:T1:U0AMIR": True})
        given = least_facts(NoticeKind.APPROVAL_REQUEST, body=body, approval=approval, people=people)
        assert render_request(given) == drawn
