"""The sweep deletes rows that are no longer needed, and nothing else."""

import asyncio
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from unittest.mock import Mock

import pytest

from bot.commands.pages import find_section
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.people import Principal
from bot.domain.reads import ReadResult
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State, Workspace
from bot.store import audit, cards, gates, notices, operations, runs, sweeping
from bot.store import workspaces as workspace_rows
from bot.store.inbox import KEY_RETENTION_SECONDS, REDELIVERY_SECONDS
from bot.store.notices import add_notices
from bot.store.tables import (
    ACCEPTED_REQUESTS,
    APPROVALS,
    BROWSER_SESSIONS,
    CARDS,
    CLASS_CARDS,
    GATES,
    INBOX,
    LINKS,
    NOTICES,
    OCCURRENCES,
    OPERATIONS,
    OWNERS,
    PARTICIPANTS,
    RULES,
    RUNS,
    TABLES,
    UNDECRYPTABLE_SECRETS,
    WAITLIST_ENTRIES,
    WORKSPACES,
)
from bot.support.clock import SystemIds
from tests.contract.store import field_values
from tests.project.repository import ROOT
from tests.rigs.postgres import open_store
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    add_workspace,
    first_sight,
    gate_key,
    launched,
    link_account,
    linked,
    unlink,
)

DAY = 86_400.0


async def ran(store, name, principal=ALICE):
    return await launched(store, principal, name=name)


#: For each kind of old rows: the table, the columns of a row that is deleted, the column of its age, and
#: after how many days. The last item describes a row of the same age that is kept.
AGED = {
    "inbox": (INBOX, {"result": ""}, "seen_at", 2, None),
    "links": (LINKS, {}, "expires_at", 1, None),
    "notices": (NOTICES, {"state": "sent"}, "sent_at", 30, {"state": "pending"}),
    "dead_notices": (NOTICES, {"state": "dead"}, "created_at", 7, {"state": "retry"}),
    "orphans": (OPERATIONS, {"is_orphan": True}, "ended_at", 30, {"is_orphan": False}),
    "runs": (RUNS, {"outcome": "ended"}, "ended_at", 30, {"outcome": None}),
    "approvals": (APPROVALS, {"state": "denied"}, "decided_at", 30, {"decided_at": None}),
    "browser_sessions": (BROWSER_SESSIONS, {}, "expires_at", 0, None),
    "class_cards": (CLASS_CARDS, {}, "created_at", 30, None),
    "undoable_actions": (ACCEPTED_REQUESTS, {}, "done_at", 30, None),
    "undecryptable_secrets": (UNDECRYPTABLE_SECRETS, {"secret": "sealed"}, "removed_at", 7, None),
    "owners": (OWNERS, {"owner": "a"}, "until", 1, None),
    "rules": (RULES, {"paused": "unlinked"}, "processed_until", 30, {"paused": ""}),
    "waits": (WAITLIST_ENTRIES, {"state": "over"}, "ended_at", 7, {"ended_at": None}),
    "occurrences": (OCCURRENCES, {"local": "l", "side": "stop", "result": "done"}, "at", 60, None),
}


@pytest.mark.both_engines
@pytest.mark.parametrize("kind", [*sweeping.OLD_ROWS, "class_cards"])
async def test_what_is_past_its_use_goes_and_its_card_with_it(store, kind):
    table, said, age, days, spared = AGED[kind]
    key = table.keys[0][0]

    def write(tx):
        edge = tx.now() - days * DAY
        old = {age: edge - 60}
        rows = {"young": {age: edge + 60}, "old": old, "spared": old | (spared or {})}
        for number, (name, more) in enumerate(rows.items()):
            made = field_values.made(table, number) if table.model is not None else None
            named = {key: Principal(None, "T1", name)} if key == "principal" else {key: name}
            if table is WAITLIST_ENTRIES:
                named["workspace_id"] = f"of {name}"
                field_values.stand_for(tx, named["workspace_id"])
            table.add(tx, made, **field_values.BESIDE.get(table.name, {}) | said | more | named)
            keys = {"id": name, "subject": name, "about": name, "is_notice": table is NOTICES}
            CARDS.add(tx, field_values.made(CARDS, number), **keys)
            PARTICIPANTS.add(tx, id=name, card_id=name, principal=ALICE, joined_at=0.0)

    await store.engine.write(write)
    await store.perform(sweeping.sweep)

    def left(tx, table=table, key=key):
        found = (str(row[key]).rpartition(":")[2] for row in tx.all(f"SELECT * FROM {table.name}"))
        return {"young", "old", "spared"} & {*found}

    kept = {"young"} if spared is None else {"young", "spared"}
    assert await store.engine.read(left) == kept
    has_card = table in {NOTICES, OPERATIONS, RUNS, CLASS_CARDS, WAITLIST_ENTRIES}
    with_card = kept if has_card else {"young", "old", "spared"}
    assert await store.engine.read(partial(left, table=CARDS, key="id")) == with_card
    with_presses = kept if table is CLASS_CARDS else {"young", "old", "spared"}
    assert await store.engine.read(partial(left, table=PARTICIPANTS, key="card_id")) == with_presses


async def test_buttons_that_slack_had_no_room_to_take_away_for_a_day_stay(store, clock):
    def write(tx):
        cases = {"old": {}, "young": {"updated_at": tx.now() - DAY + 60}, "card": {"is_notice": False}}
        sent = {
            "message_ts": "1.0",
            "is_dirty": True,
            "changed_at": None,
            "leased_until": 0.0,
        }
        for number, (name, more) in enumerate(cases.items()):
            made = field_values.made(CARDS, number)
            told = {"stage": "live", "is_notice": True, "updated_at": tx.now() - DAY - 60}
            CARDS.add(tx, made, **sent | told | more, id=name, subject=name, about=name)

    await store.engine.write(write)
    await store.perform(sweeping.sweep)
    assert sorted(card.id for card in await store.claim(cards.claim_cards, 10, 60.0)) == [
        "card",
        "young",
    ]


async def test_however_many_are_past_their_use_they_all_go(store, clock):
    for number in range(450):
        await first_sight(store, f"old{number}")
    clock.advance(2 * DAY + 1)
    await store.perform(sweeping.sweep)
    assert await first_sight(store, "old0")
    assert await first_sight(store, "old449")


def test_keys_and_replies_outlive_slack_s_deliveries():
    """As long as Slack may redeliver a request, its key or its reply is kept, so it isn't answered twice."""
    kept = [sweeping.OLD_ROWS[name][-1] for name in ("inbox", "notices", "dead_notices")]
    assert REDELIVERY_SECONDS < KEY_RETENTION_SECONDS == min(kept)


async def test_the_fifty_newest_operations_of_a_workspace_stay(store, clock):
    workspaces = (await linked(store, names=["busy", "quiet"])).workspaces
    made = []
    for number in range(53):
        clock.advance(1)
        made.append((await accept_operation(store, workspaces[0], interaction=f"b{number}")).operation)
        if number < 52:
            await store.write(operations.save_step, Update(made[-1].id, 0.0, outcome=Outcome.FULFILLED))
    quiet = (await accept_operation(store, workspaces[1], interaction="q")).operation
    clock.advance(400 * DAY)
    await store.perform(sweeping.sweep)
    kept = [
        operation.id
        for operation in made
        if await store.read(operations.find_operation, operation.id) is not None
    ]
    assert kept == [operation.id for operation in made[-50:]]
    assert await store.read(cards.find_card, made[0].id) is None
    assert await store.read(operations.find_operation, quiet.id) is not None


async def test_the_operations_of_an_unlinked_workspace_go(store, clock):
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace)).operation
    await unlink(store, ALICE)
    clock.advance(31 * DAY)
    await store.perform(sweeping.sweep)
    assert (
        await store.read(operations.find_operation, operation.id),
        await store.read(cards.find_card, operation.id),
    ) == (None, None)


async def test_gates_that_nobody_watches_go_a_day_after_they_opened(store, clock):
    await link_account(store)
    key = gate_key("saturn", "x")
    shared = Workspace("w", ALICE, "saturn", "x", key, "x", origin="added")
    await add_workspace(store, shared)
    # The tests can't see a gate itself, only that it stays closed: here for longer than the sweep's day.
    assert await store.claim(gates.claim_reads, "saturn", 10, 3 * DAY, 0.5)
    await unlink(store, ALICE)
    await link_account(store, secret="again")
    clock.advance(2 * DAY)
    await store.perform(sweeping.sweep)
    await add_workspace(store, shared)
    assert await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5) == []
    await unlink(store, ALICE)
    clock.advance(5 * DAY)
    await store.perform(sweeping.sweep)
    await link_account(store, secret="once more")
    await add_workspace(store, shared)
    assert await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)


async def test_the_fifty_newest_runs_of_a_person_stay(store, clock):
    first = await ran(store, "open all the time")
    made = []
    for number in range(52):
        clock.advance(1)
        made.append(await ran(store, f"run {number}"))
        await store.write(runs.save_run_step, Update(made[-1].id, 0.0, outcome="ended"))
    theirs = await ran(store, "theirs", BOB)
    await store.write(runs.save_run_step, Update(theirs.id, 0.0, outcome="ended"))
    await store.perform(sweeping.sweep)
    assert [run.id for run in await store.read(runs.list_runs, ALICE, limit=99)] == [
        *(run.id for run in made[:1:-1]),
        first.id,
    ]
    assert await store.read(cards.find_card, made[0].id) is None
    assert await store.read(runs.find_run, theirs.id) is not None


@pytest.mark.both_engines
async def test_a_run_reopened_while_the_sweep_looks_at_it_stays(store, clock, monkeypatch):
    """A lost run that a list shows again is reopened."""
    made = []
    for number in range(52):
        clock.advance(1)
        made.append(await ran(store, f"run {number}"))
        await store.write(runs.save_run_step, Update(made[-1].id, 0.0, outcome="failed", cause="lost"))
    write = store.engine.write

    async def reopen_first(work, *given, **named):
        if getattr(work, "func", None) is sweeping._delete_ended:
            await write(
                lambda tx: RUNS.change(tx, {"id": made[0].id}, outcome=None, cause=None, ended_at=None)
            )
        return await write(work, *given, **named)

    monkeypatch.setattr(store.engine, "write", reopen_first)
    await store.perform(sweeping.sweep)
    assert await store.read(runs.find_run, made[1].id) is None
    assert (await store.read(runs.find_run, made[0].id)).is_open
    assert await store.read(cards.find_card, made[0].id) is not None


async def test_a_sweep_that_finds_nothing_writes_as_often_for_many_people_as_for_one(store, monkeypatch):
    """On PostgreSQL, each of its transactions holds up everybody's requests."""
    counts = []
    for people in (1, 60):
        for number in range(people):
            principal = Principal(None, "T1", f"U{people}{number}")
            workspace = (await linked(store, principal)).workspaces[0]
            made = (await accept_operation(store, workspace)).operation
            await store.write(operations.save_step, Update(made.id, 0.0, outcome=Outcome.FULFILLED))
            run = await ran(store, "run", principal)
            await store.write(runs.save_run_step, Update(run.id, 0.0, outcome="ended"))
        write = Mock(wraps=store.engine.write)
        with monkeypatch.context() as patch:
            patch.setattr(store.engine, "write", write)
            await store.perform(sweeping.sweep)
        counts.append(write.call_count)
    assert counts[0] == counts[1] > 0


async def test_the_sweep_gives_back_what_deleted_rows_took(tmp_path, clock):
    path = tmp_path / "usher.db"
    store = await open_store(f"sqlite:///{path}", clock, SystemIds())
    await store.migrate()
    await asyncio.gather(*(first_sight(store, f"{number}{'x' * 900}") for number in range(1000)))
    clock.advance(2 * DAY)
    await asyncio.gather(store.perform(sweeping.sweep), first_sight(store, "meanwhile"))
    assert not await first_sight(store, "meanwhile")
    await store.close()
    with closing(sqlite3.connect(path)) as database:
        unused, pages = (
            database.execute(f"PRAGMA {one}").fetchone()[0] for one in ("freelist_count", "page_count")
        )
    assert unused < pages / 4


async def said_to_be_gone(store, workspace):
    """Read a workspace as its owner when its gate is due, and find it gone."""
    (claim,) = await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
    assert workspace.id in claim.workspace_ids
    gone = Observed(State.GONE)
    await store.perform(
        gates.record_reads, [ReadResult(claim.gate_key, claim.workspace_ids, gone, DAY, closed_for=10.0)]
    )


async def in_the_database(store, table):
    return len(await store.engine.read(lambda tx: tx.all(f"SELECT * FROM {table.name}")))


async def test_what_is_gone_goes_thirty_days_after_its_provider_said_so_on_two_days(store, clock):
    (workspace,) = (await linked(store)).workspaces
    operation = (await accept_operation(store, workspace)).operation
    await store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))
    audited = len(await store.read(audit.read_audit))
    await said_to_be_gone(store, workspace)
    clock.advance(40 * DAY)
    for notice in await store.perform(notices.claim_notices, 10, 60.0):
        await store.write(notices.mark_notice_sent, notice, "D1", "1.0")
    await store.perform(sweeping.sweep)
    # A workspace that was found gone only once isn't deleted, however long ago that was.
    assert (await store.read(workspace_rows.find_workspace, workspace.id)).state is State.GONE
    await said_to_be_gone(store, workspace)
    clock.advance(30 * DAY - 60)
    await store.perform(sweeping.sweep)
    assert await store.read(workspace_rows.find_workspace, workspace.id) is not None
    clock.advance(120)
    await store.perform(sweeping.sweep)
    assert await store.read(workspace_rows.find_workspace, workspace.id) is None
    assert await store.read(operations.find_operation, operation.id) is None
    assert (await store.read(cards.find_card, operation.id), await in_the_database(store, GATES)) == (None, 0)
    assert len(await store.read(audit.read_audit)) == audited


async def test_what_came_back_meanwhile_begins_anew(store, clock):
    (workspace,) = (await linked(store)).workspaces
    await store.engine.write(lambda tx: gates.request_read_now(tx, workspace.id))
    await said_to_be_gone(store, workspace)
    clock.advance(DAY + 1)
    (claim,) = await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
    back = ReadResult(claim.gate_key, claim.workspace_ids, Observed(State.STOPPED), 60.0, closed_for=10.0)
    await store.perform(gates.record_reads, [back])
    clock.advance(61)
    await said_to_be_gone(store, workspace)
    clock.advance(60 * DAY)
    await store.perform(sweeping.sweep)
    assert await store.read(workspace_rows.find_workspace, workspace.id) is not None


@pytest.mark.both_engines
@pytest.mark.parametrize("owed", ["operation", "timer", "notice", "hours"])
async def test_what_is_gone_stays_while_anything_is_owed_about_it(store, clock, owed):
    (workspace,) = (await linked(store)).workspaces

    def gone(tx):
        since = tx.now() - 40 * DAY
        WORKSPACES.change(
            tx, {"id": workspace.id}, state="gone", gone_at=since, gone_confirmed_at=since + DAY
        )
        if owed == "timer":
            WORKSPACES.change(tx, {"id": workspace.id}, stop_at=tx.now() + DAY)
        if owed == "notice":
            add_notices(tx, [NewNotice(workspace.id, NoticeKind.FAILED, "", ALICE)])
        if owed == "hours":
            rule = field_values.made(RULES, 0)
            RULES.add(tx, replace(rule, workspace_id=workspace.id, principal=ALICE, paused=""))

    if owed == "operation":
        await accept_operation(store, workspace)
    await store.engine.write(gone)
    await store.perform(sweeping.sweep)
    assert await store.read(workspace_rows.find_workspace, workspace.id) is not None


KEPT_FOR_EACH = re.compile(r"^\| `(\w+)` \| .* \| (.*) \|$", re.MULTILINE)
#: Columns that the plain tables need besides their keys.
PLAIN = {
    "audit": {"actor": "a", "action": "a", "target": "t", "result": "ok", "detail": "{}"}
    | {"previous_hash": "", "hash": "h"},
    "channel_ids": {"id": "C1", "new_id": "C2"},
    "direct_channels": {"channel_id": "D1"},
    "undecryptable_secrets": {"secret": "sealed"},
    "gates": {"connection": "saturn", "remote_id": "r"},
    "identity": {"digest": "d", "auth_test": "{}"},
    "database_timeline": {"server": "1/1"},
    "occurrences": {"local": "l", "side": "stop", "result": "done"},
    "lives": {"kind": "run", "subject": "s", "principal": ALICE, "connection": "c", "name": "n"}
    | {"began_known": "told", "ended_known": "told"},
    "owners": {"owner": "a"},
    "usage_mondays": {"due_at": 0.0},
    "pauses": {"connection": "c", "calls": "any", "account_id": "w"},
    "form_values": {"connection": "c", "purpose": "job", "payload": "{}"},
    "usage_sums": {"connection": "c", "kind": "run", "template": "", "currency": "", "lives": 1}
    | {"hours": 1.0, "lowest": 1.0, "highest": 1.0, "unknown": 0, "cost": 0.0},
    "serving": {"seen_at": 0.0, "ahead": 0.0, "slept": 0.0, "boot": ""},
    "signatures": {"signatures": "[]"},
    "slack_calls": {"team": "T1", "method": "m", "channel": "C1"},
    "slack_methods": {"team": "T1", "method": "m", "paused_until": 0.0},
}
#: What makes a row finished: its state, and the columns of its age.
OVER = {name: (entry[1], entry[2]) for name, entry in AGED.items()} | {
    "operations": ({"is_orphan": True, "outcome": "fulfilled"}, "ended_at"),
    "workspaces": ({"state": "gone", "stop_at": None}, "gone_confirmed_at"),
}
TIMES = {
    "audit": "at",
    "channel_ids": "changed_at",
    "greetings": "greeted_at",
    "lives": "began_earliest began_latest ended_earliest ended_latest last_seen_at",
    "migrations": "applied_at",
    "oauth_states": "expires_at",
    "outages": "since",
    "pauses": "requested_at paused_until",
    "places": "seen_at",
    "schema_changes": "applied_at",
    "signatures": "seen_at",
    "slack_calls": "called_at",
    "upkeep": "done_at",
}


@pytest.mark.both_engines
async def test_two_years_later_there_is_what_the_documents_say(store, clock):
    page = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    told = dict(KEPT_FOR_EACH.findall(find_section(page, "how-long-rows-are-kept")))
    assert set(told) == set(TABLES)

    def fill(tx):
        now = tx.now()
        for name, table in sorted(TABLES.items(), key=lambda one: one[0] != "gates"):
            if tx.all(f"SELECT * FROM {name}"):
                continue  # as the store itself has written it
            said, age = OVER.get(name, ({}, TIMES.get(name, "")))
            given = field_values.BESIDE.get(name, {}) | PLAIN.get(name, {}) | dict(said)
            given |= dict.fromkeys(age.split(), now)
            made = None
            if table.model is not None:
                made = field_values.made(table, 10)
                given |= {"gate_key": "k"} if name == "workspaces" else {}
                given |= {"subject": "10", "about": "10", "is_dirty": False} if name == "cards" else {}
                given |= {"card_id": "10", "id": str(given)} if name == "participants" else {}
                given |= {"id": "10"} if name in {"operations", "class_cards"} else {}
                given |= {"workspace_id": "elsewhere"} if name == "rules" else {}
                if name == "waitlist_entries":
                    given["workspace_id"] = field_values.made(WORKSPACES, 10).id
            else:
                key = table.keys[0][0]
                given = {
                    key: 1 if name in {"audit", "identity", "database_timeline", "serving"} else "k"
                } | given
                given |= {"next_check_at": now} if name == "gates" else {}
            table.add(tx, made, **given)

    await store.engine.write(fill)
    clock.advance(2 * 365 * DAY)
    await store.perform(sweeping.sweep)
    left = {name for name, table in TABLES.items() if await in_the_database(store, table)}
    assert left == {name for name, goes in told.items() if goes != "the sweep"}
