"""Account ids: stored when first known, compared, and links suspended if a name means another account."""

from dataclasses import replace

import pytest

from bot.domain.accounts import Approval
from bot.store import account_ids as rows
from bot.store import accounts, tasks, workspaces
from bot.store.tables import ACCOUNTS
from tests.rigs.approvals import ask_approval
from tests.rigs.store import ALICE, BOB, link_account, linked

pytestmark = pytest.mark.both_engines


async def let_rest(store, account, other_id="2"):
    return await store.carry_out(lambda tx: rows.rest(tx, account, other_id, "another account"))


async def set_id(store, account, remote_id):
    await store.carry_out(lambda tx: ACCOUNTS.change(tx, {"id": account.id}, remote_id=remote_id))
    return await store.read(accounts.find_account_by_id, account.id)


async def test_id_is_learnt_once_and_stays(store, clock):
    account = await link_account(store)
    assert await store.carry_out(lambda tx: rows.learn_id(tx, account, "1", "seen"))
    clock.advance(5)
    assert not await store.carry_out(lambda tx: rows.learn_id(tx, account, "2", "seen"))
    row = await store.read(accounts.find_account_by_id, account.id)
    assert (row.remote_id, row.remote_id_source, row.compared_at) == ("1", "seen", clock.now() - 5)


async def test_link_rests_with_its_secret_deleted_and_is_counted(store, clock):
    mine = await linked(store)
    other = await linked(store, BOB)
    account = await set_id(store, mine.account, "1")
    resting = await let_rest(store, account)
    assert (resting.state, resting.secret, resting.other_id) == ("refused", "", "2")
    assert resting.resting_since == clock.now()
    assert await let_rest(store, account) is None
    assert await store.read(rows.count_resting) == {"saturn": 1}
    assert await store.read(rows.list_resting_connections, ALICE.key) == {"saturn"}
    assert [one.id for one in await store.read(rows.list_resting, "saturn", clock.now())] == [account.id]
    assert await store.read(rows.list_resting, "saturn", clock.now() + 1) == []
    every = await store.perform(accounts.list_active_and_resting_accounts)
    assert {one.id for one in every} == {account.id, other.account.id}
    assert await store.perform(workspaces.read_workspaces, ALICE) == []
    assert await store.perform(workspaces.read_workspaces, BOB) == list(other.workspaces)


async def test_name_of_a_resting_link_may_be_linked_by_somebody_else(store):
    account = await set_id(store, await link_account(store, username="una"), "1")
    await let_rest(store, account)
    theirs = await link_account(store, BOB, username="una")
    found = await store.carry_out(lambda tx: accounts.find_username_holder(tx, account))
    assert found.id == theirs.id, "a link in use goes before one that rests"


async def test_another_persons_link_to_an_account_is_found_by_its_id(store):
    mine = await set_id(store, await link_account(store, username="una"), "1")
    theirs = await set_id(store, await link_account(store, BOB, username="una.old"), "1")
    found = await store.carry_out(lambda tx: rows.find_id_holder(tx, mine))
    assert found.id == theirs.id
    assert await store.carry_out(lambda tx: rows.find_id_holder(tx, replace(mine, remote_id="3"))) is None


async def test_address_that_was_approved_is_found(store):
    account = await link_account(store, username="una", link_source="approval")
    assert await store.carry_out(lambda tx: rows.find_approved_email(tx, account)) is None
    asked = Approval("a1", ALICE, "saturn", "una", "linked", 0.0, email="una@example.com")
    await ask_approval(store, asked)
    assert await store.carry_out(lambda tx: rows.find_approved_email(tx, account)) == "una@example.com"


async def test_others_linked_by_name_are_compared_after_the_first_that_rests(store):
    first = await set_id(store, await link_account(store, link_source="approval"), "1")
    second = await link_account(store, BOB, link_source="import")
    await store.carry_out(lambda tx: rows.compare_others(tx, first))
    claimed = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert [task.subject for task in claimed] == [second.id]


async def test_renamed_account_takes_its_new_name_unless_somebody_has_it(store):
    mine = await set_id(store, await link_account(store, username="una"), "1")
    await link_account(store, BOB, username="taken")

    def moved(remote_id, former):
        return remote_id, remote_id

    assert not await store.carry_out(lambda tx: rows.rename(tx, mine, "taken", moved))
    assert await store.carry_out(lambda tx: rows.rename(tx, mine, "una2", moved))
    assert (await store.read(accounts.find_account_by_id, mine.id)).username == "una2"
