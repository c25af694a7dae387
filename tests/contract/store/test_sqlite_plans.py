"""No query walks a whole table that grows, and claims stay quick with ten thousand rows."""

import re
import sqlite3
from collections import defaultdict
from contextlib import closing

import pytest

from bot.store import leases
from bot.store.schema import healing_queries, named_queries
from bot.store.tables import OPERATIONS, TABLES
from tests.rigs.engine import migrated

#: For operators, once a day, once a process, once a jump of the clock, or while several people are refused:
#: these may look at everything.
RARE = {
    "statistics",
    "counts_of_place",
    "migrated",
    "schema_changes",
    "open_operations_left",
    "rules_left",
    "timers_left",
    "unseen_runs_left",
    "hold_classes",
    "people_named",
    "seek_notices",
    "note_failover",
    "was_audited",
    "accounts_at",
    "active_accounts",
    "message_in_channel",
    "rows_of_channel",
    "active_accounts_at",
    "holders",
    "uses",
    "forgotten_accounts",
    "owed_revocations",
    "end_browser_sessions_at",
    "is_worked",
    "owned",
    "sweep_owners",
    "links_by_connection",
    "workspaces_by_connection",
    *leases.LEASES.values(),
    "heal_gates",
    "heal_sends",
    *healing_queries(),
    "move_leases of operations",
    "move_leases of runs",
    "move_sends",
}

#: Indexes of the few rows that are just what is looked for, walked in the order that is wanted; and tables
#: with a row for each connection at most, or for each person who was limited within a minute.
SMALL = (
    "INDEX cards_changed",
    "INDEX class_cards_of_courses",
    "INDEX notices_dead",
    "INDEX runs_watched",
    "INDEX accounts_suspected",
    "INDEX approvals_undecided",
    "INDEX operations_starting",
    "INDEX runs_failed",
    "INDEX homes_wanted",
    "SCAN outages",
    "SCAN connections",
    # Of a week; and those that are open.
    "SCAN waits USING INDEX waits_in_line",
    "INDEX waits_due",
    # One row.
    "SCAN lineage",
    "SCAN l",
    "SCAN reached",
    "SCAN pauses",
    # What was read, as it was given.
    "SCAN wanted VIRTUAL TABLE INDEX 1:",
    # A row for each Slack workspace; all of them are wanted.
    "SCAN installations USING INDEX sqlite_autoindex_installations_1",
    "SCAN places USING INDEX sqlite_autoindex_places_1",
)


#: What stands for one of several in a statement.
WORDS = {
    "{errands}": ("operations", "runs"),
}
#: Every statement: the named ones, and what finds rows by a key. What is asked of operations and runs is two.
STATEMENTS = {query: query for table in TABLES.values() for query in table.lookups()}
for name, query in named_queries().items():
    found = next((words for words in WORDS if words in query), None)
    if found:
        STATEMENTS |= {f"{name} of {one}": query.replace(found, one) for one in WORDS[found]}
    else:
        STATEMENTS[name] = query


@pytest.fixture(scope="module")
def connection():
    """The schema alone, which no test here writes to."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(migrated())
        yield connection


def plan(connection, query):
    query = query.replace("{changes}", "connection = :connection").replace("{same}", "")
    parameters = defaultdict(lambda: 1, dict.fromkeys(re.findall(r":(\w+)", query), 1))
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", parameters)]


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - RARE))
def test_no_query_walks_a_whole_table(connection, name):
    steps = plan(connection, STATEMENTS[name])
    scans = [step for step in steps if step.startswith("SCAN") and "CONSTANT ROW" not in step]
    assert [step for step in scans if not step.endswith(SMALL)] == []


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("claim_operations", "operations_due"),
        ("claim_gates", "gates_due"),
        ("claim_notices", "notices_due"),
        ("claim_changed_cards", "cards_changed"),
        ("claim_progressed_cards", "cards_progressed"),
        ("claim_tasks", "tasks_due"),
        ("claim_runs", "runs_due"),
        ("claim_runs_of", "runs_open_of_a_pair"),
        ("sweep_runs", "runs_ended"),
        ("watchers", "workspaces_of_a_gate"),
        ("sweep_notices", "notices_sent"),
        ("claim_timers", "workspaces_timed"),
        ("claim_rules", "rules_due"),
        ("claim_lessons", "rules_of_lessons_due"),
        ("claim_running", "workspaces_left"),
        ("starts_alike", "operations_of_a_kind"),
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
        "claim_notices",
        "claim_tasks",
        "claim_timers",
        "claim_rules",
        "claim_lessons",
        "claim_running",
        "starts_alike",
        "claim_changed_cards",
        "claim_runs",
        "claim_runs_of",
    ],
)
def test_claims_stop_at_their_limit_instead_of_sorting_all_that_is_due(connection, name):
    steps = plan(connection, STATEMENTS[name])
    assert not any("TEMP B-TREE" in step for step in steps), steps
