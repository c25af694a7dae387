"""A database that was changed by hand: the audit's chain shows it, and missing rows break nothing."""

import sqlite3

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.work_items import Outcome
from bot.store import audit, operations, sweeping
from bot.store.audit import hash_of
from bot.support.errors import StoreError
from tests.rigs.store import accept_operation, linked

COUNT = 7


@pytest.fixture
def by_hand(database):
    """A function that runs a statement without the store."""

    def run(statement, *parameters):
        connection = sqlite3.connect(database.url.removeprefix("sqlite:///"))
        with connection:
            connection.execute(statement, parameters)
        connection.close()

    return run


async def write(store):
    for number in range(COUNT):
        await store.write(audit.append_audit, [AuditEntry("a", "act", f"t{number}", "ok", {"n": number})])
    assert await store.perform(audit.verify_audit, page=3) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", 5.0),
        ("actor", "b"),
        ("action", "other"),
        ("target", "other"),
        ("result", "refused"),
        ("detail", '{"n": 3}'),
        ("previous_hash", "0" * 64),
        ("hash", "0" * 64),
    ],
)
async def test_an_edit_is_found(store, by_hand, column, value):
    await write(store)
    by_hand(f"UPDATE audit SET {column} = ? WHERE seq = 4", value)
    assert await store.perform(audit.verify_audit, page=3) == 4


async def test_an_edit_with_a_new_hash_is_found_at_the_next_row(store, by_hand):
    await write(store)
    row = {**(await store.read(audit.read_audit, after=3, limit=1))[0], "result": "refused"}
    by_hand("UPDATE audit SET result = 'refused', hash = ? WHERE seq = 4", hash_of(row))
    assert await store.perform(audit.verify_audit) == 5


@pytest.mark.parametrize("page", [2, 3, 1000])
@pytest.mark.parametrize("seq", [1, 4, COUNT])
async def test_a_removed_row_is_found(store, by_hand, seq, page):
    await write(store)
    by_hand("DELETE FROM audit WHERE seq = ?", seq)
    assert await store.perform(audit.verify_audit, page=page) == seq


async def test_rows_that_changed_places_are_found(store, by_hand):
    await write(store)
    for old, new in ((2, 100), (3, 2), (100, 3)):
        by_hand("UPDATE audit SET seq = ? WHERE seq = ?", new, old)
    assert await store.perform(audit.verify_audit) == 2


@pytest.mark.parametrize("page", [2, 5, 1000])
async def test_a_cut_is_found(store, by_hand, page):
    await write(store)
    by_hand("DELETE FROM audit WHERE seq > 5")
    assert await store.perform(audit.verify_audit, page=page) == 6


ARCHIVED = AuditEntry("operator", "audit.archive", "a.jsonl", "ok", {"through": 3})


@pytest.mark.parametrize("page", [2, 1000])
async def test_rows_archived_before_0_4_0_may_be_missing(store, by_hand, page):
    """Earlier releases moved the oldest rows into a file, and wrote an entry that names the last of them."""
    await write(store)
    await store.write(audit.append_audit, [ARCHIVED])
    # Deleted in batches: an interrupted archive left some rows.
    for through in (2, 3):
        by_hand("DELETE FROM audit WHERE seq BETWEEN 1 AND ?", through)
        assert await store.perform(audit.verify_audit, page=page) is None
    by_hand("DELETE FROM audit WHERE seq = 4")
    assert await store.perform(audit.verify_audit, page=page) == 4


async def test_an_archived_row_that_comes_back_is_found(store, by_hand):
    await write(store)
    await store.write(audit.append_audit, [ARCHIVED])
    (row,) = await store.read(audit.read_audit, limit=1)
    by_hand("DELETE FROM audit WHERE seq BETWEEN 1 AND 3")
    columns = ", ".join(row)
    by_hand(f"INSERT INTO audit ({columns}) VALUES ({', '.join('?' * len(row))})", *row.values())
    assert await store.perform(audit.verify_audit) == 2


@pytest.mark.parametrize("rows", ["seq >= 0", "seq >= 1", "seq = 0"])
async def test_an_emptied_audit_is_found(store, by_hand, rows):
    await write(store)
    by_hand(f"DELETE FROM audit WHERE {rows}")
    assert await store.perform(audit.verify_audit) == 1
    # Nothing that couldn't be recorded is done any more.
    if rows != "seq >= 1":
        with pytest.raises(AssertionError):
            await write(store)


async def test_a_row_too_many_is_found(store, by_hand):
    await write(store)
    last = (await store.read(audit.read_audit))[-1]
    row = {**last, "seq": COUNT + 1, "previous_hash": last["hash"]}
    row["hash"] = hash_of(row)
    columns = ", ".join(row)
    by_hand(f"INSERT INTO audit ({columns}) VALUES ({', '.join('?' * len(row))})", *row.values())
    assert await store.perform(audit.verify_audit) == COUNT + 1


async def test_a_row_in_the_place_of_the_next_one_is_not_overwritten(store, by_hand):
    await write(store)
    by_hand("UPDATE audit SET detail = ? WHERE seq = 0", f"{COUNT - 1}")
    before = await store.read(audit.read_audit)
    with pytest.raises(StoreError):
        await write(store)
    assert await store.read(audit.read_audit) == before


async def test_a_head_that_was_changed_is_found(store, by_hand):
    await write(store)
    by_hand("UPDATE audit SET hash = ? WHERE seq = 0", "0" * 64)
    assert await store.perform(audit.verify_audit) == COUNT


async def test_the_chain_goes_on_after_a_rewritten_end_and_is_found(store, by_hand):
    await write(store)
    by_hand("UPDATE audit SET result = 'refused' WHERE seq = ?", COUNT)
    await store.write(audit.append_audit, [AuditEntry("a", "act", "later", "ok")])
    assert await store.perform(audit.verify_audit) == COUNT


async def test_an_operation_whose_workspace_was_deleted_by_hand_ends(store, by_hand):
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace, interaction="i1")).operation
    by_hand("DELETE FROM workspaces")
    assert await store.claim(operations.claim_operations, 10, 60.0) == []
    await store.perform(sweeping.sweep)
    assert (await store.read(operations.find_operation, operation.id)).outcome is Outcome.CANCELLED
    assert (await accept_operation(store, workspace, interaction="i1")).operation.id == operation.id
