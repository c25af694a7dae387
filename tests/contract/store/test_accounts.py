"""Accounts: unlinking them, refused secrets, and reminders that links expire. Also, browser sessions."""

from dataclasses import replace
from functools import partial

import pytest

from bot.domain.accounts import Link
from bot.domain.browsers import BrowserSession
from bot.domain.holds import hold_by_cause
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.steps import Update
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Call, Outcome
from bot.services import accounts
from bot.store import accounts as rows
from bot.store import (
    audit,
    browsers,
    cards,
    counts,
    credentials,
    gates,
    links,
    notices,
    operations,
    outages,
    refusals,
    revocations,
    tasks,
    workspaces,
)
from bot.store.tables import ACCOUNTS
from bot.store.tasks import NewTask
from tests.rigs.store import (
    ALICE,
    BOB,
    INTERVAL,
    MARGIN,
    accept_operation,
    begin_session,
    browser_session,
    hold,
    link_account,
    linked,
    put_link,
    refuse,
    unlink,
    want_read,
    within,
)


async def start(store, workspace, interaction=""):
    return (await accept_operation(store, workspace, interaction=interaction)).operation


@pytest.mark.both_engines
async def test_unlinking_where_it_can_be_revoked(store, clock):
    mine = await linked(store, names=["one", "two"])
    operation = await start(store, mine.workspaces[0])
    clock.advance(5)
    ended = await unlink(store, ALICE, "saturn", revocable=["saturn"], says=True)
    assert [(one.id, one.state, one.secret) for one in ended] == [
        (mine.account.id, "active", "sealed-ualice")
    ]
    row = await store.read(rows.find_account_by_id, mine.account.id)
    assert (row.state, row.secret, row.unlinked_at) == ("revoking", "sealed-ualice", clock.now())
    assert await store.read(rows.list_accounts, ALICE) == []
    assert await store.read(rows.list_account_states, ALICE) == {}
    assert await store.perform(rows.list_active_accounts) == []
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert (task.kind, task.subject) == (TaskKind.REVOKE_CREDENTIAL, mine.account.id)
    assert task.payload == {"tell": True}
    assert await store.read(revocations.list_pending_revocations) == [row]
    assert (await store.perform(counts.count_rows))["owed_revocations"] == 1
    ended_operation = await store.read(operations.find_operation, operation.id)
    assert (ended_operation.outcome, ended_operation.cause, ended_operation.ended_at) == (
        Outcome.CANCELLED,
        "unlinked",
        clock.now(),
    )
    assert (await store.read(cards.find_card, operation.id)).changed_at == clock.now()
    assert await store.perform(workspaces.read_workspaces, ALICE, hidden=True) == []
    assert await store.claim(operations.claim_operations, 10, 60.0) == []
    assert await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5) == []
    (notice,) = await store.perform(notices.claim_notices, 10, 60.0)
    assert (notice.kind, notice.principal) == (NoticeKind.UNLINKED, ALICE)
    assert notice.body == {
        "connection": "saturn",
        "username": "ualice",
        "cause": "person",
        "left": "owed",
        "running": [],
        "hours": [],
        "waits": [],
        "stops": [],
        "starts": ["one"],
        "runs": [],
        "courses": [],
    }
    (row,) = await store.read(audit.read_audit)
    assert (row["actor"], row["action"], row["result"]) == ("test", "account.unlinked", "ok")


@pytest.mark.both_engines
async def test_unlinking_where_it_cannot_be_revoked_deletes_at_once(store):
    mine = await linked(store)
    assert len(await unlink(store, ALICE, "saturn", revocable=["hub"])) == 1
    assert await store.read(rows.find_account_by_id, mine.account.id) is None
    assert await store.claim(tasks.claim_tasks, 10, 60.0) == []


async def test_who_ended_whose_link_and_why_is_in_the_audit(store):
    account = await link_account(store)
    await unlink(store)
    (entry,) = [one for one in await store.read(audit.read_audit) if one["action"] == "account.unlinked"]
    assert (entry["actor"], entry["target"]) == ("test", f"{ALICE.key}/{account.connection}")
    assert '"cause":"person"' in entry["detail"]


async def test_unlinking_ends_one_connection_or_all_of_one_person_only(store):
    for principal in (ALICE, BOB):
        for connection in ("saturn", "hub"):
            await linked(store, principal, connection=connection)
    ended = await unlink(store, ALICE, "hub", revocable=["hub"])
    assert [one.connection for one in ended] == ["hub"]
    assert {row.connection for row in await store.perform(workspaces.read_workspaces, ALICE)} == {"saturn"}
    ended = await unlink(store, ALICE, revocable=["hub"])
    assert [one.connection for one in ended] == ["saturn"]
    assert {row.connection for row in await store.perform(workspaces.read_workspaces, BOB)} == {
        "saturn",
        "hub",
    }
    assert len(await store.read(rows.list_accounts, BOB)) == 2


async def test_an_unlink_ends_unfinished_links_and_discoveries(store, clock):
    mine = await linked(store)
    await put_link(
        store, Link("n", ALICE, "saturn", None, clock.now(), clock.now() + 600, "checked", secret="sealed")
    )
    await store.write(
        tasks.add_tasks, [NewTask(kind, mine.account.id) for kind in (TaskKind.DISCOVER, TaskKind.LIST_RUNS)]
    )
    await unlink(store, ALICE, "saturn")
    link = await store.read(links.find_link, "n")
    assert (link.secret, link.expires_at) == (None, clock.now())
    assert await store.claim(tasks.claim_tasks, 10, 60.0) == []


async def test_a_refusal_is_told_once_and_ends_the_secret(store, clock):
    mine = await linked(store)
    operation = await start(store, mine.workspaces[0])
    told = partial(accounts.refuse_account, account=mine.account, cause="credential_refused")
    results = [await store.carry_out(told) for _ in range(3)]
    assert results == [True, False, False]
    row = await store.read(rows.find_account, ALICE, "saturn")
    assert (row.state, row.secret) == ("refused", "")
    assert len(await store.perform(notices.claim_notices, 10, 60.0)) == 1
    assert len(await store.read(audit.read_audit)) == 1
    held = await store.read(operations.find_operation, operation.id)
    assert (held.is_open, held.block_reason) == (True, hold_by_cause("credential_refused"))
    assert (await store.read(cards.find_card, operation.id)).is_dirty
    await want_read(store, mine.workspaces[0].id)
    assert await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5) == []
    assert await store.perform(rows.list_active_accounts) == []
    assert await store.read(rows.list_accounts, ALICE) == [row]
    assert await store.read(rows.list_account_states, ALICE) == {"saturn": "refused"}


async def test_a_refusal_of_an_older_secret_changes_nothing(store):
    mine = await linked(store)
    assert await store.write(credentials.save_secret, mine.account.id, mine.account.secret, "fresh")
    assert not await refuse(store, mine.account)
    assert (await store.read(rows.find_account, ALICE, "saturn")).state == "active"
    assert await store.perform(notices.claim_notices, 10, 60.0) == []


async def test_the_first_of_two_refreshes_counts(store):
    account = await link_account(store)
    assert await store.write(credentials.save_secret, account.id, account.secret, "first")
    assert not await store.write(credentials.save_secret, account.id, account.secret, "second")
    assert (await store.read(rows.find_account_by_id, account.id)).secret == "first"


async def test_unlinking_a_refused_account_leaves_nothing_to_revoke(store):
    account = await link_account(store)
    await refuse(store, account)
    ended = await unlink(store, ALICE, "saturn", revocable=["saturn"])
    assert [one.state for one in ended] == ["refused"]
    assert await store.read(rows.find_account_by_id, account.id) is None


# -- refused credentials: retried now and then; once one is accepted, all work goes on -----------------------


async def are_several(store, since, connection="saturn"):
    return await store.engine.read(lambda tx: refusals.are_several(tx, connection, since))


async def test_a_refusal_is_written_with_its_beginning_and_for_the_secret_that_was_refused(store, clock):
    account = await link_account(store)
    assert await hold(store, replace(account, secret="former")) is None
    began = clock.now()
    assert (await hold(store, account)).refused_since == began
    clock.advance(10)
    held = await hold(store, account, "alicia")
    assert (held.state, held.secret, held.renamed_to) == ("active", account.secret, "alicia")
    assert (held.refused_since, held.checked_at) == (began, clock.now())
    assert await store.read(refusals.list_refused_accounts) == [held]
    assert (await hold(store, account)).renamed_to is None
    ended = (await unlink(store, ALICE, "saturn", revocable=["saturn"]))[0]
    assert await hold(store, ended) is None


@pytest.mark.both_engines
async def test_one_of_those_that_wait_gets_the_next_try(store, clock):
    held = await hold(store, await link_account(store))
    clock.advance(30)
    assert [await store.write(refusals.try_refused, held) for _ in range(2)] == [True, False]
    tried = await store.read(rows.find_account_by_id, held.id)
    assert tried.compute_retry_delay(clock.now()) == 30.0
    # The person asks for something, so the next call may try the credential, but still only one call at a
    # time.
    await store.carry_out(lambda tx: refusals.try_at_once(tx, tried))
    asked = await store.read(rows.find_account_by_id, held.id)
    assert asked.compute_retry_delay(clock.now()) == 0.0
    assert [await store.write(refusals.try_refused, asked) for _ in range(2)] == [True, False]


@pytest.mark.both_engines
async def test_what_waited_goes_on_at_once(store, clock):
    mine = await linked(store)
    account = await hold(store, mine.account)
    operation = await start(store, mine.workspaces[0])
    (step,) = await store.claim(operations.claim_operations, 10, 40.0)
    await store.write(
        operations.save_step,
        Update(operation.id, 500.0, block_reason="refused", start_call=Call.NONE, claim=step.claim),
    )
    await store.write(tasks.add_tasks, [NewTask(TaskKind.SNAPSHOT, f"{account.id}/templates", due_in=500.0)])
    clock.advance(INTERVAL + MARGIN)
    assert not await store.write(refusals.note_accepted, replace(account, secret="former"))
    assert await store.write(refusals.note_accepted, account)
    row = await store.engine.read(lambda tx: ACCOUNTS.row(tx, id=account.id))
    assert row["refused_since"] is None
    assert await store.read(refusals.list_refused_accounts) == []
    (step,) = await store.claim(operations.claim_operations, 10, 40.0)
    assert (step.subject.id, step.subject.block_reason) == (operation.id, None)
    assert len(await store.claim(tasks.claim_tasks, 10, 40.0)) == 1
    assert len(await store.claim(gates.claim_reads, "saturn", 10, INTERVAL, MARGIN)) == 1


async def test_a_fresh_secret_is_refused_by_nobody_and_the_same_under_another_key_still_is(store):
    account = await hold(store, await link_account(store))
    assert await store.write(credentials.save_secret, account.id, account.secret, "sealed again")
    assert [one.id for one in await store.read(refusals.list_refused_accounts)] == [account.id]
    assert await store.write(credentials.save_secret, account.id, "sealed again", "fresh", is_fresh=True)
    assert await store.read(refusals.list_refused_accounts) == []


@pytest.mark.both_engines
async def test_several_are_two_of_a_connection_who_were_first_refused_since_then(store, clock):
    mine, theirs = [await link_account(store, who) for who in (ALICE, BOB)]
    elsewhere = await link_account(store, BOB, "hub")
    began = clock.now()
    for account in (mine, elsewhere):
        await hold(store, account)
    assert not await are_several(store, began)
    clock.advance(10)
    for account in (mine, theirs):
        await hold(store, account)
    assert await are_several(store, began)
    assert not await are_several(store, began + 1)
    # A renamed or expired account has a reason of its own for being refused.
    await hold(store, theirs, "bobby")
    assert not await are_several(store, began)
    await hold(store, theirs)
    await store.carry_out(lambda tx: ACCOUNTS.change(tx, {"id": mine.id}, expires_at=clock.now()))
    assert not await are_several(store, began)
    # While the outage lasts, every refusal is put down to it, whenever it happens.
    await store.write(outages.begin_outage, "saturn#people", began)
    assert await are_several(store, clock.now() + 1)
    assert not await are_several(store, clock.now() + 1, "hub")


@pytest.mark.both_engines
async def test_after_an_outage_everybody_whom_the_connection_refused_is_tried_at_once(store, clock):
    pairs = ((ALICE, "saturn"), (BOB, "hub"))
    held = [await hold(store, await link_account(store, *pair)) for pair in pairs]
    await store.write(outages.begin_outage, "saturn#people", clock.now())
    await store.write(refusals.end_outage, "saturn#people")
    found = [await store.read(rows.find_account_by_id, one.id) for one in held]
    assert [one.compute_retry_delay(clock.now()) for one in found] == [0.0, 30.0]


# -- reminders of credentials that expire --------------------------------------------------------------------


DAY = 86_400.0


def notice(account, occasion="week"):
    return NewNotice(account.id, NoticeKind.LINK_EXPIRY, occasion, ALICE, {"connection": "saturn"})


async def claim_reminders(store):
    return ACCOUNTS.parse_all(await within(store, rows.REMINDER_QUEUE.take, 60.0, 10))


async def test_each_is_due_in_its_time_and_written_once(store, clock):
    end = clock.now() + 30 * DAY
    account = await link_account(store, expires_at=end)
    await link_account(store, BOB)
    clock.advance(23 * DAY - 1)
    assert await claim_reminders(store) == []
    clock.advance(1)
    (due,) = await claim_reminders(store)
    assert (due.id, due.expires_at) == (account.id, end)
    assert await within(store, rows.schedule_reminder, due, end - DAY)
    assert not await within(store, rows.schedule_reminder, due, end - DAY)
    assert await claim_reminders(store) == []
    clock.advance(6 * DAY)
    (due,) = await claim_reminders(store)
    assert await within(store, rows.schedule_reminder, due, None)
    clock.advance(30 * DAY)
    assert await claim_reminders(store) == []


@pytest.mark.both_engines
async def test_a_fresh_secret_has_an_end_of_its_own_and_a_sealed_again_one_keeps_it(store, clock):
    account = await link_account(store, expires_at=clock.now() + 8 * DAY)
    assert await store.write(credentials.save_secret, account.id, account.secret, "sealed again")
    assert (await store.read(rows.find_account, ALICE, "saturn")).remind_at == clock.now() + DAY
    fresh_end = clock.now() + 90 * DAY
    assert await store.write(
        credentials.save_secret, account.id, "sealed again", "fresh", is_fresh=True, expires_at=fresh_end
    )
    held = await store.read(rows.find_account, ALICE, "saturn")
    assert (held.expires_at, held.remind_at) == (fresh_end, fresh_end - 7 * DAY)
    assert await store.write(credentials.save_secret, account.id, "fresh", "for ever", is_fresh=True)
    held = await store.read(rows.find_account, ALICE, "saturn")
    assert (held.expires_at, held.remind_at) == (None, None)


@pytest.mark.both_engines
async def test_a_link_that_is_gone_or_another_is_reminded_of_no_more(store, clock):
    await link_account(store, expires_at=clock.now() + 8 * DAY)
    clock.advance(DAY)
    (due,) = await claim_reminders(store)
    await link_account(store, expires_at=clock.now() + 90 * DAY)
    assert await claim_reminders(store) == []
    assert not await within(store, rows.schedule_reminder, due, None)
    assert await store.perform(notices.claim_notices, 10, 60.0) == []


# -- signed-in browsers --------------------------------------------------------------------------------------


HOUR = 3600.0


async def begun(store, principal=ALICE, id_hash="h1", lasts=12 * HOUR):
    now = await store.now()
    session = BrowserSession(id_hash, principal, now, now, now + lasts)
    await begin_session(store, session)
    return session


async def test_it_ends_when_its_time_is_over_however_much_it_is_used(store, clock):
    await begun(store, lasts=3 * HOUR)
    for _ in range(5):
        clock.advance(HOUR / 2)
        assert await browser_session(store, "h1", HOUR) is not None
        await store.write(browsers.keep_browser_session, "h1")
    clock.advance(HOUR / 2)
    assert await browser_session(store, "h1", HOUR) is None
    assert await store.read(browsers.find_page_rows, "h1", HOUR, "any") is None


async def test_it_ends_when_it_is_not_used(store, clock):
    await begun(store)
    clock.advance(HOUR - 1)
    assert await browser_session(store, "h1", HOUR) is not None
    clock.advance(1)
    assert await browser_session(store, "h1", HOUR) is None
    assert await store.read(browsers.find_page_rows, "h1", HOUR, "any") is None


@pytest.mark.parametrize("connection", ["saturn", None])
@pytest.mark.parametrize("has_account", [True, False])
async def test_an_unlink_ends_all_of_its_person(store, connection, has_account):
    if has_account:
        await linked(store, ALICE)
    # A sign-in may name an enterprise that the account doesn't have, and vice versa.
    await begun(store, Principal("E1", ALICE.team_id, ALICE.user_id))
    await begun(store, ALICE, "h2")
    bobs = await begun(store, BOB, "h3")
    await unlink(store, ALICE, connection)
    assert [await browser_session(store, key, HOUR) for key in ("h1", "h2", "h3")] == [None, None, bobs]


@pytest.mark.both_engines
async def test_all_of_everybody(store):
    for number, principal in enumerate((ALICE, ALICE, BOB)):
        await begun(store, principal, f"h{number}")
    assert await store.perform(browsers.end_browser_sessions_at, "T1") == 3
    await store.write(browsers.keep_browser_session, "h0")
    assert await browser_session(store, "h0", HOUR) is None
    assert await store.perform(browsers.end_browser_sessions_at, "T1") == 0


async def test_a_look_holds_what_a_page_needs(store):
    session = await begun(store)
    workspace = (await linked(store, ALICE)).workspaces[0]
    rows = await store.read(browsers.find_page_rows, "h1", HOUR, workspace.id)
    assert (rows.session, rows.workspace.id, rows.operation) == (session, workspace.id, None)
    assert rows.now == await store.now()
    accepted = await accept_operation(store, workspace, interaction="i1")
    assert (
        await store.read(browsers.find_page_rows, "h1", HOUR, workspace.id)
    ).operation == accepted.operation
    assert (await store.read(browsers.find_page_rows, "h1", HOUR, "none")).workspace is None


async def test_a_look_tells_nothing_of_what_others_ask_for(store):
    await begun(store, BOB)
    workspace = (await linked(store, ALICE)).workspaces[0]
    await accept_operation(store, workspace, interaction="i1")
    rows = await store.read(browsers.find_page_rows, "h1", HOUR, workspace.id)
    assert (rows.operation, rows.channel_id) == (None, None)
