"""PostgreSQL understands every query, with plans that walk no table that grows."""

import pytest

from bot.store.postgres_session import numbered
from tests.contract.store.test_sqlite_plans import RARE, STATEMENTS
from tests.rigs import postgres

#: Tables that stay small: a row for each connection, for each person limited within a minute, for each
#: kind of work, for the process that serves.
SMALL = ("outages", "reached", "pauses", "serving", "upkeep", "audit_head", "lineage")
#: In place of the columns that a caller sets: one that every table has.
SET = "connection = :connection"
#: One has two ways to look for operations, and takes the one that costs less; the other means every row.
OTHERS = {"namesakes", "end_browser_sessions_at"}


@pytest.fixture
async def connection():
    with postgres.connected(await postgres.migrated()) as connection:
        # In an empty table the planner would walk it: here it does only where there is no other way.
        connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        yield connection


async def test_every_query_is_understood_and_has_an_index(connection):
    walks = []
    for name, statement in STATEMENTS.items():
        query, parameters = numbered(statement.replace("{changes}", SET).replace("{same}", ""))
        connection.execute(f"PREPARE q AS {query}".encode())
        given = f"({', '.join('NULL' for _ in parameters)})" if parameters else ""
        plan = [row[0] for row in connection.execute(f"EXPLAIN EXECUTE q{given}".encode())]
        connection.execute("DEALLOCATE q")
        walks += [
            f"{name}: {step.strip()}" for step in plan if "Seq Scan" in step and name not in RARE | OTHERS
        ]
    assert [walk for walk in walks if not any(f" on {table}" in walk for table in SMALL)] == []


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("claim_operations", "operations_due"),
        ("claim_gates", "gates_due"),
        ("claim_notices", "notices_due"),
        ("claim_tasks of tasks", "tasks_due"),
        ("claim_tasks of later_tasks", "later_tasks_due"),
        ("claim_runs", "runs_due"),
        ("claim_timers", "workspaces_timed"),
        ("claim_rules", "rules_due"),
        ("claim_lessons", "rules_of_lessons_due"),
        ("claim_running", "workspaces_left"),
    ],
)
async def test_claims_use_the_index_that_was_made_for_them(connection, name, index):
    query, parameters = numbered(STATEMENTS[name])
    connection.execute(f"PREPARE q AS {query}".encode())
    given = ", ".join("NULL" for _ in parameters)
    plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN EXECUTE q({given})".encode()))
    connection.execute("DEALLOCATE q")
    assert f"Index Scan using {index}" in plan, plan
