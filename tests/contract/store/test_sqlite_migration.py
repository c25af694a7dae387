"""A database of an earlier release is brought up with all its rows."""

from __future__ import annotations

import sqlite3

import pytest

from bot.domain.models import NewNotice, NoticeKind, Observed, State
from bot.store import open_store
from bot.store.queries import migrations
from bot.support.clock import SystemIds
from tests.support.clock import FakeClock
from tests.support.store import ALICE, observe

OLD = ("0001_foundation", "0002_outages_and_places")

ROWS = """
INSERT INTO accounts (id, principal, connection, username, secret, state, linked_at)
VALUES ('a1', '-:T1:UALICE', 'saturn', 'alice', 'sealed', 'active', 1.0);
INSERT INTO gates (gate_key, connection, remote_id) VALUES ('g1', 'saturn', 'r1');
INSERT INTO workspaces (
    id, principal, connection, remote_id, gate_key, name, state, origin, hidden, created_at, verified_at
) VALUES ('ws1', '-:T1:UALICE', 'saturn', 'r1', 'g1', 'notebook', 'stopped', 'discovered', 0, 1.0, 1.0);
INSERT INTO operations (id, principal, workspace_id, connection, verb, created_at, next_step_at, reference)
VALUES ('w1', '-:T1:UALICE', 'ws1', 'saturn', 'start', 1.0, 1.0, 'R-1');
INSERT INTO cards (
    operation_id, principal, channel_id, message_ts, is_dirty, dirt, claimed_dirt, changed_at, updated_at,
    leased_until
) VALUES ('w1', '-:T1:UALICE', 'D1', '1.1', 1, 3, 2, 5.0, 4.0, 6.0);
INSERT INTO notices (id, subject, kind, occasion, principal, body, state, class, created_at, due_at)
VALUES ('n1', 's', 'message', '1', '-:T1:UALICE', '{"text": "canary"}', 'sent', 1, 1.0, 1.0),
    ('n2', 's', 'message', '2', '-:T1:UALICE', '{"text": "canary"}', 'dead', 1, 1.0, 1.0),
    ('n3', 's', 'message', '3', '-:T1:UALICE', '{"text": "to be sent"}', 'retry', 1, 1.0, 1.0);
"""


@pytest.fixture
def path(tmp_path):
    """Return a database as release 0002 left it."""
    path = tmp_path / "usher.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)")
    for name in OLD:
        database.executescript(migrations()[name])
        database.execute("INSERT INTO migrations VALUES (?, 0)", [name])
    database.executescript(ROWS)
    database.commit()
    database.close()
    return path


def rows_of(path, query):
    database = sqlite3.connect(path)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


async def test_all_rows_are_kept_and_go_on(path):
    before = rows_of(path, "SELECT * FROM cards")
    clock = FakeClock()
    store = await open_store(f"sqlite:///{path}", clock, SystemIds())
    assert await store.migrate() == [name for name in migrations() if name not in OLD]
    assert rows_of(path, "SELECT * FROM cards") == before
    workspace = await store.workspace("ws1")
    assert (workspace.spec, workspace.actions, workspace.ends_at, workspace.ends_how) == (None,) * 4
    (step,) = await store.claim_operations(10, 60.0)
    assert (step.operation.id, step.workspace.id, step.account.id) == ("w1", "ws1", "a1")
    (card,) = await store.claim_cards(10, 15.0, 60.0)
    assert (card.operation_id, card.message_ts, card.changed_at) == ("w1", "1.1", 5.0)
    await observe(store, clock, workspace, Observed(State.RUNNING, actions=frozenset({"open"})))
    assert (await store.workspace("ws1")).actions == {"open"}
    assert await store.jobs(ALICE) == []
    await store.close()


async def test_what_messages_said_is_not_kept(path):
    store = await open_store(f"sqlite:///{path}", FakeClock(), SystemIds())
    await store.migrate()
    told = "SELECT id, body FROM notices ORDER BY id"
    assert rows_of(path, told) == [("n1", "{}"), ("n2", "{}"), ("n3", '{"text": "to be sent"}')]
    (notice,) = await store.claim_notices(10, 60.0)
    assert notice.body == {"text": "to be sent"}
    await store.notice_sent(notice.id, "D1", "1.1")
    await store.add_notices([NewNotice("t", NoticeKind.MESSAGE, "1", ALICE, {"text": "canary"})])
    (notice,) = await store.claim_notices(10, 60.0)
    await store.notice_dead(notice.id, "user_not_found")
    assert {body for _id, body in rows_of(path, told)} == {"{}"}
    await store.close()


async def test_only_a_stop_that_was_sent_counts_as_agreed(path):
    database = sqlite3.connect(path)
    for call in ("none", "calling", "unknown", "accepted"):
        database.execute(
            "INSERT INTO operations (id, principal, workspace_id, connection, verb, created_at, next_step_at,"
            " reference, stop_call) VALUES (?1, '-:T1:UALICE', ?1, 'saturn', 'stop', 1.0, 1.0, 'R', ?1)",
            [call],
        )
    database.commit()
    database.close()
    store = await open_store(f"sqlite:///{path}", FakeClock(), SystemIds())
    await store.migrate()
    found = rows_of(path, "SELECT id FROM operations WHERE agreed = 1 ORDER BY id")
    assert found == [("accepted",), ("calling",), ("unknown",)]
    await store.close()


async def test_an_upgraded_database_is_made_like_a_new_one(path, tmp_path):
    new = tmp_path / "new.db"
    for each in (path, new):
        store = await open_store(f"sqlite:///{each}", FakeClock(), SystemIds())
        await store.migrate()
        await store.close()
    schema = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    assert rows_of(path, schema) == rows_of(new, schema)
    assert rows_of(path, "PRAGMA foreign_key_check") == rows_of(path, "PRAGMA foreign_key_list(cards)") == []
