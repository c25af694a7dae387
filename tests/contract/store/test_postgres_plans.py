"""On PostgreSQL, claims and first due times use the indexes that were made for them."""

import re

import pytest

from bot.store import due_work
from bot.store.postgres_transaction import translate_query
from bot.store.queues import DECLARED_QUEUES
from bot.store.tables import TABLES
from bot.store.transaction import as_json, clean
from tests.contract.store.field_values import BESIDE, made
from tests.rigs import postgres
from tests.rigs.statements import gather_statements

STATEMENTS = gather_statements()


@pytest.fixture
async def connection():
    with postgres.connected(await postgres.migrated()) as connection:
        # In an empty table the planner prefers a scan; now it scans only if there is no other way.
        connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        yield connection


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("claim_operations", "operations_due"),
        ("claim_gates", "gates_due"),
        ("claim_notices_1", "notices_due"),
        ("claim_tasks", "tasks_due"),
        ("claim_runs", "runs_due"),
        ("claim_timers", "workspaces_timed"),
        ("claim_rules", "rules_due"),
        ("claim_lessons", "participants_due"),
        ("claim_running_workspaces", "workspaces_left"),
    ],
)
async def test_claims_use_the_index_that_was_made_for_them(connection, name, index):
    # Statistics left by another test must not decide between two ways of using the same index.
    connection.execute("SET enable_bitmapscan = off")
    query, parameters = translate_query(STATEMENTS[name])
    connection.execute(f"PREPARE q AS {query}".encode())
    given = ", ".join("NULL" for _ in parameters)
    plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN EXECUTE q({given})".encode()))
    connection.execute("DEALLOCATE q")
    assert f"Index Scan using {index}" in plan, plan


#: Values for rows that are all open, with none of them due.
RESTING = {
    "operations": "outcome = NULL, next_step_at = 4e9, leased_until = 0, start_call = 'accepted'",
    "gates": "connection = 'saturn', due_at = 4e9, next_check_at = 4e9",
    "tasks": "kind = 'discover', due_at = 4e9",
    "runs": "outcome = NULL, next_step_at = 4e9, leased_until = 0, start_call = 'accepted', is_watched = 0",
    "workspaces": "state = 'running', hidden = 0, idle_check_at = 4e9, stop_check_at = 4e9, expires_at = 4e9",
    "accounts": "state = 'active', remind_at = 4e9",
    "rules": "next_check_at = 4e9",
    "notices": "kind = 'card', state = 'sent', urgency = 1, combined_into = NULL",
    "cards": "kind = 'card', is_dirty = 0, message_ts = '1.2'",
    "participants": "due_at = 4e9",
}


def fill(connection, name, rows):
    """Insert rows that aren't due, each of which leaves a dead row behind."""
    table = TABLES[name]
    row = {"gate_key": "", "connection": "", "remote_id": ""}
    if table.model is not None:
        row = {**table.columns(made(table, 10)), **BESIDE.get(name, {})}
    told = {column for column, value in row.items() if str(value).endswith(" 10")} | {"principal", "gate_key"}
    given = {column: clean(value) for column, value in row.items() if column not in told}
    values = ", ".join("'x' || number" if column in told else f"%({column})s" for column in row)
    connection.execute(
        f"INSERT INTO {name} ({', '.join(row)}) SELECT {values} FROM generate_series(1, {rows}) number", given
    )
    connection.execute(f"UPDATE {name} SET {RESTING[name]}")


async def test_next_due_walks_nothing_among_many_dead_rows(connection):
    with connection.transaction(force_rollback=True):
        connection.execute("SET enable_seqscan = on; SET session_replication_role = replica")
        for name in RESTING:
            fill(connection, name, 10_000)
        connection.execute("ANALYZE")
        query, names = translate_query(due_work.make_next_due_query())
        given = dict.fromkeys(names, "1.8e9") | {"warn_seconds": "300.0", "served": as_json({"discover": 1})}
        given |= {"names": as_json({queue.name: 1 for queue in DECLARED_QUEUES.values()})}
        given |= {"connections": as_json({"saturn": 1, "posit": 1})}
        connection.execute(f"PREPARE q AS {query}".encode())
        asked = "EXECUTE q({})".format(", ".join(f"'{given[name]}'" for name in names)).encode()
        first = dict(connection.execute(asked).fetchall())
        assert all(at is None or at > 1.8e9 for at in first.values()), first
        assert first["operations"] == first["gates"] == first["ending_workspaces"] + 300.0 == 4e9
        plan = [row[0] for row in connection.execute(b"EXPLAIN (ANALYZE, BUFFERS) " + asked)]
        walks = [step for step in plan if "Seq Scan" in step]
        assert [step for step in walks if any(f" on {name} " in step for name in RESTING)] == []
        # Index pages full of dead rows are read. Reading one table's dead rows takes 8,000 more pages.
        pages = next(step for step in plan if "Buffers:" in step)
        assert sum(map(int, re.findall(r"=(\d+)", pages))) <= 3_000, pages
