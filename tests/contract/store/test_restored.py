"""A restored backup: nothing that was planned in it is done before its owner has been asked once."""

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.causes import StaleReason, make_stale_cause
from bot.domain.hours import HoursRule
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.steps import Update
from bot.domain.stops import PlannedStop
from bot.domain.time_parsing import WEEKEND
from bot.domain.work_items import Call, Outcome
from bot.services import restored_backups
from bot.store import audit, maintenance, operations, runs, timers
from bot.store import courses as courses_store
from bot.store import hours as hours_store
from bot.store import notices as notice_rows
from bot.support.errors import StoreOutdated
from tests.contract.store.classes import CARD, posted
from tests.rigs.store import ALICE, accept_operation, launched, linked, set_timer, within

pytestmark = pytest.mark.both_engines

AMIR = Principal(None, "T1", "UAMIR")
DAY = 86_400.0


async def restore(store, *administrators):
    return (await restored_backups.pause_restored(store, administrators))[:2]


async def asked(store):
    """Return the kinds of the pending messages, and their recipients."""
    notices = await store.perform(notice_rows.claim_notices, 100, 600.0)
    return sorted((one.kind, one.principal.user_id) for one in notices if "card" not in one.kind)


@pytest.fixture
async def workspaces(store):
    return (await linked(store, names=["a", "b", "c", "d"])).workspaces


async def test_what_is_open_or_planned_is_asked_about_once_and_done_no_more(store, clock, workspaces):
    starting, stopping, timed, ruled = workspaces
    start = (await accept_operation(store, starting, interaction="1", deadline_seconds=DAY)).operation
    stop = (await accept_operation(store, stopping, OperationVerb.STOP, interaction="2")).operation
    await store.write(operations.save_step, Update(stop.id, 60.0, stop_call=Call.UNKNOWN, called=True))
    await set_timer(store, timed, PlannedStop(clock.now() + 60, "stop"))
    when = {"days": WEEKEND, "starts": None, "stops": 18 * 60, "processed_until": clock.now()}
    rule = HoursRule("rule", ALICE, "saturn", ruled.id, zone="UTC", **when)
    await store.carry_out(lambda tx: hours_store.save_rule(tx, rule))
    waiting = await launched(store, ALICE, "saturn", deadline_seconds=DAY)
    going = await launched(store, ALICE, "saturn", remote_id="r1")
    await posted(store, stops_at=clock.now() + DAY)
    await store.save_people([Person(AMIR, "Amir", seen_at=clock.now())])
    clock.advance(14 * DAY)
    backup_at, held = await restore(store, "UAMIR", "T2:UAMIR", "UNOBODY")
    assert held == {"requests": 2, "runs": 1, "stops": 1, "hours": 1, "classes": 1}
    assert backup_at == clock.now() - 14 * DAY
    assert await store.read(operations.open_operations, ALICE) == []
    assert await within(store, timers.claim_timers, 10, 60.0) == []
    assert await within(store, hours_store.claim_hours, 10, 60.0) == []
    ended = {one: await store.read(operations.find_operation, one) for one in (start.id, stop.id)}
    assert [one.outcome for one in ended.values()] == [Outcome.FAILED, Outcome.UNKNOWN]
    assert all(one.cause == make_stale_cause(StaleReason.RESTORED, backup_at) for one in ended.values())
    assert [(await store.read(runs.find_run, one.id)).is_open for one in (waiting, going)] == [False, True]
    assert (await store.read(courses_store.find_card, CARD)).stops_at is None
    kinds = NoticeKind.FAILED, NoticeKind.JOB_FAILED, NoticeKind.PLANNED_STOP_FAILED, NoticeKind.HOURS_PAUSED
    told = [(kind, ALICE.user_id) for kind in (kinds[0], *kinds)] + [(NoticeKind.OUTAGE, "UAMIR")]
    assert await asked(store) == sorted(told)
    (entry,) = [row for row in await store.read(audit.read_audit) if row["action"] == "store.restored"]
    assert '"stops": 1' in entry["detail"] or '"stops":1' in entry["detail"]
    clock.advance(60)
    _, again = await restore(store, "UAMIR")
    assert not any(again.values())
    assert await asked(store) == [(NoticeKind.OUTAGE, "UAMIR")]


async def test_what_a_backup_still_has_to_send_is_looked_for_first(store, clock):
    made_at = clock.now()
    await store.write(audit.append_audit, [AuditEntry("a", "act", "x", "ok")])
    await store.write(
        notice_rows.add_notices, [NewNotice("s", NoticeKind.MESSAGE, "1", ALICE, {"text": "Hi."})]
    )
    clock.advance(DAY)
    await restore(store)
    (notice,) = await store.perform(notice_rows.claim_notices, 10, 60.0)
    assert (notice.kind, notice.unknown_since) == (NoticeKind.MESSAGE, made_at)


@pytest.mark.parametrize("left", ["moved", "copied"])
async def test_retired_database_serves_only_after_a_restore(database, store, clock, left):
    await store.write(audit.append_audit, [AuditEntry("a", "act", "x", "ok")])
    clock.advance(DAY)
    await store.write(maintenance.mark, left)
    clock.advance(DAY)
    await store.close()
    again = await database.open()
    with pytest.raises(StoreOutdated):
        await again.begin_serving()
    backup_at, _ = await restore(again)
    assert backup_at == clock.now() - (DAY if left == "copied" else 2 * DAY)
    assert await again.read(maintenance.explain_outdated) == ""
    await again.begin_serving()
