"""No statement scans a whole table that grows with people, except those listed here with a reason."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from bot.domain.people import Principal
from bot.store import postgres_transaction, sqlite
from bot.store.tables import TABLES, Table
from bot.store.transaction import clean, hash_text
from tests.contract.store.field_values import BESIDE, made
from tests.rigs import postgres
from tests.rigs.engine import migrated
from tests.rigs.statements import gather_statements

#: Tables that stay small, with what one of their rows stands for.
SMALL_TABLES = {
    "connections": "a connection",
    "identity": "the installation: one row",
    "installations": "a Slack workspace",
    "database_timeline": "the database's server: one row",
    "migrations": "a release",
    "outages": "a connection in trouble",
    "owners": "a process, or a run whose output it follows",
    "pauses": "a connection, or a person who was limited within a minute",
    "places": "a Slack workspace",
    "reached": "a connection, and Slack",
    "schema_changes": "a release",
    "upkeep": "a kind of daily work",
}
#: Tables with a single row, which is found by its key.
ONE_ROW = {"serving": ""}
#: Indexes that cover only a few rows of a growing table, with what those rows are.
SMALL_INDEXES = {
    "accounts_refused": "links that are refused now",
    "accounts_resting": "links that rest",
    "accounts_to_revoke": "secrets that are to be revoked",
    "approvals_undecided": "requests that nobody has decided yet",
    "cards_changed": "messages that have yet to change in Slack",
    "class_cards_due": "classes that aren't over",
    "class_cards_of_courses": "courses that aren't over",
    "notices_dead": "messages given up within a week",
    "notices_due": "messages that wait to be sent",
    "notices_combined": "messages that another one tells",
    "operations_due": "operations that are under way",
    "operations_uncalled": "operations that have yet to be sent",
    "runs_due": "runs that haven't ended",
    "runs_watched": "runs whose output is followed",
    "tasks_due": "background work that is to be done",
    "waitlist_entries_due": "people in line for room",
    "waitlist_entries_in_line": "waits of a week for one kind of room",
    "waitlist_entries_of_person": "people in line for room",
    "waitlist_entries_one_attempt": "starts for whoever is first in line",
}
COMMAND = "an operator's command runs it, in a process of its own"
RESTORED = "nobody is served: a backup was restored"
HEALS = "nobody is served yet, or the clock was moved"
FREES = "nobody is served yet: it begins with what its predecessor left"
CHANNEL = "a channel got another id, which Slack says seldom"
FIRST = "its first or last row is all that it reads"
LIMITED = "it walks no more than the limit of its order"
#: Statements that scan growing tables on both databases: the tables, and why that is allowed.
WALKS = {
    "accounts_at": (
        "accounts",
        "somebody proves who they are, or a Slack workspace has joined an enterprise",
    ),
    "accounts_of_user_id": ("accounts", "somebody who has no link asks for one"),
    "end_browser_sessions_at": ("browser_sessions", "the app was removed from a Slack workspace"),
    "accounts_with_undecryptable_secrets": ("accounts", COMMAND),
    "heal_gates": ("gates", HEALS),
    "links_by_name": ("accounts", LIMITED),
    "message_in_channel": ("cards", CHANNEL),
    "next_in_line": ("waitlist_entries", FIRST),
    "note_failover": ("audit", FIRST),
    "people_named": ("people", RESTORED),
    "rules_left": ("rules", RESTORED),
    "timers_left": ("workspaces", RESTORED),
    **dict.fromkeys(
        ("people_of_all", "people_of_connections", "sums_of_connections", "sums_of_people"),
        ("lives", "an Usher admin asks for everybody's hours"),
    ),
    "taught_cards": ("class_cards", "a teacher asks for classes, or their hours"),
    "used_database": ("accounts", FIRST),
    "uses": ("accounts rules workspaces", COMMAND),
    "rows_of_channel": (
        "undoable_actions approvals cards class_cards links notices operations runs tasks",
        CHANNEL,
    ),
    **{f"free_{table}": (table, FREES) for table in ("cards", "operations", "tasks")},
    **{
        f"heal_times_of_{table}": (table, HEALS)
        for table in (
            *(
                "accounts",
                "approvals",
                "browser_sessions",
                "cards",
                "class_cards",
                "former_members",
                "greetings",
                "gates",
            ),
            *("lives", "links", "notices", "operations", "participants", "people", "rules", "runs"),
            *("slack_methods", "snapshots", "tasks", "waitlist_entries", "workspaces"),
        )
    },
}
#: Statements that do so on only one of the databases.
WALKS_OF = {
    "sqlite": {
        "ended_lives": ("lives", COMMAND),
        "failed_in_a_row": ("operations", FIRST),
        "free_notices": ("notices", FREES),
        "heal_sends": ("notices", HEALS),
        "heal_times_of_slack_calls": ("slack_calls", HEALS),
        "move_sends": ("notices", HEALS),
    },
    "postgresql": {
        "count_resting": ("accounts", COMMAND),
        "statistics": ("tasks", "what is to be done in the background is counted"),
        "nameless_creation": ("operations workspaces", LIMITED),
        "offer_room": ("waitlist_entries", "those of a week, once for what somebody has freed"),
        "sweep_class_cards": ("participants", LIMITED),
    },
}


STATEMENTS = gather_statements()
#: Columns with few distinct values: a search for one value finds a large part of the table.
COARSE = {"connection", "is_deleted", "kind", "stage", "state", "urgency"}


def walks_of_sqlite(query: str, plan: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (table, index) for each step that scans a table, or all rows that share a frequent value."""
    named = re.findall(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?", query)
    tables = {alias or table: table for table, alias in named if table in TABLES}
    tables |= {table: table for table, _ in named if table in TABLES}
    for step in plan:
        found = re.match(r"(SCAN|SEARCH) (\w+)(?: USING (?:COVERING )?INDEX (\w+))?(?: \((.*)\))?", step)
        if found is None or found[2] not in tables:
            continue
        parts = (found[4] or "").split(" AND ")
        equal = {part.removesuffix("=?") for part in parts if part.endswith("=?")}
        # The plan shows ``IS NOT NULL`` as a comparison, but it excludes hardly any rows.
        ranges = [part[:-2] for part in parts if part[-2:] in {">?", "<?"}]
        chooses = equal - COARSE or any(
            re.search(rf"\b{one}\b\)? *(?:>|<(?!>))|\b{one}, \w", query) for one in ranges
        )
        if found[1] == "SCAN" or not (chooses or "<expr>" in step):
            yield tables[found[2]], found[3] or ""


def walks_of_postgresql(node: Mapping[str, Any], tables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (table, index) for each step that scans a table. `tables` maps indexes to their tables."""
    index, condition = node.get("Index Name", ""), node.get("Index Cond", "")
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"], ""
    elif index and (not condition or re.fullmatch(r"\(\w+ IS NOT NULL\)", condition)):
        yield tables[index], index
    for inner in node.get("Plans", ()):
        yield from walks_of_postgresql(inner, tables)


#: Values of typical rows, if they differ from the model's first values.
USUAL = {
    "accounts": "state = 'active', refused_since = NULL, remind_at = 4e9, runs_read_at = NULL",
    "browser_sessions": "user_id = id_hash",
    "cards": "is_dirty = 0, message_ts = id, stage = 'live', kind = 'card', over_at = NULL",
    "class_cards": "done_at = 1.0",
    "lives": ", ".join(
        f"{name} = CASE WHEN id LIKE '%7' THEN NULL ELSE {name} END"
        for name in ("ended_earliest", "ended_latest", "ended_known")
    ),
    "notices": "state = 'sent', kind = 'card', urgency = 1",
    "operations": """is_orphan = 0, start_call = 'accepted', verb = 'create',
        outcome = CASE WHEN id LIKE '%7' THEN 'failed' WHEN id LIKE '%3' THEN NULL ELSE 'fulfilled' END""",
    "people": "is_deleted = 0, is_bot = 0",
    "rules": "paused = ''",
    "runs": "outcome = 'ended', is_watched = 0, is_orphan = 0",
    "waitlist_entries": "state = 'over', ended_at = 1.0, kind = id",
    "workspaces": "state = 'running', hidden = 0, stop_check_at = NULL, stop_card = NULL",
}


def fill(connection: Any) -> None:
    """Insert some rows into each table, and make the statistics claim a million."""
    connection.execute("SET session_replication_role = replica")
    for table in TABLES.values():
        if table.name not in SMALL_TABLES | ONE_ROW:
            columns, values = row_of(connection, table)
            statement = (
                f"INSERT INTO {table.name} ({columns}) SELECT {values[0]} FROM generate_series(1, 200) number"
            )
            connection.execute(statement, values[1])
        if table.name in USUAL:
            connection.execute(f"UPDATE {table.name} SET {USUAL[table.name]}")
    connection.execute("ANALYZE")
    connection.execute(
        "UPDATE pg_class SET reltuples = reltuples * 5000 FROM pg_namespace n "
        "WHERE n.oid = relnamespace AND n.nspname = 'public' AND reltuples > 0"
    )


def row_of(connection: Any, table: Table[Any]) -> tuple[str, tuple[str, dict[str, Any]]]:
    """Return the columns of a table, an SQL expression for each column's value, and the query's parameters.

    Expressions that use ``number`` give each row a different value.
    """
    if table.model is None:
        found = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name = %s",
            [table.name],
        ).fetchall()
        values = ["'x' || number" if type_ == "text" else "number" for _, type_ in found]
        if table.name == "lives":
            values[[name for name, _ in found].index("kind")] = "'run'"
        return ", ".join(name for name, _ in found), (", ".join(values), {})
    row = {**table.columns(made(table, 10)), **BESIDE.get(table.name, {})}
    told = {name for name, value in row.items() if str(value).endswith(" 10") or isinstance(value, Principal)}
    told -= {"connection", "kind"}
    given = {name: clean(value) for name, value in row.items() if name not in told}
    values = ["'x' || number" if name in told else f"%({name})s" for name in row]
    return ", ".join(row), (", ".join(values), given)


def plans_of_sqlite() -> dict[str, list[str]]:
    """Return SQLite's plan for each statement. SQLite has no statistics here."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(migrated())
        connection.create_function("sha256", 1, hash_text)
        plans = {}
        for name, statement in STATEMENTS.items():
            query, parameters, _ = sqlite.translate_query(statement)
            found = connection.execute(f"EXPLAIN QUERY PLAN {query}", [1] * len(parameters))
            plans[name] = [row[3] for row in found]
        return plans


async def plans_of_postgresql() -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """Return PostgreSQL's plan for each statement on large tables, and the table of each index."""
    plans = {}
    with (
        postgres.connected(await postgres.migrated()) as connection,
        connection.transaction(force_rollback=True),
    ):
        fill(connection)
        connection.execute("SET plan_cache_mode = force_generic_plan")
        for name, query in STATEMENTS.items():
            numbered_, parameters = postgres_transaction.translate_query(query)
            connection.execute(f"PREPARE q AS {numbered_}".encode())
            given = f"({', '.join('NULL' for _ in parameters)})" if parameters else ""
            explained = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE q{given}".encode()).fetchone()
            plans[name] = explained[0][0]["Plan"]
            connection.execute("DEALLOCATE q")
        indexes = connection.execute(
            "SELECT indexname, tablename FROM pg_indexes WHERE schemaname = 'public'"
        )
        return plans, dict(indexes.fetchall())


def listed(database: str) -> dict[str, set[str]]:
    """Return the tables that each listed statement is allowed to scan on this kind of database."""
    found = defaultdict(set)
    for walks in (WALKS, WALKS_OF[database]):
        for name, (tables, _) in walks.items():
            found[name] |= set(tables.split())
    return dict(found)


def of_growing(walks: Mapping[str, set[tuple[str, str]]]) -> dict[str, set[str]]:
    """Return the growing tables that statements scan, by statement."""
    found = {
        name: {
            table
            for table, index in steps
            if table not in SMALL_TABLES | ONE_ROW and index not in SMALL_INDEXES
        }
        for name, steps in walks.items()
    }
    return {name: tables for name, tables in found.items() if tables}


async def test_only_what_is_listed_walks_a_table_that_grows():
    postgres.needs_version(15, "PostgreSQL 14 scans another index of the messages to be sent")
    plans, indexes = await plans_of_postgresql()
    found = plans_of_sqlite().items()
    on_sqlite = {name: set(walks_of_sqlite(STATEMENTS[name], plan)) for name, plan in found}
    postgresql = {name: set(walks_of_postgresql(plan, indexes)) for name, plan in plans.items()}
    for walks in (on_sqlite, postgresql):
        # The query reads only the first entry of each queue's index.
        firsts = {table for table, index in walks.pop("next_due") if not index}
        assert firsts <= SMALL_TABLES.keys()
    assert of_growing(on_sqlite) == listed("sqlite")
    assert of_growing(postgresql) == listed("postgresql")
    steps = {step for walks in (on_sqlite, postgresql) for found in walks.values() for step in found}
    assert SMALL_TABLES.keys() <= {table for table, _ in steps}
    assert SMALL_INDEXES.keys() <= {index for _, index in steps}


@pytest.mark.parametrize(
    ("query", "step", "walked"),
    [
        pytest.param("FROM cards c", "SCAN c", {("cards", "")}, id="all"),
        pytest.param(
            "FROM cards", "SCAN cards USING INDEX cards_about", {("cards", "cards_about")}, id="index"
        ),
        pytest.param(
            "FROM cards WHERE message_ts IS NOT NULL AND message_ts <> ''",
            "SEARCH cards USING INDEX cards_of_threads (message_ts>?)",
            {("cards", "cards_of_threads")},
            id="not-null",
        ),
        pytest.param(
            "FROM accounts WHERE connection = :connection",
            "SEARCH accounts USING INDEX accounts_of_a_connection (connection=?)",
            {("accounts", "accounts_of_a_connection")},
            id="connection",
        ),
        pytest.param(
            "FROM accounts a WHERE a.id = :id",
            "SEARCH a USING INDEX sqlite_autoindex_accounts_1 (id=?)",
            set(),
            id="key",
        ),
        pytest.param(
            "FROM undoable_actions WHERE done_at < :before",
            "SEARCH undoable_actions USING INDEX undoable_actions_age (done_at<?)",
            set(),
            id="before",
        ),
        pytest.param("FROM (SELECT 1) AS batch", "SCAN batch", set(), id="subquery"),
    ],
)
def test_walk_is_read_from_a_step_of_sqlite(query, step, walked):
    assert set(walks_of_sqlite(f"SELECT * {query}", [step])) == walked
