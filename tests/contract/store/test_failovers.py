"""After a failover, messages that may already have been sent are searched for before they are sent."""

import asyncio
from contextlib import nullcontext
from functools import partial

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice, NoticeError, NoticeKind
from bot.services import restored_backups
from bot.store import audit, counts, gates, maintenance, notices, open_store, operations
from bot.store.audit import append_audit
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import StoreUnavailable
from tests.rigs.postgres_standby import pair
from tests.rigs.store import ALICE, accept_operation, linked

pytestmark = pytest.mark.both_engines

NOTED = AuditEntry("a", "act", "x", "ok")
HERE, THERE = "7711/00000001", "7711/00000002"


async def served_by(store, server):
    await store.carry_out(partial(maintenance.compare, server=server))


def message(subject, kind=NoticeKind.MESSAGE):
    return NewNotice(subject, kind, "1", ALICE, {"text": "Hi."})


async def claimed(store):
    """Claim all messages. Map each subject to the time at which its message may have been sent, or None."""
    return {one.subject: one.unknown_since for one in await store.perform(notices.claim_notices, 100, 60.0)}


async def test_one_process_notes_it_once_and_nothing_is_claimed_until_it_has_settled(store, clock):
    account = await linked(store, names=["a", "b"])
    older = (await accept_operation(store, account.workspaces[0], interaction="1")).operation
    await store.write(audit.append_audit, [NOTED])
    await served_by(store, HERE)
    assert await store.read(maintenance.find_failover) is None
    lost_since = (await store.read(audit.read_audit))[-1]["at"]
    clock.advance(5)
    for _ in range(2):
        await served_by(store, THERE)
    assert await store.read(maintenance.find_failover) == {
        "lost_since": lost_since,
        "detected_at": clock.now(),
    }
    assert [one["action"] for one in await store.read(audit.read_audit)].count("store.failover") == 1
    assert (await store.perform(counts.measure_figures)).outages == {"#failover": 0.0}
    await store.write(notices.add_notices, [message("old"), message("reply", NoticeKind.REPLY)])
    clock.advance(maintenance.FAILOVER_CONFIRM_SECONDS - 1)
    assert await store.claim(operations.claim_operations, 10, 40.0) == []
    assert await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5) == []
    assert await claimed(store) == {"reply": None}
    clock.advance(2)
    assert [one.subject.id for one in await store.claim(operations.claim_operations, 10, 40.0)] == [older.id]
    assert len(await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)) == 1
    assert "old" in await claimed(store)


async def test_what_may_have_been_sent_before_is_looked_for_and_nothing_else(store, clock):
    workspaces = (await linked(store, names=["a", "b"])).workspaces
    older = (await accept_operation(store, workspaces[0], interaction="1")).operation
    await store.write(audit.append_audit, [NOTED])
    await served_by(store, HERE)
    lost_since = clock.now()
    await store.write(notices.add_notices, [message("waits")])
    clock.advance(3)
    await served_by(store, THERE)
    newer = (await accept_operation(store, workspaces[1], interaction="2")).operation
    clock.advance(maintenance.FAILOVER_CONFIRM_SECONDS + 1)
    # All of these are written after the failover. The message about the older operation may already have been
    # written and sent in the lost seconds.
    await store.write(notices.add_notices, [message(one.id, NoticeKind.READY) for one in (older, newer)])
    await store.write(
        notices.add_notices, [message("answer"), message(workspaces[0].id, NoticeKind.STOP_WARNING)]
    )
    # The message about the loss itself can't have been sent before, so it isn't searched for.
    await store.write(notices.add_notices, [message("loss", NoticeKind.WRITES_LOST)])
    found = {one.subject: one for one in await store.perform(notices.claim_notices, 100, 60.0)}
    since = {subject: one.unknown_since for subject, one in found.items() if one.kind is not NoticeKind.CARD}
    count_unconfirmed = dict.fromkeys(("waits", older.id, workspaces[0].id), lost_since)
    assert since == count_unconfirmed | {newer.id: None, "answer": None, "loss": None}
    # Once the search has found nothing, the message is sent, even if its workspace is read first.
    await store.write(notices.requeue_unsent_notices, list(found.values()))
    sent = await store.perform(notices.claim_notices, 100, 60.0)
    for one in sent:
        await store.write(
            notices.retry_notice, one, 0.0, error=NoticeError.TO_BE_READ, read_since=clock.now()
        )
    again = await claimed(store)
    assert {one.unknown_since for one in sent} | set(again.values()) == {None}
    assert len(again) == len(sent)


async def test_news_that_may_have_been_sent_is_not_put_together(store, clock):
    workspaces = (await linked(store, names=["a", "b", "c"])).workspaces
    starts = [(await accept_operation(store, one, interaction=one.id)).operation for one in workspaces]
    await served_by(store, HERE)
    await store.write(notices.add_notices, [message(one.id, NoticeKind.READY) for one in starts])
    clock.advance(1)
    await served_by(store, THERE)
    clock.advance(maintenance.FAILOVER_CONFIRM_SECONDS + 1)
    kinds = {one.kind for one in await store.perform(notices.claim_notices, 100, 60.0)}
    assert NoticeKind.READY in kinds
    assert NoticeKind.SUMMARY not in kinds


async def test_after_a_restored_backup_the_next_server_is_its_own(store, clock):
    await served_by(store, HERE)
    await restored_backups.pause_restored(store)
    await served_by(store, THERE)
    assert await store.read(maintenance.find_failover) is None


#: Delays the commit of a transaction that has written to this table, so that its primary goes down meanwhile.
SLOW = """
CREATE TABLE slow (id INTEGER);
CREATE FUNCTION sleeps() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(15); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION sleeps();
"""


def written(tx, audits, is_slow):
    if is_slow:
        tx.run("INSERT INTO slow VALUES (1)")
    if audits:
        append_audit(tx, [NOTED])
    maintenance.note_daily_work(tx, "work")


@pytest.mark.parametrize(
    ("is_lost", "audits", "error"),
    [(True, True, None), (True, False, StoreUnavailable), (False, True, None)],
    ids=["lost and run again", "nobody knows", "there"],
)
async def test_on_another_timeline_only_an_audit_row_tells_what_became_of_a_commit(is_lost, audits, error):
    with pair() as servers:
        store = await open_store(servers.url, SystemClock(), SystemIds())
        await store.begin_serving()
        servers.execute(SLOW)
        if is_lost:
            servers.freeze()
        else:
            # The standby has the commit but doesn't show it, so nobody confirms that it has arrived.
            servers.wait_for_standby()
            servers.stand_still()
        writing = asyncio.create_task(store.engine.write(partial(written, audits=audits, is_slow=is_lost)))
        await asyncio.to_thread(servers.wait_for_commit)
        await asyncio.to_thread(servers.fail_over)
        # Other transactions reuse the id of the lost one.
        servers.execute(";\n".join(["SELECT pg_current_xact_id()"] * 50))
        with nullcontext() if error is None else pytest.raises(error):
            await writing
        await store.write(maintenance.note_daily_work, "work")
        assert [row["action"] for row in await store.read(audit.read_audit)].count(NOTED.action) == audits
        assert await store.read(maintenance.find_failover) is not None
        await store.close()
