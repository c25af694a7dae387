"""Tests that each kind of message is rendered even if any of its rows is gone."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.domain.accepted_requests import AcceptedRequest
from bot.domain.accounts import Approval
from bot.domain.courses import ClassCard, Participant
from bot.domain.hours import HoursRule
from bot.domain.notices import Card, Mark, Notice, NoticeKind, NoticeState, end_of
from bot.domain.operations import Operation, OperationVerb
from bot.domain.runs import RunState
from bot.domain.stops import PlannedStop
from bot.domain.waitlist import WaitlistEntry
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.messages.blocks.notices import render_pending
from bot.services.message_context import Gatherer
from bot.slack.notifier.rendering import render_update
from bot.store import operations, timers
from bot.store.tables import (
    ACCEPTED_REQUESTS,
    APPROVALS,
    CLASS_CARDS,
    OPERATIONS,
    PARTICIPANTS,
    RULES,
    WAITLIST_ENTRIES,
)
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.context import context
from tests.rigs.providers import FakeProvider
from tests.rigs.store import ALICE, BOB, launched, linked, memory_store, within

DAY = 86_400.0
#: Operations: verb, outcome, cause, and the workspace's state meanwhile.
ENDS = [
    (OperationVerb.START, None, None, State.STARTING),
    (OperationVerb.START, Outcome.FULFILLED, None, State.RUNNING),
    (OperationVerb.START, Outcome.FAILED, "no_room: no GPU is free", State.STOPPED),
    (OperationVerb.START, Outcome.FAILED, "limit: you have two", State.STOPPED),
    (OperationVerb.START, Outcome.REFUSED, "forbidden", State.STOPPED),
    (OperationVerb.START, Outcome.CANCELLED, "unlinked", State.RUNNING),
    (OperationVerb.CREATE, Outcome.UNKNOWN, "unanswered", State.UNKNOWN),
    (OperationVerb.STOP, None, None, State.STOPPING),
    (OperationVerb.STOP, Outcome.FULFILLED, None, State.STOPPED),
    (OperationVerb.STOP, Outcome.FAILED, "provider_failed: it is locked", State.RUNNING),
    (OperationVerb.REMOVE, Outcome.FULFILLED, None, State.GONE),
    (OperationVerb.RESTART, Outcome.REPLACED, "sent", State.RUNNING),
    (OperationVerb.SUSPEND, Outcome.FULFILLED, None, State.SUSPENDED),
]
#: Kinds of messages whose subject is an approval.
OF_APPROVALS = (
    NoticeKind.APPROVAL_REQUEST,
    NoticeKind.ACCOUNT_QUESTION,
    NoticeKind.APPROVAL_ENDED,
)
BODIES: dict[NoticeKind, dict[str, Any]] = {
    NoticeKind.OUTAGE: {"what": "away"},
    NoticeKind.FAILED: {"room": "gpu", "waits": False, "cause": "", "waited": "gpu"},
    NoticeKind.LINKED: {"what": ""},
}


#: The content of a message that was already sent, with a button.
SAID = [kit.section("Said."), *kit.actions([kit.button("Stop", "stop", "x")])]
#: Requests whose answer has buttons, with the work items that they start.
ACTED = {
    "workspace.start": {"work_item_id": "operation"},
    "workspace.timer": {},
    "workspace.hours": {},
    "job.run": {"work_item_id": "run"},
}


@dataclass
class Rows:
    """The rows of a person who has one of everything, by the kind of subject that messages have."""

    subjects: dict[str, str]
    body: dict[str, Any]


async def write_rows(store, verb, outcome, cause, state):
    """Write one row of each kind from which messages are rendered."""
    row = await linked(store, ALICE, state=state, connection="cloud")
    await linked(store, BOB, connection="cloud", names=("other",))
    (workspace,), now = row.workspaces, await store.now()
    run = await launched(store, connection="cloud", shows=True, state=RunState.SUCCEEDED)
    operation = Operation(
        id="operation_1",
        principal=ALICE,
        workspace_id=workspace.id,
        connection="cloud",
        verb=verb,
        created_at=now - 60.0,
        deadline_at=now + 1800.0 if outcome is None else None,
        reference="K7QX-2MPA",
        start_call=Call.ACCEPTED if outcome is None else Call.NONE,
        outcome=outcome,
        cause=cause,
        ended_at=None if outcome is None else now,
    )
    card = ClassCard(ALICE, "C1", "cloud", "Statistics", pattern="note*", id="class_1", created_at=now)
    days = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
    course = replace(card, days=days, starts=540, stops=630, first_day="2026-01-01", last_day="2027-12-31")
    rule = HoursRule("rule_1", ALICE, "cloud", workspace.id, "UTC", now, days=days, starts=540, stops=1080)
    approval = Approval("approval_1", ALICE, "cloud", "alice", "requested", now, answers={BOB.key: None})
    wait = WaitlistEntry("wait_1", ALICE, "cloud", workspace.id, "gpu", 0, now, now + DAY)
    member = Participant("class_1", ALICE, now, workspace_id=workspace.id, operation_id=operation.id)

    acts = [
        AcceptedRequest(
            id=f"act_{number}",
            principal=ALICE,
            kind=action,
            done_at=now,
            name="notebook",
            **of,
        )
        for number, (action, of, done_at) in enumerate(
            (action, {"connection": "cloud", "subject": workspace.id, **more}, done_at)
            for action, more in ACTED.items()
            for done_at in (None, now)
        )
    ]

    def write(tx):
        for act in acts:
            work_item = {"operation": operation.id, "run": run.id}.get(act.work_item_id, "")
            ACCEPTED_REQUESTS.add(tx, replace(act, work_item_id=work_item))
        OPERATIONS.add(tx, operation)
        CLASS_CARDS.add(tx, course, next_check_at=now)
        PARTICIPANTS.add(tx, member)
        RULES.add(tx, rule, next_check_at=now)
        APPROVALS.add(tx, approval)
        WAITLIST_ENTRIES.add(tx, wait, next_at=now)
        timers.plan_stop(
            tx, workspace.id, PlannedStop(now + 600.0, "stop", because="class", source="class_1")
        )

    await within(store, write)
    subjects = {"operation": operation.id, "job": run.id, "class": "class_1", "approval": approval.id}
    body = {"workspace": workspace.id, "connection": "cloud", "card": "class_1", "course": "Statistics"}
    body |= {
        "person": ALICE.key,
        "owner": BOB.key,
        "username": "alice",
        "name": "notebook",
        "operation": operation.id,
    }
    body |= {
        "stop_at": now + 600.0,
        "ends": now + DAY,
        "until": now + DAY,
        "since": now - DAY,
        "evening": now + 60.0,
    }
    body |= {
        "begins": now + DAY,
        "is_withheld": False,
        "is_teacher": True,
        "cause": "restored",
        "kind": "gpu",
    }
    return Rows(subjects, body | {"text": "It is done.", "zone": "UTC", "former": "UTC", "times": 3})


def make_notice(kind, rows, now):
    """Return a message of a kind that refers to every row."""
    subject = rows.subjects.get(kind.subject, "subject_1")
    if kind in OF_APPROVALS:
        subject = rows.subjects["approval"]
    body = {name: value for name, value in (rows.body | BODIES.get(kind, {})).items() if value is not None}
    if kind.offers != "workspace" and kind.subject != "operation":
        # Only messages with buttons for a workspace refer to one.
        del body["workspace"]
    return Notice("notice_1", subject, kind, "end", ALICE, body, NoticeState.PENDING, 0, now, now)


def as_card(notice, **keys):
    """Return a message as a card that was already posted to Slack."""
    about, now = str(notice.body.get("workspace") or notice.subject), notice.created_at
    channel = ("DALICE", "1.0")
    rest = {"body": notice.body, "about": about, "created_at": now}
    return Card(notice.id, notice.subject, notice.kind, ALICE, *channel, True, now, now, **rest | keys)


async def draw_all(gatherer, rows, end):
    """Render every kind of message as new, and as an update of one whose text was kept or not."""
    now, said = await gatherer.store.now(), {"text": "Said.", "blocks": SAID}
    for kind in sorted(set(NoticeKind) - {NoticeKind.CARD_UPDATE}):
        if kind.subject == "operation" and Mark.END in kind.marks and kind is not end:
            continue
        notice = make_notice(kind, rows, now)
        answer = render_pending(kind, await gatherer.describe_notice(notice))
        assert answer is None or answer.text
        for card in (as_card(notice), as_card(notice, body=notice.body | said)):
            await render_update(gatherer, card)
    for number in range(2 * len(ACTED)):
        answer = make_notice(NoticeKind.MESSAGE, rows, now)
        body = {**said, "offers": f"act_{number}"}
        await render_update(gatherer, as_card(answer, body=body, about=rows.body["workspace"]))


TABLES = [
    "accounts", "workspaces", "operations", "runs", "class_cards", "participants", "rules", "approvals",
    "waitlist_entries", "people", "undoable_actions", "connections",
]  # fmt: skip


@pytest.mark.parametrize(
    "gone", ["", *TABLES, "workspaces operations", "all"], ids=lambda gone: gone or "nothing"
)
@pytest.mark.parametrize("end", ENDS, ids=lambda end: f"{end[0]}-{end[1] or 'open'}")
async def test_a_message_is_drawn_though_a_row_is_gone(gone, end):
    clock, ids = FakeClock(), CountingIds()
    async with memory_store(clock, ids) as store:
        connections = {"cloud": FakeProvider(clock)}
        gatherer = Gatherer(context(store, connections, clock, ids))
        rows = await write_rows(store, *end)
        operation = await store.read(operations.find_operation, rows.subjects["operation"])
        told = end_of(operation) if end[1] else None
        for table in TABLES if gone == "all" else gone.split():
            if table == "connections":
                connections.clear()
            else:
                await within(store, lambda tx, table=table: tx.run(f"DELETE FROM {table}"))
        assert not await draw_all(gatherer, rows, told)
