"""Installations by OAuth: one row each, tokens replaced by one at a time, states used once."""

import asyncio
from dataclasses import replace

from bot.domain.people import AuditEntry
from bot.store.slack import RENEWING_SECONDS, STATE_KEPT
from tests.rigs.installed import ACME

NORTH = replace(ACME, id="T2", team_id="T2", enterprise_id="E1")
GRID = replace(ACME, id="E1", team_id=None, enterprise_id="E1")


async def find(store, id_="T1"):
    """Return an installation; None if there is none."""
    return next((one for one in await store.installations() if one.id == id_), None)


async def test_an_installation_is_one_row_until_it_is_removed(store, clock):
    entry = AuditEntry("T1:U1", "slack.installed", "T1", "ok", {})
    assert await store.install(ACME, [entry]) == "new"
    clock.advance(5.0)
    # Its workspace joined an enterprise meanwhile: who its people are stays the same.
    again = replace(ACME, team_name="Acme Research", secret="sealed 2", enterprise_id="E9")
    assert await store.install(again) == "again"
    found = await find(store)
    assert found == replace(again, enterprise_id=None, installed_at=clock.now())
    assert await store.installations() == [found]
    # What says that it was removed is about an earlier token.
    assert not await store.remove_installation("T1", "sealed 1", [entry])
    assert await store.remove_installation("T1", "sealed 2", [entry])
    assert (await find(store), await store.installations()) == (None, [])
    assert len([row for row in await store.audit_entries() if row["target"] == "T1"]) == 2
    assert await store.install(ACME) == "new"
    assert [one.secret for one in await store.installations()] == ["sealed 1"]


async def test_an_enterprise_and_one_of_its_teams_exclude_each_other(store):
    assert await store.install(NORTH) == "new"
    assert await store.install(GRID) == "team"
    assert await store.install(replace(NORTH, id="T3", team_id="T3")) == "new"
    for team in ("T2", "T3"):
        assert await store.remove_installation(team, "sealed 1")
    assert await store.install(GRID) == "new"
    assert await store.install(NORTH) == "enterprise"
    assert await store.install(ACME) == "new"
    assert [one.id for one in await store.installations()] == ["E1", "T1"]


async def test_of_an_enterprise_and_its_team_installed_by_two_processes_at_once_one_comes_first(database):
    store, other = await database.open(), await database.open()
    for _ in range(10):
        results = await asyncio.gather(store.install(NORTH), other.install(GRID))
        (installed,) = await store.installations()
        assert sorted(results) in (["enterprise", "new"], ["new", "team"])
        assert await store.remove_installation(installed.id, "sealed 1")


async def test_one_at_a_time_replaces_exactly_the_token_that_it_read(database, clock):
    one, other = await database.open(), await database.open()
    await one.install(ACME)
    assert await one.claim_renewal("T1", "sealed 1")
    assert not await other.claim_renewal("T1", "sealed 1")
    # Whoever claimed it may have died.
    clock.advance(RENEWING_SECONDS)
    assert await other.claim_renewal("T1", "sealed 1")
    assert await other.renew_installation("T1", "sealed 1", "sealed 2", 100.0)
    assert not await one.renew_installation("T1", "sealed 1", "sealed 3", 100.0)
    assert not await one.claim_renewal("T1", "sealed 1")
    found = await find(one)
    assert (found.secret, found.expires_at) == ("sealed 2", clock.now() + 100.0)
    assert await one.claim_renewal("T1", "sealed 2")
    # Encrypted with another key, it is the same token; while it is replaced, Slack's answer must find it.
    assert not await one.reseal_installation("T1", "sealed 2", "sealed 2b")
    clock.advance(RENEWING_SECONDS)
    assert await one.reseal_installation("T1", "sealed 2", "sealed 2b")
    assert not await one.reseal_installation("T1", "sealed 2", "sealed 2c")


async def test_a_state_is_used_once_by_anybody(database, clock):
    one, other = await database.open(), await database.open()
    assert await one.use_oauth_state("hash")
    assert not await other.use_oauth_state("hash")
    assert await other.use_oauth_state("another")
    clock.advance(STATE_KEPT)
    # By then it has expired long ago.
    assert await one.use_oauth_state("hash")
