"""Tests of restoring a backup, which brings ended links back: Usher notices this, and says it once."""

import json
import shutil
import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager, closing

import pytest

from bot.app import Process, StartError
from bot.commands import store_checks
from bot.domain.audit import AuditEntry
from bot.domain.notices import NoticeKind
from bot.domain.stops import PlannedStop
from bot.messages.blocks.notices import render
from bot.services.audit_witness import AuditWitness
from bot.services.message_context import Gatherer
from bot.store import audit, maintenance, open_store, workspaces
from bot.store import notices as notice_rows
from bot.support.clock import SystemClock, SystemIds
from bot.support.settings import Settings
from bot.support.vault import row_key
from tests.app.command_line import environment, of_slack, run
from tests.handlers.rig import words
from tests.playground.slack_help import slack
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.connections import load_connections
from tests.rigs.store import ALICE, BOB, link_account, linked, set_timer, unlink


@asynccontextmanager
async def served(folder, local):
    settings = Settings(**environment(folder, **of_slack(local)))
    async with AsyncExitStack() as stack:
        made = Process(settings, load_connections(settings.connections), stack)
        await made.start(loops=False)
        yield made


async def told(made) -> list[tuple]:
    notices = await made.store.perform(notice_rows.claim_notices, 50, 0.01)
    gatherer = Gatherer(made.context)
    return [
        (one.principal, words(render(one.kind, await gatherer.describe_notice(one))))
        for one in notices
        if one.kind is NoticeKind.BACKUP_RESTORED
    ]


async def test_a_restored_backup_is_noticed_and_everybody_linked_is_told_once(tmp_path):
    database, backup = tmp_path / "usher.db", tmp_path / "backup.db"
    async with slack() as (local, _client):
        async with served(tmp_path, local) as made:
            for principal in (ALICE, BOB):
                secret = made.context.vault.seal(row_key(principal.key, "saturn"), {"token": "x"})
                await link_account(made.store, principal, secret=secret)
        shutil.copy(database, backup)
        # If Usher is started and stopped once more, it says nothing, as nothing is missing.
        async with served(tmp_path, local) as made:
            assert await told(made) == []
            await unlink(made.store, ALICE, revocable=["saturn"], notify=False)
            await made.scheduler._write_heartbeat()
        shutil.copy(backup, database)
        store = await open_store(f"sqlite:///{database}", FakeClock(), CountingIds())
        (check,) = await store_checks.check_age(store, database)
        assert (check.is_good, "restored from a backup" in check.found) == (False, True)
        await store.close()
        with pytest.raises(StartError, match=r"restored from a backup\. Put on hold what it has planned"):
            async with served(tmp_path, local):
                pass
        ended = await run("restored", env=environment(tmp_path))
        assert (ended.status, ended.err) == (0, "")
        assert "their people are asked: nothing." in ended.out
        assert "Told that a link may be back: 2. Now start Usher." in ended.out
        async with served(tmp_path, local) as made:
            said = dict(await told(made))
            assert set(said) == {ALICE, BOB}
            assert said[ALICE].startswith("My records were restored from a backup")
            assert "Type `unlink Saturn Cloud` to remove it again" in said[ALICE]
            assert [row["action"] for row in await made.store.read(audit.read_audit)][-1] == "store.restored"
            assert await store_checks.check_age(made.store, database) == []
        async with served(tmp_path, local) as made:
            assert [row["action"] for row in await made.store.read(audit.read_audit)].count(
                "store.restored"
            ) == 1


async def test_restored_beside_a_running_usher_is_refused(tmp_path):
    """Without a file, the command is for a backup that is already in place, and Usher has to be stopped."""
    async with slack() as (local, _client):
        async with served(tmp_path, local) as made:
            workspace = (await linked(made.store)).workspaces[0]
            at = await made.store.now() + 3600.0
            await set_timer(made.store, workspace, PlannedStop(at, "stop"))
            ended = await run("restored", env=environment(tmp_path))
            assert (ended.status, ended.out) == (1, "")
            assert ended.err.endswith("stop it first, then try again.\n")
            found = await made.store.read(workspaces.find_workspace, workspace.id)
            assert found.stop_at == at
        assert (await run("restored", env=environment(tmp_path))).status == 0


async def test_a_backup_is_whole_its_owners_alone_and_not_served_from_as_it_is(tmp_path):
    database, backup, env = tmp_path / "usher.db", tmp_path / "copy" / "usher.db", environment(tmp_path)
    store = await open_store(f"sqlite:///{database}", SystemClock(), SystemIds())
    await store.begin_serving()
    workspace = (await linked(store)).workspaces[0]
    await set_timer(store, workspace, PlannedStop(await store.now() + 3600, "stop"))
    await store.write(maintenance.note_daily_work, maintenance.BACKUP)
    # The database is in use, and its newest rows aren't in the main file yet.
    ended = await run("store", "backup", str(backup), env=env)
    assert (ended.status, ended.err) == (0, "")
    assert (backup.parent.stat().st_mode & 0o777, backup.stat().st_mode & 0o777) == (0o700, 0o600)
    assert [one.name for one in backup.parent.iterdir()] == [backup.name]
    assert await store.read(maintenance.explain_outdated) == ""
    await store.close()
    again = await run("store", "backup", str(backup), env=env)
    assert (again.status, again.out) == (1, "")
    assert again.err.endswith("can't be written: File exists.\n")
    shutil.copy(backup, database)
    for left in tmp_path.glob("usher.db-*"):
        left.unlink()
    started = await run("serve", env=env)
    assert started.status == 1
    assert "This database is a backup made on " in started.err
    assert started.err.endswith("before you start Usher: `usher restored`\n")
    restored = await run("restored", env=env)
    assert "their people are asked: stops: 1." in restored.out
    store = await open_store(f"sqlite:///{database}", SystemClock(), SystemIds())
    await store.begin_serving()
    assert (await store.read(workspaces.find_workspace, workspace.id)).stop_at is None
    # In the meantime people may have left, and the backups recorded there may not exist any more.
    assert await store.read(maintenance.find_last_done, maintenance.BACKUP) is None
    await store.close()


@pytest.mark.parametrize("left", [None, "", "{", '{"length": "x"}', "[]", '{"length": 0, "hash": ""}'])
async def test_without_a_word_of_before_nothing_is_concluded(tmp_path, left):
    database = tmp_path / "usher.db"
    if left is not None:
        (tmp_path / "usher.db.seen").write_text(left)
    store = await open_store(f"sqlite:///{database}", FakeClock(), CountingIds())
    await store.migrate()
    assert not await AuditWitness(database).contradicts(store)
    assert not await AuditWitness(None).contradicts(store)
    await store.close()


async def test_archived_end_of_a_record_is_not_compared(tmp_path):
    database = tmp_path / "usher.db"
    store = await open_store(f"sqlite:///{database}", FakeClock(), CountingIds())
    await store.migrate()
    await store.write(audit.append_audit, [AuditEntry("a", "act", f"{number}", "ok") for number in range(5)])
    witness = AuditWitness(database)
    await witness.note(store)
    await store.write(
        audit.append_audit, [AuditEntry("operator", "audit.archive", "a.jsonl", "ok", {"through": 5})]
    )
    assert not await witness.contradicts(store)
    with closing(sqlite3.connect(database)) as file, file:
        file.execute("DELETE FROM audit WHERE seq BETWEEN 1 AND 5")
    assert not await witness.contradicts(store)
    (database.with_name("usher.db.seen")).write_text(json.dumps({"length": 6, "hash": "0" * 64}))
    assert await AuditWitness(database).contradicts(store)
    await store.close()


async def test_a_record_that_went_another_way_is_another_one(tmp_path):
    stores = []
    for name, principal in (("one.db", ALICE), ("two.db", BOB)):
        store = await open_store(f"sqlite:///{tmp_path / name}", FakeClock(), CountingIds())
        await store.migrate()
        await store.write(
            audit.append_audit, [AuditEntry(principal.key, "account.linked", "cloud", "ok", {})]
        )
        stores.append(store)
    witness = AuditWitness(tmp_path / "usher.db")
    await witness.note(stores[0])
    assert not await witness.contradicts(stores[0])
    assert await witness.contradicts(stores[1])
    for store in stores:
        await store.close()
