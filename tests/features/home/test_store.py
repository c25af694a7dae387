"""Homes: who waits for a view, and which are looked at although nobody asked."""

import pytest

from bot.domain.accounts import Approval
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.timeouts import is_slow
from bot.features.approvals import store as approval_rows
from bot.features.home import store as home_store
from bot.features.home.model import HomeUse
from bot.store import counts, notices, sweeping
from bot.store.slack_rate_limits import UNLIMITED
from tests.contract.store.operations import start
from tests.rigs.approvals import ask_approval
from tests.rigs.homes import use_home, want_home
from tests.rigs.store import ALICE, linked, refuse

BOB = Principal(None, "T1", "UBOB")


async def wanted(store, limit=10):
    return await store.claim(home_store.claim_wanted_homes, limit, 60.0)


async def test_a_use_is_wanted_until_a_view_was_published_for_it(store, clock):
    await use_home(store, ALICE, HomeUse())
    clock.advance(1)
    await use_home(store, BOB, HomeUse(page=3))
    (first,) = await wanted(store, 1)
    assert (first.principal, first.uses, first.page, first.is_totals) == (ALICE, 1, 1, False)
    (second,) = await wanted(store)
    assert (second.principal, second.page) == (BOB, 3)
    assert await wanted(store) == []
    await store.write(home_store.record_published, first, "digest", "hash")
    clock.advance(60)
    assert [home.principal for home in await wanted(store)] == [BOB]


async def test_a_later_use_stays_wanted_and_keeps_what_is_looked_at(store, clock):
    await use_home(store, ALICE, HomeUse(page=2, is_totals=True, answer={"text": "Done"}))
    (home,) = await wanted(store)
    assert (home.page, home.is_totals) == (2, True)
    assert (home.answer, home.answered_at) == ({"text": "Done"}, clock.now())
    await use_home(store, ALICE, HomeUse())
    assert await wanted(store) == [], "one view is sent after the other"
    await store.write(home_store.record_published, home, "digest", "hash")
    (home,) = await wanted(store)
    assert (home.page, home.is_totals, home.answer, home.uses) == (2, True, None, 2)
    assert (home.rendered_digest, home.view_hash) == ("digest", "hash")
    await store.write(home_store.record_published, home, "digest", "hash")
    await use_home(store, ALICE, HomeUse())
    assert (await wanted(store))[0].rendered_digest == "", "a press always brings a view"


async def test_looks_are_ten_seconds_apart_and_give_way_to_uses(store, clock):
    await use_home(store, ALICE, HomeUse())
    (home,) = await wanted(store)
    assert await store.claim(home_store.claim_open_homes, 10) == []
    await store.write(home_store.record_published, home, "digest", "hash")
    clock.advance(9)
    assert await store.claim(home_store.claim_open_homes, 10) == []
    clock.advance(1)
    (look,) = await store.claim(home_store.claim_open_homes, 10)
    assert look.requested_at is None
    assert await store.claim(home_store.claim_open_homes, 10) == []
    clock.advance(10)
    await use_home(store, ALICE, HomeUse())
    assert await store.claim(home_store.claim_open_homes, 10) == []
    # The view that nobody asked for ends no wait, and releases nobody's lease.
    (home,) = await wanted(store)
    await store.write(home_store.record_published, look, "older", "hash 2")
    assert await wanted(store) == []
    await store.write(home_store.record_published, home, "newer", "hash 3")
    assert await wanted(store) == []


@pytest.mark.both_engines
async def test_retries_and_rest(store, clock):
    await use_home(store, ALICE, HomeUse(answer={"text": "Done"}))
    (home,) = await wanted(store)
    await store.write(home_store.schedule_retry, home, 5.0)
    assert await wanted(store) == []
    clock.advance(5)
    (home,) = await wanted(store)
    await store.write(home_store.stop_redrawing, home)
    clock.advance(100)
    assert (await wanted(store), await store.claim(home_store.claim_open_homes, 10)) == ([], [])
    await use_home(store, ALICE, HomeUse())
    # What rests is what was claimed: a later use is no part of it.
    await store.write(home_store.stop_redrawing, home)
    assert len(await wanted(store)) == 1


@pytest.mark.both_engines
async def test_an_open_home_is_wanted_again_and_another_is_not(store, clock):
    await want_home(store, ALICE)
    assert await wanted(store) == []
    await use_home(store, ALICE, HomeUse(page=2))
    await store.write(home_store.record_published, (await wanted(store))[0], "digest", "hash")
    clock.advance(599)
    await want_home(store, ALICE)
    (home,) = await wanted(store)
    assert (home.page, home.rendered_digest, home.used_at) == (2, "digest", clock.now() - 599)
    await store.write(home_store.record_published, home, "digest", "hash")
    clock.advance(1)
    await want_home(store, ALICE)
    assert await wanted(store) == []


@pytest.mark.both_engines
async def test_news_that_somebody_waits_for(store, clock):
    async def is_waiting(**asked):
        return await store.read(
            notices.is_news_waiting, **{"notices": UNLIMITED, "cards": UNLIMITED, **asked}
        )

    assert not await is_waiting()
    await store.write(notices.add_notices, [NewNotice("one", NoticeKind.READY, "1", ALICE, due_in=5)])
    assert not await is_waiting()
    clock.advance(5)
    assert await is_waiting()
    assert not await is_waiting(notices=None)


async def test_unused_homes_are_swept_after_a_day(store, clock):
    await use_home(store, ALICE, HomeUse())
    clock.advance(86_401)
    await use_home(store, BOB, HomeUse())
    await store.perform(sweeping.sweep)
    assert [home.principal for home in await wanted(store)] == [BOB]


GIVEN = {"slow_unless_known": 300.0, "failed_within": 86_400.0, "limit": 5}


async def test_a_start_stands_out_by_the_rule_of_cards_and_without_one_after_five_minutes(store, clock):
    elsewhere = Principal(None, "T2", "UCAROL")
    (known,) = (await linked(store, names=["one"])).workspaces
    (unknown,) = (await linked(store, elsewhere, names=["two"], username="carol")).workspaces
    for seconds in (*[60.0] * 9, 400.0):
        await start(store, clock, known, seconds=seconds)
    both = [await start(store, clock, known), await start(store, clock, unknown)]
    slow_after = {}
    for second in range(20, 340, 20):
        clock.advance(20)
        slow = (await store.perform(counts.count_totals, ["saturn"], **GIVEN)).slow
        for one in slow:
            slow_after.setdefault(one.id, second)
        assert is_slow(both[0], clock.now()) == (both[0].id in {one.id for one in slow})
    assert slow_after == {both[0].id: 100, both[1].id: 300}


async def test_the_totals_count_everybody(store, clock):
    made = await linked(store, names=["one", "two"])
    bob = (await linked(store, BOB, username="bob")).account
    await refuse(store, bob)
    given = GIVEN
    totals = await store.perform(counts.count_totals, [made.account.connection, "unknown"], **given)
    at = totals.at[made.account.connection]
    assert (at.linked, at.refused, at.workspaces, at.running, at.failed) == (1, 1, 3, 0, 0)
    assert (totals.starting, totals.slow, totals.failed, totals.reached) == (0, [], [], {})


@pytest.mark.both_engines
async def test_the_totals_and_the_questions_of_one_slack_workspace_are_its_own(store, clock):
    made = await linked(store, names=["one", "two"])
    elsewhere = Principal(None, "T2", ALICE.user_id)
    other = await linked(store, elsewhere, username="carol", names=["three"])
    connection = made.account.connection
    for one in (made, other):
        await start(store, clock, one.workspaces[0])
    asked = {}
    for number, principal in enumerate((ALICE, elsewhere)):
        asked[principal] = Approval(
            f"approval_{number}", principal, connection, f"user{number}", "requested", clock.now() + number
        )
        await ask_approval(store, asked[principal])

    async def seen(place):
        totals = await store.perform(counts.count_totals, [connection], **GIVEN, place=place)
        at = totals.at[connection]
        approvals = [one.principal for one in await store.read(approval_rows.list_open, 9, place)]
        return at.linked, at.workspaces, totals.starting, approvals

    assert await seen(ALICE.place) == (1, 2, 1, [ALICE])
    assert await seen(elsewhere.place) == (1, 1, 1, [elsewhere])
    assert await seen("-:T:") == (0, 0, 0, [])
    assert await seen("") == (2, 3, 2, [ALICE, elsewhere])
