"""On SQLite, claims use the indexes that were made for them."""

import re
import sqlite3
from contextlib import closing

import pytest

from bot.store.sqlite import translate_query
from bot.store.tables import OPERATIONS
from tests.rigs.engine import migrated
from tests.rigs.statements import gather_statements

STATEMENTS = gather_statements()


@pytest.fixture(scope="module")
def connection():
    """A connection to the empty schema, which no test here writes to."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(migrated())
        yield connection


def plan(connection, query):
    text, parameters, _ = translate_query(query)
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", [1] * len(parameters))]


def test_no_list_of_words_is_filled_into_a_table(connection):
    indexes = [
        sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'index'") if sql
    ]
    words = connection.execute("EXPLAIN SELECT 1 FROM notices WHERE state IN ('a', 'b', 'c')").fetchall()
    assert "OpenEphemeral" in {step[1] for step in words}
    for text in (*indexes, *(translate_query(query)[0] for query in STATEMENTS.values())):
        assert not re.search(r"IN \('[^']*'(, '[^']*'){2,}\)", text), text


def test_next_due_sorts_nothing(connection):
    steps = plan(connection, STATEMENTS["next_due"])
    assert not any("TEMP B-TREE" in step for step in steps), steps


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("claim_operations", "operations_due"),
        ("claim_gates", "gates_due"),
        ("claim_notices_1", "notices_due"),
        ("claim_changed_cards", "cards_changed"),
        ("claim_progressed_cards", "cards_progressed"),
        ("claim_tasks", "tasks_due"),
        ("claim_runs", "runs_due"),
        ("claim_runs_of_account", "runs_open_of_a_pair"),
        ("sweep_runs", "runs_ended"),
        ("watchers", "workspaces_of_a_gate"),
        ("sweep_notices", "notices_sent"),
        ("claim_timers", "workspaces_timed"),
        ("claim_rules", "rules_due"),
        ("claim_lessons", "participants_due"),
        ("claim_running_workspaces", "workspaces_left"),
        ("starts_alike", "operations_of_a_kind"),
        ("lives_of_person", "lives_of_person"),
        ("sums_of_class", "lives_of_workspace"),
        ("ended_lives", "lives_ended"),
        ("open_lives", "lives_open"),
        ("end_life", "lives_open"),
        ("old_lives", "lives_ended"),
        ("heal_times_of_lives", "lives_ended"),
    ],
)
def test_claims_use_the_index_that_was_made_for_them(connection, name, index):
    steps = plan(connection, STATEMENTS[name])
    assert any(f"INDEX {index}" in step for step in steps), steps


def test_a_workspace_s_open_operation_is_found_by_its_own_index(connection):
    lookup = next(one for one in OPERATIONS.lookups() if "workspace_id = :by_workspace_id AND outcome" in one)
    steps = plan(connection, lookup)
    assert any("INDEX operations_one_open" in step for step in steps), steps


@pytest.mark.parametrize(
    "name",
    [
        "claim_operations",
        "claim_gates",
        "claim_notices_1",
        "claim_tasks",
        "claim_timers",
        "claim_rules",
        "claim_lessons",
        "claim_running_workspaces",
        "starts_alike",
        "claim_changed_cards",
        "claim_runs",
        "claim_runs_of_account",
    ],
)
def test_claims_stop_at_their_limit_instead_of_sorting_all_that_is_due(connection, name):
    steps = plan(connection, STATEMENTS[name])
    assert not any("TEMP B-TREE" in step for step in steps), steps
