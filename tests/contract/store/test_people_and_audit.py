"""The inbox, people, conversation contexts, the audit's hash chain, and the figures that operators see."""

import asyncio
import json
from itertools import pairwise

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Person, Principal
from bot.store import accounts, audit, counts, inbox, notices, outages, owners
from bot.store.audit import hash_of
from bot.store.transaction import Transaction, UsedTwice, track_used_keys
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    first_sight,
    hide_workspace,
    linked,
)


def entries(count, result="ok"):
    return [AuditEntry("a", "act", f"t{number}", result, {"n": number}) for number in range(count)]


async def test_an_interaction_is_seen_once(database, store):
    stores = [store, await database.open()]
    seen = await asyncio.gather(*(first_sight(one, "i1") for one in stores * 5))
    assert sorted(seen) == [False] * 9 + [True]
    assert await first_sight(store, "i2")
    # Without a key, nothing can be recognised as repeated.
    assert [await first_sight(store, "") for _ in range(2)] == [True, True]


async def test_an_interaction_is_used_once_within_a_request(store):
    with track_used_keys():
        assert await first_sight(store, "i1")
        assert await first_sight(store, "i1/1")
        with pytest.raises(UsedTwice), track_used_keys():
            await first_sight(store, "i1")
        assert [await first_sight(store, "") for _ in range(2)] == [True, True]
    with track_used_keys():
        # Slack delivered it again.
        assert not await first_sight(store, "i1")
        with pytest.raises(UsedTwice):
            await first_sight(store, "i1")
    assert not await first_sight(store, "i1")


async def test_first_key_of_an_alias_is_that_of_all(database, store):
    """Two processes that get the same request under two keys at once agree on one key."""
    stores = [store, await database.open()]
    for alias in ("a1", "a2", "a3"):
        given = [(one, f"k{number}") for number in range(5) for one in stores]
        keys = await asyncio.gather(*(one.write(inbox.resolve_key, key, alias) for one, key in given))
        assert len(set(keys)) == 1
        assert await store.write(inbox.resolve_key, "late", alias) == keys[0]
    # Resolving the key of a request doesn't count as an effect.
    assert await first_sight(store, keys[0])


async def test_what_counts_as_answered(store):
    """A reply counts, as does an effect that needs no reply.

    An effect whose reply isn't written yet doesn't.
    """
    await store.write(inbox.mark_answered, "read")
    await first_sight(store, "done")
    await store.write(notices.add_notices, [NewNotice("replied", NoticeKind.REPLY, "1", ALICE)])
    names = ("read", "done", "replied")
    assert [await store.read(inbox.was_answered, name) for name in names] == [False, False, True]
    await store.write(inbox.mark_answered, "done")
    assert await store.read(inbox.was_answered, "done")


async def test_people_come_back_and_the_newer_sight_wins(store):
    assert await store.person(ALICE) is None
    alice = Person(ALICE, "Alice", True, True, True, True, "Europe/Berlin", 100.0)
    await store.save_people([alice, Person(BOB, "Bob", seen_at=100.0)])
    assert await store.person(ALICE) == alice
    await store.save_people([Person(ALICE, "Older", seen_at=99.0), Person(BOB, "Robert", seen_at=101.0)])
    assert (await store.person(ALICE)).name == "Alice"
    assert await store.person(BOB) == Person(BOB, "Robert", seen_at=101.0)
    assert await store.person(Principal("E9", "T1", "UALICE")) is None


@pytest.mark.both_engines
async def test_a_person_is_met_once(store):
    assert not await store.read(accounts.is_introduced, ALICE)
    met = await asyncio.gather(*(store.write(accounts.note_introduction, ALICE) for _ in range(5)))
    assert sorted(met, key=str) == [None] * 4 + [{}]
    assert [await store.read(accounts.is_introduced, who) for who in (ALICE, BOB)] == [True, False]
    assert await store.write(accounts.note_introduction, ALICE) is None
    assert await store.write(accounts.note_introduction, BOB) == {}


async def test_the_audit_is_a_chain_in_order(store, clock):
    assert await store.read(audit.read_audit_head) == (0, "")
    assert await store.perform(audit.verify_audit) is None
    await store.write(audit.append_audit, entries(2))
    clock.advance(0.1)
    await store.write(audit.append_audit, entries(3, "refused"))
    await store.write(audit.append_audit, [])
    rows = await store.read(audit.read_audit)
    assert [row["seq"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["result"] for row in rows] == ["ok"] * 2 + ["refused"] * 3
    assert [json.loads(row["detail"]) for row in rows[:2]] == [{"n": 0}, {"n": 1}]
    assert rows[0]["previous_hash"] == ""
    for before, after in pairwise(rows):
        assert after["previous_hash"] == before["hash"] == hash_of(before)
    assert await store.read(audit.read_audit_head) == (5, rows[-1]["hash"])
    assert await store.read(audit.read_audit, after=3, limit=1) == [rows[3]]
    assert await store.perform(audit.verify_audit, page=2) is None


@pytest.mark.both_engines
async def test_a_row_of_the_audit_is_found_by_what_it_says(store):
    await store.write(audit.append_audit, entries(3))
    row = dict((await store.read(audit.read_audit))[1])
    said = {name: row[name] for name in ("at", "actor", "action", "target", "result", "detail")}
    assert await store.read(Transaction.one, "was_audited", **said) is not None
    for name, other in said.items():
        changed = said | {name: -1.0 if name == "at" else f"{other} "}
        assert await store.read(Transaction.one, "was_audited", **changed) is None


@pytest.mark.both_engines
async def test_database_is_used_once_somebody_has_acted(store):
    loaded = AuditEntry("usher", "providers.loaded", "serve", "ok")
    assert not await store.read(audit.is_database_used)
    await store.write(audit.append_audit, [loaded] * 100)
    assert not await store.read(audit.is_database_used)
    await store.write(audit.append_audit, entries(1))
    assert await store.read(audit.is_database_used)


async def test_database_with_a_long_audit_is_used(store):
    loaded = AuditEntry("usher", "providers.loaded", "serve", "ok")
    for used in (False, True):
        for _ in range(2):
            await store.write(audit.append_audit, [loaded] * 51)
        assert await store.read(audit.is_database_used) is used


async def test_database_with_an_account_is_used_without_an_audit(store):
    await linked(store)
    assert await store.read(audit.is_database_used)


async def test_two_stores_make_one_chain(database):
    first, second = await database.open(), await database.open()
    await asyncio.gather(*(store.write(audit.append_audit, entries(3)) for store in (first, second) * 10))
    assert (await first.read(audit.read_audit_head))[0] == 60
    assert await second.perform(audit.verify_audit) is None


async def test_statistics_count_what_operators_ask_for(store):
    mine = await linked(store, names=["one", "two"])
    await hide_workspace(store, mine.workspaces[1].id)
    await accept_operation(store, mine.workspaces[0], notices=[NewNotice("", NoticeKind.CARD, "", ALICE)])
    await store.write(notices.add_notices, [NewNotice("d", NoticeKind.MESSAGE, "", ALICE)])
    (notice,) = await store.perform(notices.claim_notices, 1, 60.0)
    await store.write(notices.give_up_notice, notice.id, "gone")
    # Nobody misses these.
    for kind, error in ((NoticeKind.REPLY, "expired"), (NoticeKind.READY, "user_disabled")):
        await store.write(notices.add_notices, [NewNotice(error, kind, "", ALICE)])
        (notice,) = await store.perform(notices.claim_notices, 1, 60.0, {kind.urgency: 1.0})
        await store.write(notices.give_up_notice, notice.id, error)
    assert await store.perform(counts.count_rows) == {
        "open_operations": 1,
        "open_runs": 0,
        "pending_notices": 1,
        "waiting_edits": 0,
        "dead_notices": 1,
        "accounts": 1,
        "workspaces": 1,
        "tasks": 0,
        "owed_revocations": 0,
        "people": 1,
    }


@pytest.mark.both_engines
async def test_figures_tell_how_long_messages_and_connections_have_waited(store, clock):
    assert (await store.perform(counts.measure_figures)).waited == 0.0
    await store.write(notices.add_notices, [NewNotice("later", NoticeKind.MESSAGE, "", ALICE, due_in=60.0)])
    await store.write(outages.begin_outage, "hub#secret", await store.now())
    await store.write(owners.own, "somebody", ["web:somebody", "starts:hub"])
    clock.advance(5)
    found = await store.perform(counts.measure_figures)
    # Work that isn't due yet isn't late.
    assert (found.waited, found.outages) == (0.0, {"hub#secret": 5.0})
    assert found.processes == {"serve": 0, "web": 1, "worker": 0}
    clock.advance(65)
    assert (await store.perform(counts.measure_figures)).waited == 10.0
    (notice,) = await store.perform(notices.claim_notices, 1, 60.0)
    await store.write(notices.retry_notice, notice, 30.0, error="internal_error")
    # A further attempt doesn't make it younger, and a process that is gone isn't counted.
    assert (await store.perform(counts.measure_figures)).waited == 70.0
    assert (await store.perform(counts.measure_figures)).processes == {}
