"""Accounts: unlinked and refused with all that hangs on them, secrets replaced by the first alone."""

from functools import partial

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.people import Link, Principal, TaskKind
from bot.domain.workspaces import Outcome
from bot.messages.texts import problems
from bot.services import accounts
from bot.store.tasks import NewTask
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    link_account,
    linked,
    put_link,
    refuse,
    unlink,
)


async def start(store, workspace, interaction=""):
    return (await accept_operation(store, workspace, interaction=interaction)).operation


async def test_unlinking_where_it_can_be_revoked(store, clock):
    mine = await linked(store, names=["one", "two"])
    operation = await start(store, mine.workspaces[0])
    clock.advance(5)
    ended = await unlink(store, ALICE, "saturn", revocable=["saturn"], says=True)
    assert [(one.id, one.state, one.secret) for one in ended] == [
        (mine.account.id, "active", "sealed-ualice")
    ]
    row = await store.account_by_id(mine.account.id)
    assert (row.state, row.secret, row.unlinked_at) == ("revoking", "sealed-ualice", clock.now())
    assert await store.accounts(ALICE) == []
    assert await store.account_states(ALICE) == {}
    assert await store.active_accounts() == []
    (task,) = await store.claim_tasks(10, 60.0)
    assert (task.kind, task.subject) == (TaskKind.REVOKE, mine.account.id)
    ended_operation = await store.operation(operation.id)
    assert (ended_operation.outcome, ended_operation.cause, ended_operation.ended_at) == (
        Outcome.CANCELLED,
        "unlinked",
        clock.now(),
    )
    assert (await store.card(operation.id)).changed_at == clock.now()
    assert await store.workspaces(ALICE, hidden=True) == []
    assert await store.claim_operations(10, 60.0) == []
    assert await store.claim_reads("saturn", 10, 10.0, 0.5) == []
    (notice,) = await store.claim_notices(10, 60.0)
    assert (notice.kind, notice.principal) == (NoticeKind.UNLINKED, ALICE)
    assert notice.body == {"connection": "saturn", "username": "ualice", "cause": "person"}
    (row,) = await store.audit_entries()
    assert (row["actor"], row["action"], row["result"]) == ("test", "account.unlinked", "ok")


async def test_unlinking_where_it_cannot_be_revoked_deletes_at_once(store):
    mine = await linked(store)
    assert len(await unlink(store, ALICE, "saturn", revocable=["hub"])) == 1
    assert await store.account_by_id(mine.account.id) is None
    assert await store.claim_tasks(10, 60.0) == []


async def test_unlinking_ends_one_connection_or_all_of_one_person_only(store):
    for principal in (ALICE, BOB):
        for connection in ("saturn", "hub"):
            await linked(store, principal, connection=connection)
    ended = await unlink(store, ALICE, "hub", revocable=["hub"])
    assert [one.connection for one in ended] == ["hub"]
    assert {row.connection for row in await store.workspaces(ALICE)} == {"saturn"}
    ended = await unlink(store, ALICE, revocable=["hub"])
    assert [one.connection for one in ended] == ["saturn"]
    assert {row.connection for row in await store.workspaces(BOB)} == {"saturn", "hub"}
    assert len(await store.accounts(BOB)) == 2


async def test_an_unlink_ends_unfinished_links_and_discoveries(store, clock):
    mine = await linked(store)
    await put_link(
        store, Link("n", ALICE, "saturn", None, clock.now(), clock.now() + 600, "checked", secret="sealed")
    )
    await store.add_tasks([NewTask(TaskKind.DISCOVER, mine.account.id)])
    await unlink(store, ALICE, "saturn")
    link = await store.link("n")
    assert (link.secret, link.expires_at) == (None, clock.now())
    assert await store.claim_tasks(10, 60.0) == []


async def test_a_list_that_arrives_after_the_unlink_is_dropped(store):
    from tests.rigs.store import found_workspace

    mine = await linked(store)
    await unlink(store, ALICE, "saturn", revocable=["saturn"])
    assert await store.merge_discovered(mine.account.id, [found_workspace("late")]) == 0
    assert await store.workspaces(ALICE) == []


async def test_a_refusal_is_told_once_and_ends_the_secret(store, clock):
    mine = await linked(store)
    operation = await start(store, mine.workspaces[0])
    told = partial(accounts.refuse, account=mine.account, cause="credential_refused")
    results = [await store.carry_out(told) for _ in range(3)]
    assert results == [True, False, False]
    row = await store.account(ALICE, "saturn")
    assert (row.state, row.secret) == ("refused", "")
    assert len(await store.claim_notices(10, 60.0)) == 1
    assert len(await store.audit_entries()) == 1
    held = await store.operation(operation.id)
    assert (held.is_open, held.hold) == (True, problems.sentence("credential_refused", ""))
    assert (await store.card(operation.id)).is_dirty
    assert await store.claim_reads("saturn", 10, 10.0, 0.5) == []
    assert await store.active_accounts() == []
    assert await store.accounts(ALICE) == [row]
    assert await store.account_states(ALICE) == {"saturn": "refused"}


async def test_a_refusal_of_an_older_secret_changes_nothing(store):
    mine = await linked(store)
    assert await store.save_secret(mine.account.id, mine.account.secret, "fresh")
    assert not await refuse(store, mine.account)
    assert (await store.account(ALICE, "saturn")).state == "active"
    assert await store.claim_notices(10, 60.0) == []


async def test_the_first_of_two_refreshes_counts(store):
    account = await link_account(store)
    assert await store.save_secret(account.id, account.secret, "first")
    assert not await store.save_secret(account.id, account.secret, "second")
    assert (await store.account_by_id(account.id)).secret == "first"


async def test_unlinking_a_refused_account_leaves_nothing_to_revoke(store):
    account = await link_account(store)
    await refuse(store, account)
    ended = await unlink(store, ALICE, "saturn", revocable=["saturn"])
    assert [one.state for one in ended] == ["refused"]
    assert await store.account_by_id(account.id) is None


@pytest.mark.parametrize("enterprise", [None, "E1"])
async def test_a_missing_enterprise_is_a_value_of_its_own(store, enterprise):
    one, other = Principal(enterprise, "T1", "U1"), Principal("E2", "T1", "U1")
    account = await link_account(store, one)
    assert await store.account(one, "saturn") == account
    assert await store.account(other, "saturn") is None
    assert (await store.account_by_id(account.id)).principal == one
