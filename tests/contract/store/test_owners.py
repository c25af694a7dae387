"""Work that one process does for all: it has one owner at a time, and a dead owner is soon replaced."""

from types import SimpleNamespace

import pytest

from bot.domain.installations import Installation
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.steps import Update
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Call
from bot.services.owners import RENEWAL_SECONDS, STARTS_PREFIX, WORKER_TIMEOUT_SECONDS, SharedOwners
from bot.slack.calls import SlackAnswer
from bot.slack.methods import USERS_LIST
from bot.slack.people import PeopleDirectory
from bot.store import accounts, cards, notices, operations, owners, runs, tasks
from bot.store.owners import LEASE_SECONDS
from bot.store.tasks import NewTask
from bot.support.errors import SlackLimited, StoreUnavailable
from tests.rigs.store import ALICE, accept_operation, launched, link_account, linked, watch_run

pytestmark = pytest.mark.both_engines

#: In seconds: the longest time that a dead owner may be missed, and the interval of the others' checks.
REPLACED_WITHIN, TICK = 15.0, 1.0


@pytest.fixture
async def two(database, clock):
    """Two processes on one database."""
    stores = [await database.open(), await database.open()]
    return [
        SharedOwners(store, clock.monotonic, name, f"worker:{name}")
        for store, name in zip(stores, "ab", strict=True)
    ]


async def test_one_owns_at_a_time_until_it_leaves(two, clock):
    first, second = two
    since = await first.own("starts:hub")
    assert since == clock.monotonic()
    assert await second.own("starts:hub") is None
    for _ in range(10):
        clock.advance(RENEWAL_SECONDS)
        await first.renew()
        assert await second.own_all(["starts:hub", "output:r1"]) == {"output:r1": since + RENEWAL_SECONDS}
        await second.renew()
    # It was never without it.
    assert await first.own("starts:hub") == since
    await first.leave()
    assert await second.own("starts:hub") == clock.monotonic()
    assert await first.own("starts:hub") is None
    assert await first.own("free") is None


async def test_a_dead_owner_is_replaced_in_time_and_knows_it_before(two, clock):
    first, second = two
    await first.own("starts:hub")
    clock.advance(LEASE_SECONDS - 0.5)
    assert await second.own("starts:hub") is None
    clock.advance(0.5)
    assert await second.own("starts:hub") == clock.monotonic()
    assert LEASE_SECONDS + TICK < REPLACED_WITHIN
    # The first process hasn't renewed the lease, so it has lost it; it finds out when it asks again.
    assert await first.own("starts:hub") is None
    await first.renew()
    await first.disown("starts:hub")
    clock.advance(LEASE_SECONDS - 0.1)
    assert await first.own("starts:hub") is None


async def test_who_is_about_to_end_leaves_starts_at_once_and_keeps_outputs_for_now(two):
    first, second = two
    await first.own_all(["starts:hub", "output:r1"])
    await first.end()
    await first.renew()
    assert set(await first.own_all(["starts:hub", "output:r1"])) == {"output:r1"}
    assert set(await second.own_all(["starts:hub", "output:r1"])) == {"starts:hub"}
    await first.leave()
    assert await second.own("output:r1") is not None


async def test_what_was_not_renewed_in_time_begins_again_though_nobody_took_it(two, clock):
    first, _ = two
    before = await first.own("starts:hub")
    clock.advance(LEASE_SECONDS + 3.0)
    await first.renew()
    assert await first.own("starts:hub") == clock.monotonic() != before


async def test_a_database_that_is_away_leaves_it_owned_only_as_long_as_that_is_sure(two, clock):
    first, _ = two
    since = await first.own("starts:hub")
    await first._store.close()
    clock.advance(LEASE_SECONDS - 2.0)
    await first.renew()
    assert await first.own("starts:hub") == since
    clock.advance(1.5)
    with pytest.raises(StoreUnavailable):
        await first.own("starts:hub")
    await first.leave()


async def test_who_lives_can_be_seen(two, store, clock):
    first, second = two
    await first.renew()
    await second.renew()
    assert [(one.name, one.seconds) for one in await store.read(owners.list_ownerships)] == [
        ("worker:a", LEASE_SECONDS),
        ("worker:b", LEASE_SECONDS),
    ]
    clock.advance(LEASE_SECONDS - 1.0)
    await second.renew()
    clock.advance(1.0)
    assert [one.name for one in await store.read(owners.list_ownerships)] == ["worker:b"]


async def test_starts_are_left_to_who_owns_them_until_they_are_sent(two, store, clock):
    first, _ = two
    workspaces = (await linked(store, names=["x", "y"])).workspaces
    ids = [(await accept_operation(store, one, interaction=one.id)).operation.id for one in workspaces]
    await first.own("starts:saturn")
    assert await store.claim(operations.claim_operations, 10, 1.0, "b") == []
    claimed = await store.claim(operations.claim_operations, 10, 1.0, "a")
    assert {one.subject.id for one in claimed} == set(ids)
    sent = Update(ids[0], 0.0, start_call=Call.ACCEPTED, called=True, claim=claimed[0].claim)
    await store.write(operations.save_step, sent)
    clock.advance(LEASE_SECONDS - 1.0)
    assert [one.subject.id for one in await store.claim(operations.claim_operations, 10, 1.0, "b")] == [
        ids[0]
    ]
    clock.advance(1.0)
    assert {one.subject.id for one in await store.claim(operations.claim_operations, 10, 1.0, "b")} == set(
        ids
    )


async def test_reading_everybody_goes_on_where_it_began(two, store):
    first, second = two
    pages = [{"members": [], "response_metadata": {"next_cursor": "more"}}, SlackLimited(USERS_LIST, 5.0), {}]

    class Slack:
        budget = SimpleNamespace(installation=Installation("T1"))

        def list_clients(self):
            return [self]

        async def call(self, _method, _arguments):
            page = pages.pop(0)
            if isinstance(page, Exception):
                raise page
            return SlackAnswer(page, None)

    here, there = PeopleDirectory(store, Slack(), first), PeopleDirectory(store, Slack(), second)
    await store.write(tasks.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, "everybody")])
    with pytest.raises(SlackLimited):
        await here.sync()
    assert await store.claim(tasks.claim_tasks, 10, 0.0, "b") == []
    with pytest.raises(SlackLimited):
        await there.sync()
    assert len(await store.claim(tasks.claim_tasks, 10, 0.0, "a")) == 1
    assert await here.sync() == []
    assert pages == []
    assert len(await store.claim(tasks.claim_tasks, 10, 0.0, "b")) == 1


async def test_a_run_is_left_to_who_follows_its_output_with_all_that_is_said_of_it(two, store, clock):
    first, _ = two
    account = await link_account(store)
    run = await launched(store, connection="saturn", shows=True)
    (claimed,) = await store.claim(runs.claim_runs, 10, 0.0, "b")
    accepted = Update(run.id, 0.0, start_call=Call.ACCEPTED, remote_id="r1", claim=claimed.claim)
    await store.write(runs.save_run_step, accepted)
    await watch_run(store, run.id)
    await store.write(notices.add_notices, [NewNotice(run.id, NoticeKind.JOB_FILE, "1", ALICE)])
    assert [one.id for one in await store.read(runs.list_watched_runs, "b")] == [run.id]
    (card,) = [
        one for one in await store.perform(notices.claim_notices, 10, 0.0) if one.kind is NoticeKind.JOB_CARD
    ]
    await store.write(notices.mark_notice_sent, card, "D1", "1.1")
    await store.write(runs.queue_grown_outputs, [run.id])
    clock.advance(20.0)
    await first.own(f"output:{run.id}")
    clock.advance(1.0)
    assert await store.read(runs.list_watched_runs, "b") == []
    assert await store.claim(runs.claim_runs, 10, 60.0, "b") == []
    assert await store.claim(runs.claim_runs_of, account, 10, 60.0, "b") == []
    assert not [
        one
        for one in await store.perform(notices.claim_notices, 10, 60.0, owner="b")
        if one.subject == run.id
    ]
    assert await store.claim(cards.claim_cards, 10, 60.0, owner="b") == []
    assert [one.id for one in await store.claim(cards.claim_cards, 10, 60.0, owner="a")] == [run.id]
    assert [one.id for one in await store.read(runs.list_watched_runs, "a")] == [run.id]
    assert [one.subject for one in await store.perform(notices.claim_notices, 10, 60.0, owner="a")].count(
        run.id
    ) >= 1
    account = await store.read(accounts.find_account_by_id, account.id)
    assert len(await store.claim(runs.claim_runs_of, account, 10, 60.0, "a")) == 1


async def test_people_are_told_once_nobody_has_done_the_work_for_longer_than_a_restart_takes(database, clock):
    web, worker, returned = [
        SharedOwners(await database.open(), clock.monotonic, name, f"{name}:{name}")
        for name in ("web", "worker", "serve")
    ]
    for _ in range(10):
        await worker.renew()
        await web.renew()
        clock.advance(RENEWAL_SECONDS)
    assert web.is_worked
    await worker.leave()
    clock.advance(WORKER_TIMEOUT_SECONDS - 2 * RENEWAL_SECONDS)
    await web.renew()
    assert web.is_worked
    clock.advance(2 * RENEWAL_SECONDS)
    await web.renew()
    assert not web.is_worked
    await returned.renew()
    await web.renew()
    assert web.is_worked


async def test_the_owner_of_a_start_queue_leads_and_before_there_is_one_the_first(database, clock):
    first, second = [
        SharedOwners(await database.open(), clock.monotonic, name, f"worker:{name}") for name in "ab"
    ]

    async def lead():
        for one in (second, first, second):
            await one.renew()
        return [one.name for one in (first, second) if not one.leaves_for]

    await second.renew()
    assert not second.leaves_for, "nobody else works yet"
    assert await lead() == ["a"]
    await second.own(f"{STARTS_PREFIX}saturn")
    assert await lead() == ["b"]
    await second.disown(f"{STARTS_PREFIX}saturn")
    assert await lead() == ["a"]


async def test_no_worker_is_missed_while_nobody_can_look(two, clock):
    web, _ = two
    await web._store.close()
    for _ in range(round(2 * WORKER_TIMEOUT_SECONDS / RENEWAL_SECONDS)):
        clock.advance(RENEWAL_SECONDS)
        await web.renew()
    assert web.is_worked


async def test_process_knows_which_connections_of_others_it_lacks(database, clock):
    """A process lacks the connections that other live processes have announced and it doesn't have.

    Processes of an earlier release announce none.
    """

    async def process(role, *connections):
        given = (f"{role}:{role}", ["key"], connections)
        return SharedOwners(await database.open(), clock.monotonic, role, *given)

    web, worker, former = await process("web", "a", "b"), await process("worker", "a"), await process("serve")
    for one in (web, worker, former, web):
        await one.renew()
    assert (web.lacking_connections, worker.lacking_connections) == (frozenset(), {"b"})
    assert (web.lacks_keys, worker.lacks_keys) == (False, False)
    await web.leave()
    await worker.renew()
    assert worker.lacking_connections == frozenset()


async def test_a_process_knows_that_others_have_keys_that_it_lacks(database, clock):
    """First web was restarted with the new key, then the worker, then both without the old one."""

    async def process(role, *keys):
        return SharedOwners(await database.open(), clock.monotonic, role, f"{role}:{role}", keys)

    web, worker = await process("web", "new", "old"), await process("worker", "old")
    for one in (web, worker, web):
        await one.renew()
    assert (web.lacks_keys, worker.lacks_keys) == (False, True)
    await worker.leave()
    worker = await process("worker", "new", "old")
    await worker.renew()
    await web.renew()
    assert (web.lacks_keys, worker.lacks_keys) == (False, False)
    # The keys of a dead process don't count.
    await web.leave()
    newest = await process("web", "new")
    await newest.renew()
    assert newest.lacks_keys
    clock.advance(LEASE_SECONDS + 1)
    await newest.renew()
    assert not newest.lacks_keys
