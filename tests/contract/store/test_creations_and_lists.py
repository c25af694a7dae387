"""A list may bring what is just being made: in the end there is one row, and nobody's operation is lost."""

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import TaskKind
from bot.domain.workspaces import PROVISIONAL, Created, Observed, OperationVerb, Outcome, State, Workspace
from bot.store.tasks import NewTask
from bot.store.workspaces import FoundWorkspace
from tests.rigs.store import (
    ALICE,
    accept_creation,
    accept_operation,
    gate_key,
    hide_workspace,
    name_workspace,
    observe,
)

R1 = gate_key("posit", "r1")
LISTED = FoundWorkspace("r1", R1, "analysis", State.STARTING, "https://ide", "2 cores")
CREATED = Created("r1", "analysis")


@pytest.fixture
async def creating(store, account):
    key = gate_key("posit", "#new")
    workspace = Workspace("ws1", ALICE, "posit", f"{PROVISIONAL}ws1", key, "analysis", origin="discovered")
    return (await accept_creation(store, workspace, interaction="i1")).operation


async def listed(store, account):
    await store.merge_discovered(account.id, [LISTED])
    (row,) = [row for row in await store.workspaces(ALICE) if not row.is_provisional]
    return row


async def asked_for(store, row, verb, **more):
    return (await accept_operation(store, row, verb, **more)).operation


async def test_a_list_leaves_alone_what_is_not_made_yet(store, account, creating):
    await hide_workspace(store, "ws1")
    await store.merge_discovered(account.id, [])
    assert (await store.workspace("ws1")).state is State.UNKNOWN


async def test_the_listed_row_becomes_the_created_one(store, clock, account, creating):
    row = await listed(store, account)
    await name_workspace(store, row.id, "mine")
    clock.advance(3)
    made = await store.name_created(creating.id, CREATED, R1)
    assert (made.id, made.alias, made.state) == ("ws1", "mine", State.STARTING)
    assert (made.url, made.detail, made.observed_at) == (LISTED.url, LISTED.detail, row.observed_at)
    assert [one.id for one in await store.workspaces(ALICE, hidden=True)] == ["ws1"]
    assert await store.workspace(row.id) is None
    assert (await store.operation(creating.id)).is_open
    await observe(store, clock, made, Observed(State.RUNNING))
    assert (await store.workspace("ws1")).state is State.RUNNING


async def test_a_listed_row_that_was_forgotten_hides_nothing(store, account, creating):
    row = await listed(store, account)
    await hide_workspace(store, row.id)
    assert not (await store.name_created(creating.id, CREATED, R1)).hidden


async def test_a_start_gives_way_to_the_creation(store, clock, account, creating):
    row = await listed(store, account)
    clock.advance(1)
    start = await asked_for(store, row, OperationVerb.START)
    await store.name_created(creating.id, CREATED, R1)
    assert (await store.operation(creating.id)).is_open
    ended = await store.operation(start.id)
    assert (ended.outcome, ended.workspace_id) == (Outcome.REPLACED, "ws1")


async def test_a_younger_stop_replaces_the_creation(store, clock, account, creating):
    row = await listed(store, account)
    clock.advance(1)
    stop = await asked_for(store, row, OperationVerb.STOP)
    await store.name_created(creating.id, CREATED, R1)
    assert (await store.operation(creating.id)).outcome is Outcome.REPLACED
    moved = await store.latest_operation("ws1")
    assert (moved.id, moved.is_open) == (stop.id, True)
    assert [step.workspace.id for step in await store.claim_operations(10, 60.0)] == ["ws1"]


async def test_notices_and_cards_of_the_listed_row_come_along(store, clock, account, creating):
    row = await listed(store, account)
    clock.advance(1)
    body = {"workspace": row.id, "connection": "posit"}
    card = NewNotice("", NoticeKind.CARD, "1", ALICE, body)
    stop = await asked_for(store, row, OperationVerb.STOP, notices=[card])
    await store.name_created(creating.id, CREATED, R1)
    (notice,) = await store.claim_notices(10, 60.0)
    assert (notice.subject, notice.body) == (stop.id, {**body, "workspace": "ws1"})
    await store.notice_sent(notice.id, "D1", "1.1")
    owed = await store.claim_cards(10, 15.0, 60.0)
    assert [card.id for card in owed] == [stop.id]


async def test_a_list_from_before_the_creation_does_not_end_it(store, clock, account, creating):
    await store.add_tasks([NewTask(TaskKind.DISCOVER, account.id)])
    await store.claim_tasks(10, 60.0)
    clock.advance(2)
    await store.name_created(creating.id, CREATED, R1)
    await asked_for(store, await store.workspace("ws1"), OperationVerb.STOP)
    await store.merge_discovered(account.id, [])
    assert (await store.workspace("ws1")).state is not State.GONE


async def test_a_later_list_knows_the_created_row(store, clock, account, creating):
    await store.name_created(creating.id, CREATED, R1)
    clock.advance(2)
    assert await store.merge_discovered(account.id, [LISTED]) == 0
    assert (await store.workspace("ws1")).state is State.STARTING
