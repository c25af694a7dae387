"""Rows that grow with the number of people are read, counted and cleared in batches, without gaps."""

import pytest

from bot.domain.accounts import Link
from bot.domain.people import Principal
from bot.store import accounts, counts, discovered, fan_out, links
from bot.store.accounts import refuse
from bot.store.tables import ACCOUNTS, WORKSPACES
from tests.rigs.store import ALICE, link_account, linked, put_link, within

#: Each batch is another statement.
pytestmark = pytest.mark.both_engines

PEOPLE = [Principal(None, "T0ACME", f"U{number}") for number in range(5)]
ELSEWHERE = Principal(None, "T0OTHER", "U9")
GIVEN = {"slow_unless_known": 60.0, "failed_within": 60.0, "limit": 5}


@pytest.fixture(autouse=True, params=[1, 2, 3, 6, 100])
def batch_size(request, monkeypatch):
    """The number of rows read at once."""
    monkeypatch.setattr(fan_out, "READ_BATCH_SIZE", request.param)
    monkeypatch.setattr(counts, "COUNT_BATCH_SIZE", request.param)
    monkeypatch.setattr(links, "FAN_OUT_BATCH_SIZE", request.param)


@pytest.fixture
async def everybody(store):
    """Six people with one workspace each."""
    return [await linked(store, principal) for principal in (*PEOPLE, ELSEWHERE)]


async def test_active_accounts_are_all_read_once(store, everybody):
    await within(store, refuse, everybody[2].account, "hold")
    active = [one.id for one in await store.perform(accounts.list_active_accounts)]
    assert sorted(active) == sorted(made.account.id for made in everybody if made != everybody[2])
    assert {one async for batch in accounts.find_holders(store.engine) for one in batch} == {
        *PEOPLE,
        ELSEWHERE,
    }


async def test_lists_in_use_are_found_though_many_were_used_at_once(store, clock, everybody):
    now = clock.now()
    for made in everybody[:4]:
        await store.carry_out(
            lambda tx, made=made: WORKSPACES.change(tx, {"id": made.workspaces[0].id}, used_at=now)
        )
        await store.carry_out(
            lambda tx, made=made: ACCOUNTS.change(tx, {"id": made.account.id}, discovered_at=now - 700.0)
        )
    await store.carry_out(lambda tx: ACCOUNTS.change(tx, {"id": everybody[0].account.id}, discovered_at=now))
    found = await store.perform(
        discovered.find_lists_in_use, ["saturn"], now - 60.0, now - 86_400.0, now - 600.0
    )
    assert sorted(one.account_id for one in found) == sorted(made.account.id for made in everybody[1:4])
    assert (
        await store.perform(discovered.find_lists_in_use, ["hub"], now - 60.0, now - 86_400.0, now - 600.0)
        == []
    )
    assert (
        await store.perform(discovered.find_lists_in_use, ["saturn"], now, now - 86_400.0, now - 700.0) == []
    )


async def test_stale_lists_come_oldest_first_from_all_connections(store, clock):
    now = clock.now()
    for age, connection in ((300.0, "saturn"), (100.0, "hub"), (200.0, "saturn"), (400.0, "hub")):
        account = await link_account(store, Principal(None, "T0ACME", f"U{age:.0f}"), connection)
        await store.carry_out(
            lambda tx, account=account, age=age: ACCOUNTS.change(
                tx, {"id": account.id}, discovered_at=now - age
            )
        )
    found = await store.read(discovered.find_stale_lists, ["saturn", "hub"], now - 150.0, 2)
    assert [now - one.read_at for one in found] == [400.0, 300.0]
    assert [
        now - one.read_at for one in await store.read(discovered.find_stale_lists, ["saturn"], now, 5)
    ] == [300.0, 200.0]


@pytest.mark.both_engines
async def test_all_ended_links_are_emptied(store, clock):
    now = clock.now()
    for number in range(5):
        held = {"secret": "sealed"} if number else {"deferred_command": {"verb": "start"}}
        given = {"deferred_command": None, **held}
        link = Link(f"n{number}", ALICE, f"saturn-{number}", created_at=now, expires_at=now + number, **given)
        await put_link(store, link)
    clock.advance(3.5)
    assert await store.perform(links.clear_ended_links) == 4
    left = [await store.read(links.find_link, f"n{number}") for number in range(5)]
    assert [(one.secret, one.deferred_command) for one in left] == [(None, None)] * 4 + [("sealed", None)]


@pytest.mark.parametrize("is_written", [False, True])
async def test_what_is_asked_ahead_is_what_it_would_be_when_it_is_taken(store, is_written):
    workspace = (await linked(store)).workspaces[0]

    def work(tx):
        WORKSPACES.ask(tx, id=workspace.id)
        if is_written:
            WORKSPACES.change(tx, {"id": workspace.id}, detail="since")
        tx.count("UPDATE people SET name = name")
        return WORKSPACES.row(tx, id=workspace.id), WORKSPACES.row(tx, id=workspace.id)

    taken, again = await store.engine.write(work)
    assert taken == again
    assert (taken["detail"] == "since") == is_written
