"""A database of 0.3.1 after the upgrade, with its rows, buttons and forms, on SQLite and PostgreSQL.

``rows_of_0_3_1.json`` was written by that release itself, whose test rig ran the commands that the buttons
are named after; none of it comes from a migration.
"""

import json
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.domain.people import Principal
from bot.messages.blocks.notices import render
from bot.store import audit, open_store
from bot.store.postgres import PostgresEngine
from bot.store.sqlite import SqliteEngine
from bot.store.tables import CARDS, NOTICES, TABLES
from tests.handlers.rig import COLLEAGUE, Cloud, rig, submit
from tests.rigs import earlier, postgres
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.maker import Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, serve_new

FORMER: Any = json.loads((Path(__file__).parent / "rows_of_0_3_1.json").read_text(encoding="utf-8"))
TARA = Principal(None, "T1", "UTARA")
BOB = Principal(None, "T1", "UBOB")
#: Tables with another name since.
TODAY = {
    "acts": "undoable_actions",
    "contacts": "greetings",
    "forgotten": "undecryptable_secrets",
    "remembered": "form_values",
    "lineage": "database_timeline",
    "waits": "waitlist_entries",
}
#: The SQLite file after the upgrade, made by the first case; each case begins with a copy.
SQLITE_FILE: list[bytes] = []


@asynccontextmanager
async def upgraded(path, is_postgres):
    """Open a store on a database that 0.3.1 wrote and that has been migrated to this release."""
    url = postgres.new_database("usher_of_0_3_1") if is_postgres else f"sqlite:///{path}"
    opened = postgres.open_store if is_postgres else open_store
    if is_postgres or not SQLITE_FILE:
        await write_former(url, is_postgres)
        store = await opened(url, FakeClock(), CountingIds(1001))
        await store.migrate()
        await store.close()
    if not is_postgres:
        SQLITE_FILE[:] = SQLITE_FILE or [path.read_bytes()]
        path.write_bytes(SQLITE_FILE[0])
    store = await opened(url, FakeClock(), CountingIds(1001))
    await serve_new(store)
    yield store
    await store.close()


async def write_former(url, is_postgres):
    """Write the rows of 0.3.1 into a new database with that release's schema."""
    engine = PostgresEngine if is_postgres else SqliteEngine
    former = engine(
        url.removeprefix("sqlite:///"), FakeClock(), CountingIds(), scripts=earlier.scripts_of("0.3.1")
    )
    await former.open()
    await former.migrate()
    await former.write(partial(earlier.write_rows, rows=FORMER["rows"], is_postgres=is_postgres))
    await former.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def bot(tmp_path, request):
    clock = FakeClock()
    connections = {
        "saturn": Cloud(clock, fake_settings("saturn", title="Saturn Cloud", starts_per_second=4.0)),
        "bench": Maker(clock, fake_settings("bench", title="Workbench", linking=("admin",))),
    }
    opened = upgraded(tmp_path / "usher.db", request.param == "postgresql")
    administrators = frozenset({COLLEAGUE.user_id})
    async with rig(
        connections=connections, administrators=administrators, opened=opened, first_id=1501
    ) as made:
        # New interactions get other numbers, since those of 0.3.1 are in the inbox.
        made.count = 100
        yield made


async def read(bot, query):
    (row,) = await bot.store.engine.read(lambda tx: tx.all(query))
    return next(iter(row.values()))


#: Tables that this release no longer has. In 0.3.1, the audit's head had its own table.
GONE = ("audit_head", "conversations")


async def test_every_row_is_read_and_the_audit_verifies(bot):
    for name, rows in FORMER["rows"].items():
        table = TABLES[TODAY.get(name, name)] if name not in GONE else None
        if table is not None:
            query = f"SELECT * FROM {table.name}"
            found = await bot.store.engine.read(
                lambda tx, table=table, query=query: (
                    tx.all(query) if table.model is None else table.query(tx, query)
                )
            )
            # A pending message of a removed kind is deleted, as are the rules of courses' members.
            gone = {"notices": 1, "rules": 2}.get(name, 0)
            # Usage from before the upgrade is read from the audit.
            more = {"audit": 1, "tasks": 1}.get(name, 0)
            assert len(found) == len(rows) - gone + more, name
    assert await bot.store.perform(audit.verify_audit) is None
    exported = await bot.store.read(audit.read_audit)
    assert [row["action"] for row in exported] == [row["action"] for row in FORMER["rows"]["audit"]]


async def test_every_message_is_rendered(bot):
    notices, cards = await bot.store.engine.read(
        lambda tx: [table.query(tx, f"SELECT * FROM {table.name}") for table in (NOTICES, CARDS)]
    )
    assert (len(notices), len(cards)) == (5, 5)
    for notice in notices:
        assert (await bot.drawn(notice))["text"]
    for card in cards:
        facts = await bot.services.gatherer.describe_message(card)
        assert facts is not None
        assert render(card.kind, facts).text


PRESSED = {
    "approval_asked / Approve": (COLLEAGUE, "state FROM approvals", "requested", "approved"),
    "card / Stop": (ALICE, "outcome FROM operations WHERE id = 'operation_0016'", None, "replaced"),
    "class_card / Join": (BOB, "COUNT(*) FROM participants", 2, 2),
    "hours analysis skip tomorrow / Don't skip Sat 16 Jan": (
        ALICE,
        "off FROM rules WHERE id = 'rule_0013'",
        "2027-01-16",
        "",
    ),
    "hours analysis skip tomorrow / Turn hours off": (
        ALICE,
        "COUNT(*) FROM rules WHERE id = 'rule_0013'",
        1,
        0,
    ),
    "queue gpu until 20:00 / Stop waiting": (ALICE, "state FROM waitlist_entries", "waiting", "over"),
}


@pytest.mark.parametrize("label", PRESSED, ids=str)
async def test_button_still_works(bot, label):
    who, query, before, after = PRESSED[label]
    assert await read(bot, f"SELECT {query}") == before
    await bot.press(*FORMER["buttons"][label], who)
    assert await read(bot, f"SELECT {query}") == after


async def test_open_form_is_still_accepted(bot):
    chosen = {"type": "checkboxes", "selected_options": [{"value": "stopped"}]}
    view = FORMER["view"] | {"state": {"values": {"tell": {"tell": chosen}}}}
    await submit(bot.services, ALICE, view)
    assert await read(bot, "SELECT ready FROM preferences") == 0
    assert await read(bot, "SELECT stopped FROM preferences") == 1
