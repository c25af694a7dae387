"""Installations by OAuth, and what processes share about Slack: counts of calls, and seen signatures."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.installations import Installation
from bot.domain.people import Principal
from bot.store import audit, installations, signatures, slack_rate_limits
from bot.store.installations import RENEWING_SECONDS, STATE_RETENTION_SECONDS
from bot.store.signatures import RETENTION_SECONDS
from bot.store.slack_rate_limits import WINDOW_SECONDS, CallQuota
from bot.web.replays import SAVED_EVERY, Replays
from tests.contract.store.conftest import machines_clock
from tests.rigs.clock import FakeClock
from tests.rigs.installed import ACME
from tests.rigs.store import link_account

NORTH = replace(ACME, id="T2", team_id="T2", enterprise_id="E1")
GRID = replace(ACME, id="E1", team_id=None, enterprise_id="E1")


async def find(store, id_="T1"):
    """Return an installation, or None if it isn't there."""
    return next((one for one in await store.read(installations.list_installations) if one.id == id_), None)


async def test_an_installation_is_one_row_until_it_is_removed(store, clock):
    entry = AuditEntry("T1:U1", "slack.installed", "T1", "ok", {})
    assert await store.write(installations.install, ACME, [entry]) == "new"
    clock.advance(5.0)
    # The Slack workspace has joined an enterprise meanwhile; its people keep their identity.
    again = replace(ACME, team_name="Acme Research", secret="sealed 2", enterprise_id="E9")
    assert await store.write(installations.install, again) == "again"
    found = await find(store)
    assert found == replace(again, enterprise_id=None, organisation_id="E9", installed_at=clock.now())
    assert await store.read(installations.list_installations) == [found]
    # The report of its removal is about an earlier token.
    assert not await store.write(installations.remove_installation, "T1", "sealed 1", [entry])
    assert await store.write(installations.remove_installation, "T1", "sealed 2", [entry])
    assert (await find(store), await store.read(installations.list_installations)) == (None, [])
    assert len([row for row in await store.read(audit.read_audit) if row["target"] == "T1"]) == 2
    assert await store.write(installations.install, ACME) == "new"
    assert [one.secret for one in await store.read(installations.list_installations)] == ["sealed 1"]


@pytest.mark.both_engines
async def test_an_enterprise_and_one_of_its_teams_exclude_each_other(store):
    assert await store.write(installations.install, NORTH) == "new"
    assert await store.write(installations.install, GRID) == "team"
    assert await store.write(installations.install, replace(NORTH, id="T3", team_id="T3")) == "new"
    for team in ("T2", "T3"):
        assert await store.write(installations.remove_installation, team, "sealed 1")
    assert await store.write(installations.install, GRID) == "new"
    assert await store.write(installations.install, NORTH) == "enterprise"
    assert await store.write(installations.install, ACME) == "new"
    assert [one.id for one in await store.read(installations.list_installations)] == ["E1", "T1"]


async def test_of_an_enterprise_and_its_team_installed_by_two_processes_at_once_one_comes_first(database):
    store, other = await database.open(), await database.open()
    for _ in range(10):
        results = await asyncio.gather(
            store.write(installations.install, NORTH), other.write(installations.install, GRID)
        )
        (installed,) = await store.read(installations.list_installations)
        assert sorted(results) in (["enterprise", "new"], ["new", "team"])
        assert await store.write(installations.remove_installation, installed.id, "sealed 1")


async def test_place_of_new_installation_is_kept_for_good(database):
    one, other = await database.open(), await database.open()
    said = await asyncio.gather(
        one.write(installations.keep_place, "T1", "E1"), other.write(installations.keep_place, "T1", None)
    )
    assert len(set(said)) == 1
    for enterprise in ("E1", None, "E2"):
        assert await other.write(installations.keep_place, "T1", enterprise) == said[0]
    # From now on it is installed by OAuth, but its people keep their identity.
    assert await one.write(installations.install, replace(ACME, enterprise_id="E2")) == "new"
    (found,) = await one.read(installations.list_installations)
    assert (found.enterprise_id, found.organisation_id) == (said[0], "E2")


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("linked", "last_start", "expected"),
    [
        pytest.param([], None, "E1", id="nothing-known"),
        pytest.param([], {"team_id": "T1"}, None, id="started-before-joining"),
        pytest.param([], {"team_id": "T1", "enterprise_id": "E7"}, "E7", id="started-after-joining"),
        pytest.param([], {"team_id": "T2", "enterprise_id": "E7"}, "E1", id="started-elsewhere"),
        pytest.param(["-", "-"], {"team_id": "T1", "enterprise_id": "E1"}, None, id="nobody-linked-again"),
        pytest.param(["-", "E1", "E1"], {"team_id": "T1"}, "E1", id="most-linked-again"),
        pytest.param(["-", "E1"], {"team_id": "T1", "enterprise_id": "E1"}, None, id="older-of-as-many"),
    ],
)
async def test_place_of_earlier_release_is_that_of_most_accounts(store, clock, linked, last_start, expected):
    """0.3.0 didn't store the enterprise id in people's keys. At each start, it used the one from Slack."""
    for number, enterprise in enumerate(linked):
        person = Principal.from_key(f"{enterprise}:T1:U{number}")
        await link_account(store, principal=person, username=f"u{number}")
        clock.advance(60.0)
    await link_account(store, principal=Principal("E9", "T2", "U1"), username="of another workspace")
    if last_start is not None:
        await store.write(installations.save_identity, "the digest of a former token", last_start)
    assert await store.write(installations.keep_place, "T1", "E1") == expected
    assert await store.write(installations.keep_place, "E1", "E1") == "E1"


async def test_users_keep_the_enterprise_of_their_latest_link(store, clock):
    """Some linked before their Slack workspace joined an organisation, others (or again) afterwards."""
    for enterprise, user in [("-", "U1"), ("-", "U2"), ("-", "U3"), ("E1", "U3"), ("E1", "U4")]:
        person = Principal.from_key(f"{enterprise}:T1:{user}")
        await link_account(store, principal=person, username=f"{user} of {enterprise}")
        clock.advance(60.0)
    # At Sphere Engine people needn't link: the account is written on first use.
    await link_account(store, Principal("E1", "T1", "U1"), "sphere", username="", link_source="")
    place = await store.write(installations.keep_place, "T1", "E1")
    others = await store.read(installations.find_other_enterprises, "T1", place)
    assert (place, others) == (None, {"U3": "E1", "U4": "E1"})
    here = Installation("T1", place, other_enterprises=others)
    named = [here.resolve_principal(Principal("E1", "T1", f"U{number}")).key for number in range(1, 6)]
    assert named == ["-:T1:U1", "-:T1:U2", "E1:T1:U3", "E1:T1:U4", "-:T1:U5"]
    # A stranger's identity isn't changed.
    assert here.resolve_principal(Principal("E1", "T2", "U4")) == Principal("E1", "T2", "U4")


@pytest.mark.both_engines
async def test_one_at_a_time_replaces_exactly_the_token_that_it_read(database, clock):
    one, other = await database.open(), await database.open()
    await one.write(installations.install, ACME)
    assert await one.write(installations.claim_renewal, "T1", "sealed 1")
    assert not await other.write(installations.claim_renewal, "T1", "sealed 1")
    # The process that claimed it may have died.
    clock.advance(RENEWING_SECONDS)
    assert await other.write(installations.claim_renewal, "T1", "sealed 1")
    assert await other.write(installations.renew_installation, "T1", "sealed 1", "sealed 2", 100.0)
    assert not await one.write(installations.renew_installation, "T1", "sealed 1", "sealed 3", 100.0)
    assert not await one.write(installations.claim_renewal, "T1", "sealed 1")
    found = await find(one)
    assert (found.secret, found.expires_at) == ("sealed 2", clock.now() + 100.0)
    assert await one.write(installations.claim_renewal, "T1", "sealed 2")
    # Encrypted under another key, it is still the same token. But during a renewal it must stay as it was, so
    # that Slack's answer can be stored.
    assert not await one.write(installations.reseal_installation, "T1", "sealed 2", "sealed 2b")
    clock.advance(RENEWING_SECONDS)
    assert await one.write(installations.reseal_installation, "T1", "sealed 2", "sealed 2b")
    assert not await one.write(installations.reseal_installation, "T1", "sealed 2", "sealed 2c")


@pytest.mark.both_engines
async def test_a_state_is_used_once_by_anybody(database, clock):
    one, other = await database.open(), await database.open()
    assert await one.write(installations.use_oauth_state, "hash")
    assert not await other.write(installations.use_oauth_state, "hash")
    assert await other.write(installations.use_oauth_state, "another")
    clock.advance(STATE_RETENTION_SECONDS)
    # By then the state has long expired.
    assert await one.write(installations.use_oauth_state, "hash")


# -- calls ---------------------------------------------------------------------------------------------------


POST = "chat.postMessage"


async def take(store, *, most=45, method="chat.update", **keys):
    return await store.write(slack_rate_limits.take_slack_call, "T1", method, most=most, **keys)


async def take_all(store, most=45):
    taken = 0
    while await take(store, most=most) == 0:
        taken += 1
    return taken


async def test_several_processes_on_one_database_stay_within_one_limit(database, clock):
    stores = [await database.open(), await database.open()]
    waits = await asyncio.gather(*(take(stores[number % 2]) for number in range(120)))
    assert waits.count(0) == 45
    assert all(wait == pytest.approx(WINDOW_SECONDS) for wait in waits if wait)
    room = CallQuota("T1", "chat.update", 50)
    assert {await store.read(slack_rate_limits.count_remaining_calls, room) for store in stores} == {0}
    await stores[0].write(slack_rate_limits.pause_slack_method, "T1", "chat.update", 90.0)
    assert await stores[1].read(slack_rate_limits.count_remaining_calls, room) == 0
    clock.advance(60.0)
    assert await take(stores[1]) == pytest.approx(30.0)
    clock.advance(30.1)
    assert await take_all(stores[1]) == 45
    # Calls that don't count any more aren't kept.
    assert await stores[0].read(slack_rate_limits.count_remaining_calls, room) == 0


@pytest.mark.both_engines
async def test_pause_of_a_channel_is_its_own_until_another_one_has_one(store, clock):
    def take_in(channel):
        return store.write(slack_rate_limits.take_slack_call, "T1", POST, most=450, channel=channel, gap=2.0)

    def pause(channel, seconds):
        return store.write(slack_rate_limits.pause_slack_method, "T1", POST, seconds, channel)

    await pause("U1", 45.0)
    assert [await take_in("U1") > 44.0, await take_in("U2")] == [True, 0]
    await pause("U2", 20.0)
    assert await take_in("U3") == pytest.approx(20.0, abs=0.5)
    clock.advance(21.0)
    assert [await take_in("U3"), await take_in("U1") > 20.0] == [0, True]
    clock.advance(30.0)
    await pause("U3", 45.0)
    assert [await take_in("U1"), await take_in("U2")] == [0, 0]


@pytest.mark.both_engines
async def test_calls_are_forgotten_a_minute_after_they_last_counted(store, clock):
    assert await take_all(store) == 45
    for seconds, kept in ((WINDOW_SECONDS, 46), (WINDOW_SECONDS - 1, 47), (1.5, 2)):
        clock.advance(seconds)
        assert await take(store) == 0
        rows = await store.engine.read(lambda tx: tx.all("SELECT * FROM slack_calls"))
        assert len(rows) == kept


@pytest.mark.both_engines
async def test_a_call_without_a_gap_waits_for_no_channel(store, clock):
    assert await take(store) == 0
    # Another process's clock may be slightly ahead.
    await store.carry_out(lambda tx: tx.run("UPDATE slack_calls SET called_at = :at", at=clock.now() + 1))
    assert await take(store) == 0


@pytest.mark.both_engines
async def test_a_channel_is_paced_within_its_method_alone(store, clock):
    told = {"method": POST, "gap": 1.1}
    assert await take(store, channel="D1", **told) == 0
    assert await take(store, channel="D1", **told) == pytest.approx(1.1)
    assert await take(store, channel="D2", **told) == 0
    assert await take(store, channel="D1") == 0
    clock.advance(1.0)
    assert await take(store, channel="D1", **told) == pytest.approx(0.1)
    clock.advance(0.11)
    assert await take(store, channel="D1", **told) == 0


@machines_clock
@pytest.mark.parametrize("ahead", [-86_400.0, -30.0, -5.0])
async def test_a_clock_that_is_set_back_while_nobody_serves_neither_frees_nor_locks_out(
    database, clock, ahead
):
    clock.jump(-ahead)
    store = await database.open(serves=True)
    assert await take_all(store) == 45
    await store.write(slack_rate_limits.pause_slack_method, "T1", POST, 40.0)
    await store.close()
    clock.jump(ahead)
    clock.advance(20.0)
    store = await database.open(serves=True)
    assert WINDOW_SECONDS - 20.0 <= await take(store) + 0.2 <= WINDOW_SECONDS + 0.2
    assert await take(store, method=POST) == pytest.approx(20.0, abs=0.2)
    clock.advance(WINDOW_SECONDS)
    assert await take_all(store) == 45


@machines_clock
async def test_after_another_boot_the_longest_wait_is_a_minute(database, clock):
    clock.jump(86_400.0)
    store = await database.open(serves=True)
    assert await take_all(store) == 45
    await store.write(slack_rate_limits.pause_slack_method, "T1", POST, 3600.0)
    await store.close()
    there = FakeClock(clock.now() - 86_400.0)
    there.boot = lambda: "another boot"
    store = await database.open(clock=there, serves=True)
    assert 0 < await take(store) <= WINDOW_SECONDS
    # If the pause still applies, Slack asks for it again.
    assert await take(store, method=POST) == 0


# -- signatures ----------------------------------------------------------------------------------------------


def signature(number):
    return f"{number:064x}"[::-1]


async def test_processes_that_share_a_database_know_what_the_others_have_seen(database, clock):
    store, other = await database.open(), await database.open()
    seen, there = Replays(clock.monotonic), Replays(clock.monotonic)
    assert there.is_first(signature(1))
    await there.share(other)
    clock.advance(SAVED_EVERY)
    await seen.share(store)
    assert not seen.is_first(signature(1))
    await store.close()
    # If the database is briefly unavailable, nothing is lost.
    await seen.share(store)
    assert seen.is_first(signature(2))


async def test_who_starts_next_knows_what_was_seen_and_for_how_long_yet(database, clock):
    store, seen = await database.open(serves=True), Replays(clock.monotonic)
    assert seen.is_first(signature(1))
    await seen.save(store)
    clock.advance(200.0)
    assert seen.is_first(signature(2))
    assert seen.is_first(signature(3))
    await seen.save(store)
    await seen.save(store)
    assert [age for age, _ in await store.read(signatures.list_signatures)] == [200.0, 0.0]
    await store.close()
    clock.advance(RETENTION_SECONDS - 201.0)
    store, again = await database.open(serves=True), Replays(clock.monotonic)
    await again.load(store)
    assert not any(again.is_first(signature(number)) for number in (1, 2, 3))
    assert again.is_first(signature(4))
    clock.advance(1.0)
    assert again.is_first(signature(1))
    assert not again.is_first(signature(2))
    await again.save(store)
    assert len(await store.read(signatures.list_signatures)) == 2


@pytest.mark.both_engines
async def test_what_could_not_be_written_is_written_with_the_next(database, store, clock):
    seen = Replays(clock.monotonic)
    assert seen.is_first(signature(1))
    unavailable = await database.open()
    await unavailable.close()
    await seen.save(unavailable)
    assert await store.read(signatures.list_signatures) == []
    clock.advance(SAVED_EVERY)
    assert seen.is_first(signature(2))
    await seen.save(store)
    again = Replays(clock.monotonic)
    await again.load(store)
    assert not again.is_first(signature(1))
    assert not again.is_first(signature(2))
