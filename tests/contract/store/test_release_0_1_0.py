"""A database of 0.1.0, kept as it was, is brought up to date by every later release and worked on."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.errands import Call, Outcome
from bot.domain.notices import NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.runs import RunState
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.store import schema
from bot.store.tables import TABLES
from bot.support.clock import SystemIds
from bot.support.errors import StoreUnreleased
from bot.support.release import FIRST, RELEASE, is_newer, newest
from bot.support.settings import is_postgres
from tests.rigs import postgres
from tests.rigs.store import ALICE, BOB

KEPT = Path(__file__).with_name("releases").joinpath("0.1.0.sql").read_text(encoding="utf-8")


def kept():
    """Return the columns and rows of each table of the kept database."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(KEPT)
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: rows_of(database, name) for (name,) in tables if name != "migrations"}


#: What a process of a release before can't work with.
TAKES_AWAY = re.compile(
    r"\bDROP (TABLE|COLUMN)\b|\bRENAME\b|\bALTER COLUMN\b|\bADD CONSTRAINT\b"
    r"|\bADD COLUMN (?![^;]*\bDEFAULT\b)[^;]*\bNOT NULL\b"
)


def takes_away(script):
    """Return whether a process of the release before would fail on the schema that this migration leaves."""
    tables = re.findall(r"\bCREATE UNIQUE INDEX \w+ ON (\w+)", script)
    return bool(TAKES_AWAY.search(script)) or any(f"CREATE TABLE {one} " not in script for one in tables)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("ALTER TABLE t ADD COLUMN c TEXT; CREATE INDEX i ON t (c); DROP INDEX j;", False),
        ("ALTER TABLE t ADD COLUMN c BIGINT NOT NULL DEFAULT 0;", False),
        ("ALTER TABLE t ADD COLUMN c BIGINT NOT NULL;", True),
        ("ALTER TABLE t ADD COLUMN c TEXT;\nALTER TABLE t DROP COLUMN d;", True),
        ("DROP TABLE t;", True),
        ("ALTER TABLE t RENAME TO u;", True),
        ("CREATE UNIQUE INDEX i ON t (c);", True),
        ("CREATE TABLE n (c TEXT NOT NULL); CREATE UNIQUE INDEX i ON n (c);", False),
    ],
)
def test_what_an_earlier_release_can_bear(script, expected):
    assert takes_away(script) is expected


def test_every_migration_names_the_oldest_release_that_can_bear_it():
    oldest = {name: schema.oldest(name, script) for name, script in schema.migrations().items()}
    wrong = [
        name
        for name, script in schema.migrations().items()
        if is_newer(oldest[name], RELEASE) or (takes_away(script) and not is_newer(oldest[name], FIRST))
    ]
    assert wrong == []


#: The words that 0.1.0 knows, by their enum.
WORDS = {
    NoticeKind: (
        "approval_asked approval_denied approval_done approval_failed asked card card_update "
        "class_card class_ending class_over class_posted ending failed held hours_missed "
        "hours_moved hours_paused job_asked job_card job_ended job_failed job_file "
        "job_file_missing job_not_stopped job_output job_waiting link_again link_ending "
        "link_tried linked message needed outage ready refused removed reply restored scheduled "
        "sign_in_refused stopped stopped_elsewhere suspended timer_ending timer_failed unlinked "
        "waiting"
    ),
    TaskKind: (
        "approve discover list_jobs look_up_person replay revoke revoke_unused schedule snapshot sync_people"
    ),
    OperationVerb: "create force remove restart start stop suspend",
    Call: "accepted calling none unknown",
    Outcome: "cancelled ended failed fulfilled refused replaced unknown",
    State: "failed gone running starting stopped stopping suspended unknown",
    RunState: "cancelled failed queued running succeeded unknown",
}


@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: kind.__name__)
def test_words_that_it_does_not_know_are_kept_where_it_does_not_look(kind):
    later = {word for word in kind if word not in WORDS[kind].split()}
    hidden = {word for word in kind if getattr(word, "is_later", False)}
    oldest = newest(schema.oldest(name, script) for name, script in schema.migrations().items())
    # A word that can't be hidden is brought by a migration that shuts it out.
    assert later == hidden or (later > hidden and is_newer(oldest, FIRST))


def test_release_numbers_are_compared_as_numbers():
    assert is_newer("0.10.0", "0.9.9")
    assert not is_newer("0.2.0", "0.2.0")
    assert newest(["0.9.0", "0.10.0", "0.2.0"]) == "0.10.0"
    assert is_newer(RELEASE, FIRST)


def rows_of(database, table, columns=("*",)):
    cursor = database.execute(f"SELECT {', '.join(columns)} FROM {table}")
    return [column[0] for column in cursor.description], sorted(cursor.fetchall(), key=repr)


@pytest.fixture
def url(engine_name, tmp_path):
    """A new database with what is kept."""
    if engine_name == "sqlite":
        path = tmp_path / "usher.db"
        with closing(sqlite3.connect(path)) as database:
            database.executescript(KEPT)
        return f"sqlite:///{path}"
    url = postgres.new_database("usher_0_1_0")
    with postgres.connected(url) as connection:
        connection.execute(schema.TEXT.sub('TEXT COLLATE "C"', KEPT).encode())
    return url


def reached(url):
    return postgres.connected(url) if is_postgres(url) else closing(sqlite3.connect(url[len("sqlite:///") :]))


def columns_of(url):
    """Return the columns of all tables."""
    with reached(url) as database:
        return {name: rows_of(database, name)[0] for name in TABLES}


async def test_every_row_is_there_after_the_migrations_and_work_goes_on(url, clock):
    before = kept()
    store = await postgres.open_store(url, clock, SystemIds())
    try:
        ran = await store.migrate()
        assert ran == list(schema.migrations())[1:]
        with reached(url) as database:
            # More would keep 0.1.0 from starting again.
            assert rows_of(database, "migrations", ["name"])[1] == [("0001_initial",)]
        with reached(url) as database:
            after = {name: rows_of(database, name, columns) for name, (columns, _) in before.items()}
        assert after == before
        await store.begin_serving()
        assert [one.name for one in await store.workspaces(ALICE)] == ["notebook", "report"]
        assert (await store.account(BOB, "saturn")).username == "ubob"
        (claimed,) = await store.claim_operations(10, 40.0)
        assert claimed.operation.workspace_id == "workspace_0001"
        assert {one.id for one in await store.claim_notices(10, 60.0)} == {"notice_0006", "notice_0007"}
        assert await store.verify_audit() is None
        await store.append_audit([AuditEntry("T1:UALICE", "later", "", "ok")])
        assert await store.verify_audit() is None
    finally:
        await store.close()


async def test_it_becomes_what_a_new_database_is(url, clock, engine_name, tmp_path):
    new = f"sqlite:///{tmp_path}/new.db" if engine_name == "sqlite" else postgres.new_database("usher_new")
    for one in (url, new):
        store = await postgres.open_store(one, clock, SystemIds())
        await store.migrate()
        await store.close()
    assert columns_of(url) == columns_of(new)


async def test_one_of_before_is_answered_in_a_sentence(url, clock):
    with reached(url) as database:
        database.execute("UPDATE migrations SET name = '0001_schema'")
        database.execute("INSERT INTO migrations VALUES ('0002_messages', 0)")
        database.commit()
    store = await postgres.open_store(url, clock, SystemIds())
    with pytest.raises(StoreUnreleased, match="was made by a development version of Usher"):
        await store.migrate()
    await store.close()
