"""Corrections of news that turned out wrong: each person who got the news gets one."""

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import corrections, notices, operations
from bot.store.tables import NOTICES, WORKSPACES
from tests.contract.store.creations import asked
from tests.rigs.store import ALICE, accept_operation, linked, observe, within


async def was_told(store, subject, kind, occasion="1"):
    """Store a message to ALICE as sent."""

    def sent(tx):
        notices.add_notices(tx, [NewNotice(subject, kind, occasion, ALICE, {})])
        NOTICES.change(
            tx, {"subject": subject, "kind": kind}, state="sent", message_ts="1.0", sent_at=tx.now()
        )

    await within(store, sent)


async def corrected(store, workspace):
    found = await within(store, lambda tx: NOTICES.rows(tx, subject=workspace.id, kind=NoticeKind.TURNED_OUT))
    return len(found)


@pytest.mark.both_engines
async def test_what_was_told_as_gone_and_runs_is_told_once(store):
    (workspace,) = (await linked(store)).workspaces
    await within(
        store, lambda tx: WORKSPACES.change(tx, {"id": workspace.id}, state="gone", gone_at=tx.now())
    )
    row = await within(store, lambda tx: WORKSPACES.row(tx, id=workspace.id))
    seen = row, State.RUNNING, 1.0
    assert not await within(store, corrections.note_contradiction, *seen)
    await was_told(store, workspace.id, NoticeKind.HOURS_PAUSED, "gone:1")
    for _ in range(2):
        assert await within(store, corrections.note_contradiction, *seen)
    assert await corrected(store, workspace) == 1


@pytest.mark.both_engines
async def test_what_was_told_to_have_failed_and_was_made_is_told_once(store, clock):
    creation = (await asked(store)).operation
    await store.write(
        operations.save_step, Update(creation.id, 0.0, outcome=Outcome.UNKNOWN, cause="unknown")
    )
    (made,) = (await linked(store, connection="posit", names=("analysis",))).workspaces
    late = ALICE.key, "posit", clock.now()
    await within(store, corrections.note_late_creations, *late)
    assert await corrected(store, made) == 0
    await was_told(store, creation.id, NoticeKind.FAILED)
    for _ in range(2):
        await within(store, corrections.note_late_creations, *late)
    assert await corrected(store, made) == 1


@pytest.mark.both_engines
@pytest.mark.parametrize(("left", "expired"), [(30.0, "stops"), (300.0, None)])
async def test_a_stop_soon_after_ready_names_the_end_that_its_provider_announced(store, clock, left, expired):
    (workspace,) = (await linked(store)).workspaces
    start = (await accept_operation(store, workspace, OperationVerb.START)).operation
    await store.write(operations.save_step, Update(start.id, 0.0, outcome=Outcome.FULFILLED))
    await was_told(store, start.id, NoticeKind.READY)
    announced = Observed(State.RUNNING, expires_at=clock.now() + left, expiry_mode="stops")
    await observe(store, clock, workspace, announced)
    await observe(store, clock, workspace, Observed(State.STOPPED))
    (told,) = await within(
        store, lambda tx: NOTICES.all(tx, subject=workspace.id, kind=NoticeKind.TURNED_OUT)
    )
    assert told.body.get("expired") == expired
