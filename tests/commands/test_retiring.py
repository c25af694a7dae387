"""Tests of retiring a connection: doctor names who uses it; a command ends the links and tells people."""

import pytest

from bot.commands.account_import import retire
from bot.commands.database import format_ended_links
from bot.commands.store_checks import REVOKED_WITHIN, check_retired, check_revocations
from bot.domain.hours import HoursRule
from bot.domain.notices import NoticeKind
from bot.domain.time_parsing import EVERY_DAY
from bot.domain.workspaces import State
from bot.store import accounts, audit, credentials, notices, revocations, workspaces
from bot.store import hours as hours_store
from bot.store.tables import WORKSPACES
from bot.support.vault import row_key
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.context import context
from tests.rigs.providers import FakeProvider, fake_settings
from tests.rigs.store import ALICE, BOB, link_account, linked, memory_store


@pytest.fixture
async def hub():
    """Link Alice and Bob to the hub, and Alice to Saturn Cloud as well.

    One of Alice's workspaces on the hub is running, and has hours and a planned stop.
    """
    clock = FakeClock()
    async with memory_store(clock, CountingIds()) as store:
        made = context(
            store, {"hub": FakeProvider(clock, fake_settings("hub")), "saturn": FakeProvider(clock)}
        )
        mine = await linked(store, ALICE, ["lab", "other"], connection="hub")
        await linked(store, BOB, ["lab"], connection="hub", username="bob")
        await link_account(store, ALICE, "saturn")
        for who, one in ((ALICE, "hub"), (BOB, "hub"), (ALICE, "saturn")):
            account = await store.read(accounts.find_account, who, one)
            sealed = made.vault.seal(row_key(who.key, one), {"token": "t", "x_token_id": "1"})
            await store.write(credentials.save_secret, account.id, account.secret, sealed)
        (lab, _) = mine.workspaces
        rule = HoursRule("rule_1", ALICE, "hub", lab.id, "UTC", 0.0, days=EVERY_DAY, starts=540)

        def write(tx):
            changed = {"state": State.RUNNING, "stop_at": clock.now() + 3_600}
            WORKSPACES.change(tx, {"id": lab.id}, **changed)
            hours_store.save_rule(tx, rule)

        await store.carry_out(write)
        yield made


def without_hub(hub):
    return {"saturn": hub.connections["saturn"]}


async def test_doctor_names_who_depends_on_what_is_not_in_the_file_any_more(hub):
    assert await check_retired(hub.store, hub.connections) == []
    (check,) = await check_retired(hub.store, without_hub(hub))
    assert (check.name, check.is_good) == ("connection hub", False)
    found = "2 linked, 1 workspaces running, 1 to be stopped, 1 with hours"
    assert found in check.found
    assert "accounts retire hub" in check.advice
    # If there are no connections at all, the connections file itself may be missing.
    assert await check_retired(hub.store, {}) == []


async def test_while_it_is_set_up_its_secrets_are_owed_and_everybody_is_told(hub):
    assert await retire(hub, "hub") == (2, 2)
    assert [one.connection for one in await hub.store.perform(accounts.list_active_accounts)] == ["saturn"]
    told = [
        one
        for one in await hub.store.perform(notices.claim_notices, 99, 60.0)
        if one.kind is NoticeKind.UNLINKED
    ]
    assert {(one.principal, one.body["cause"]) for one in told} == {(ALICE, "retired"), (BOB, "retired")}
    assert {one.connection for one in await hub.store.read(revocations.list_pending_revocations)} == {"hub"}
    assert await check_retired(hub.store, without_hub(hub)) == []
    assert await retire(hub, "hub") == (0, 2)


async def test_once_it_is_taken_out_its_secrets_are_erased(hub):
    gone = context(hub.store, without_hub(hub), vault=hub.vault)
    await retire(hub, "hub")
    assert await retire(gone, "hub") == (0, 0)
    assert await hub.store.read(revocations.list_pending_revocations) == []
    ended = [
        row["detail"] for row in await hub.store.read(audit.read_audit) if row["action"] == "account.revoked"
    ]
    assert len(ended) == 2
    assert all('"ended":"lapsed"' in one for one in ended)


async def test_what_was_taken_out_before_is_retired_too(hub):
    gone = context(hub.store, without_hub(hub), vault=hub.vault)
    assert await retire(gone, "hub") == (2, 0)
    assert await hub.store.read(revocations.list_pending_revocations) == []
    assert await hub.store.perform(workspaces.read_workspaces, ALICE, connection="hub") == []


async def test_doctor_counts_what_is_owed_and_warns_of_what_is_for_longer_than_a_day(hub):
    assert (await check_revocations(hub.store)).found == "none"
    await retire(hub, "hub")
    check = await check_revocations(hub.store)
    assert check.found.startswith("hub 2, the oldest since 20")
    assert (check.is_good, check.is_warning) == (True, False)
    hub.store.engine.clock.advance(REVOKED_WITHIN + 1)
    check = await check_revocations(hub.store)
    assert (check.is_good, check.is_warning) == (True, True)
    assert "still valid" in check.advice


def test_a_name_that_nothing_has_is_said_to_have_nothing():
    said = format_ended_links("nothere", 0, is_known=False)
    assert said.endswith("whose people are told: 0. No connection and no link has this name.")
    assert format_ended_links("hub", 2, is_known=True).endswith("whose people are told: 2.")
