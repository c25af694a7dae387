"""Tests of the commands that work on the database, such as rotating keys and verifying the audit record."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager

import pytest
from cryptography.fernet import Fernet
from sqlite_utils import Database

from bot.commands import store_checks
from bot.domain.audit import AuditEntry
from bot.domain.notices import NoticeKind
from bot.store import accounts, notices, open_store
from bot.store import audit as audit_rows
from bot.store.schema import read_migrations
from bot.store.sqlite import SqliteEngine
from bot.support.clock import SystemClock, SystemIds
from bot.support.settings import Settings
from bot.support.vault import Vault, row_key
from playground.processes import reserved_port
from tests.app.command_line import KEY, environment, of_slack, run, running
from tests.playground.posit_help import posit_server
from tests.playground.slack_help import slack
from tests.project.repository import ROOT
from tests.rigs import earlier
from tests.rigs.store import ALICE, BOB, link_account

NEW = Fernet.generate_key().decode()


@asynccontextmanager
async def opened(folder, *, serves=False):
    store = await open_store(f"sqlite:///{folder / 'usher.db'}", SystemClock(), SystemIds())
    try:
        await (store.begin_serving() if serves else store.migrate())
        yield store
    finally:
        await store.close()


async def link_under(store, key, principal):
    place = row_key(principal.key, "saturn")
    return await link_account(
        store, principal, "saturn", secret=Vault([key]).seal(place, {"token": principal.user_id})
    )


async def test_rotating_seals_every_secret_under_the_newest_key(tmp_path):
    async with opened(tmp_path) as store:
        for principal in (ALICE, BOB):
            await link_under(store, KEY, principal)
    ended = await run("keys", "rotate", env=environment(tmp_path, USHER_ENCRYPTION_KEYS=f"{NEW},{KEY}"))
    assert (ended.status, ended.out, ended.err) == (0, "2 secrets are encrypted with the newest key.\n", "")
    async with opened(tmp_path) as store:
        for account in await store.perform(accounts.list_active_accounts):
            place = row_key(account.principal.key, "saturn")
            assert Vault([NEW]).open(place, account.secret) == {"token": account.principal.user_id}


async def test_beside_a_process_that_serves_no_second_one_does_and_the_other_commands_work(tmp_path):
    env = environment(tmp_path)
    async with opened(tmp_path, serves=True) as store:
        await link_under(store, KEY, ALICE)
        serve, rotate, migrate, audit = await asyncio.gather(
            run("serve", env=env),
            run("keys", "rotate", env=env),
            run("migrate", env=env),
            run("audit", "verify", env=env),
        )
        checked = await store_checks.check_store(Settings(**env))
    assert (serve.status, serve.out) == (1, "")
    assert serve.err.startswith("Another Usher is already running on this database (")
    assert serve.err.endswith("stop that one first, or set USHER_DATABASE_URL to another file.\n")
    assert [ended.status for ended in (rotate, migrate, audit)] == [0, 0, 0], (rotate, migrate, audit)
    assert all(check.is_good for check in checked)


@pytest.mark.parametrize(
    "words", ["accounts list", "accounts retire saturn", "audit export", "audit verify", "keys rotate"]
)
async def test_command_leaves_a_database_of_an_earlier_release(tmp_path, words):
    """Only ``migrate``, ``restored`` and a start may change it, as its backup is the only way back."""
    path, env, scripts = tmp_path / "usher.db", environment(tmp_path), earlier.scripts_of("0.3.1")
    engine = SqliteEngine(str(path), SystemClock(), SystemIds(), scripts=scripts)
    await engine.open()
    assert await engine.migrate() == list(scripts)
    await engine.close()
    refused = await run(*words.split(), env=env)
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith(f"{path} is of an earlier release. Make a backup, which is the way back, ")
    migrated = await run("migrate", env=env)
    assert migrated.out.splitlines() == [name for name in read_migrations() if name not in scripts]
    assert "earlier release" not in (await run(*words.split(), env=env)).err


async def test_retiring_a_connection_that_nothing_knows_fails(tmp_path):
    async with opened(tmp_path):
        pass
    async with slack() as (local, _client):
        env = environment(tmp_path, **of_slack(local))
        typo = await run("accounts", "retire", "satrun", env=env)
        known = await run("accounts", "retire", "saturn", env=env)
    assert (typo.status, "No connection and no link has this name." in typo.out) == (1, True)
    assert (known.status, "No connection" in known.out) == (0, False)


async def test_a_secret_that_no_key_opens_is_named_by_its_owner_and_the_others_are_done(tmp_path):
    async with opened(tmp_path) as store:
        await link_under(store, KEY, ALICE)
        await link_under(store, Fernet.generate_key().decode(), BOB)
    ended = await run("keys", "rotate", env=environment(tmp_path, USHER_ENCRYPTION_KEYS=f"{NEW} {KEY}"))
    assert ended.status == 1
    assert ended.out == "1 secret is encrypted with the newest key.\n"
    assert "1 doesn't open with any of the keys." in ended.err
    assert "This person has to link again:\n  UBOB on saturn\n" in ended.err
    async with opened(tmp_path) as store:
        alice = await store.read(accounts.find_account, ALICE, "saturn")
        assert Vault([NEW]).open(row_key(ALICE.key, "saturn"), alice.secret) == {"token": "UALICE"}


OTHER = Fernet.generate_key().decode()


async def keys_check(env):
    checks = await store_checks.check_store(Settings(**env))
    return next((check for check in checks if check.name == "encryption keys"), None)


async def test_doctor_and_a_start_notice_keys_that_open_nothing(tmp_path):
    async with opened(tmp_path) as store:
        assert await keys_check(environment(tmp_path)) is None
        await link_under(store, KEY, ALICE)
        await link_under(store, KEY, BOB)
    assert (await keys_check(environment(tmp_path))).is_good
    wrong = environment(tmp_path, USHER_ENCRYPTION_KEYS=OTHER)
    check = await keys_check(wrong)
    assert (check.is_good, check.found) == (False, "USHER_ENCRYPTION_KEYS opens none of the 2 stored secrets")
    assert check.advice.startswith("Put the old key back into USHER_ENCRYPTION_KEYS")
    started = await run("serve", env=wrong)
    assert started.status == 1
    assert f"{check.found}: put the old key back into USHER_ENCRYPTION_KEYS" in started.err
    # If the keys are invalid, doctor doesn't say which secrets they can decrypt.
    without = await run("doctor", env=environment(tmp_path, USHER_ENCRYPTION_KEYS="canary"))
    assert "stored secrets" not in without.out


async def test_people_whose_secret_no_key_opens_are_named_and_with_forget_asked_to_link_again(tmp_path):
    async with opened(tmp_path) as store:
        await link_under(store, KEY, ALICE)
        await link_under(store, OTHER, BOB)
    env = environment(tmp_path)
    check = await keys_check(env)
    assert check.found == "no key opens 1 of the 2 stored secrets: UBOB on saturn"
    assert check.advice.startswith("These people have to link again.")
    away = {"USHER_SLACK_API_URL": f"http://127.0.0.1:{reserved_port()}/"}
    async with running("serve", env={**env, **away}) as started:
        assert check.found in await started.line_with("secrets not opened")
        await started.end()
    spared = await run("keys", "rotate", "--forget", env=env)
    assert spared.status == 1
    assert "No key opens 1 of the 2 links' secrets, so none was ended." in spared.err
    assert "keys rotate --forget 1` ends them." in spared.err
    ended = await run("keys", "rotate", "--forget", "1", env=env)
    assert (ended.status, ended.err) == (0, "")
    assert "asked to link again: 1.\n" in ended.out
    assert (await keys_check(env)).is_good
    async with opened(tmp_path) as store:
        assert (await store.read(accounts.find_account, ALICE, "saturn")).state == "active"
        assert (await store.read(accounts.find_account, BOB, "saturn")).state == "refused"
        (notice,) = await store.perform(notices.claim_notices, 9, 60.0)
        assert (notice.kind, notice.principal, notice.body["cause"]) == (
            NoticeKind.RELINK_PROMPT,
            BOB,
            "secret",
        )
        assert "account.refused" in [row["action"] for row in await store.read(audit_rows.read_audit)]


async def test_what_is_stored_where_nobody_links_is_written_again(tmp_path):
    connections = tmp_path / "connections.toml"
    connections.write_text(
        '[connections.saturn]\nprovider = "sphere"\nbase_url = "https://acme.containers.sphere-engine.com"\n'
        'access_token = "canary"\n'
    )
    connections.chmod(0o600)
    async with opened(tmp_path) as store:
        await link_under(store, OTHER, BOB)
    ended = await run("keys", "rotate", "--forget", env=environment(tmp_path))
    assert (ended.status, ended.out) == (0, "1 secret is encrypted with the newest key.\n")
    async with opened(tmp_path) as store:
        kept = await store.read(accounts.find_account, BOB, "saturn")
    assert Vault([KEY]).open(row_key(BOB.key, "saturn"), kept.secret)["x_acts"] == "none"


@pytest.mark.parametrize("words", [("keys", "rotate"), ("audit", "verify")])
async def test_without_a_database_none_is_made(tmp_path, words):
    ended = await run(*words, env=environment(tmp_path))
    assert ended.status == 1
    assert "There's no database yet" in ended.err
    assert not (tmp_path / "usher.db").exists()


async def test_the_audit_is_whole_until_it_is_edited(tmp_path):
    async with opened(tmp_path) as store:
        entries = [
            AuditEntry("T1:UALICE", "operation.start", f"ws_{number}", "accepted") for number in range(3)
        ]
        await store.write(audit_rows.append_audit, entries)
        _, last = await store.read(audit_rows.read_audit_head)
    env = environment(tmp_path)
    whole = await run("audit", "verify", env=env)
    assert whole.status == 0
    assert whole.out == f"The audit record is intact: 3 rows, the last of which is 3:{last}.\n"
    # A digest that was noted is found again. A record that was rewritten completely is intact, but lacks it.
    for seen, status in (
        (f"3:{last}", 0),
        (f"2:{last}", 1),
        (f"4:{last}", 1),
        (f"x:{last}", 2),
        ("0:", 2),
        (f"{'9' * 20}:{last}", 2),
        (f"3:{last[:12]}", 2),
    ):
        noted = await run("audit", "verify", "--seen", seen, env=env)
        assert noted.status == status, noted
        assert ("Row 3 is the one that was noted.\n" in noted.out) == (status == 0)
        assert ("isn't the one that was noted" in noted.err) == (status == 1)
    database = Database(tmp_path / "usher.db", recursive_triggers=False)
    with database.conn:
        database.execute("UPDATE audit SET actor = 'T1:UMALLORY' WHERE seq = 2")
    database.close()
    broken = await run("audit", "verify", env=env)
    assert (broken.status, broken.out) == (1, "")
    assert broken.err.startswith("The audit record is broken at row 2")


async def test_audit_export_prints_every_row(tmp_path):
    async with opened(tmp_path) as store:
        await store.write(
            audit_rows.append_audit,
            [AuditEntry("a", "act", f"café {n}", "ok", {"n": n}) for n in range(1001)],
        )
        rows = await store.read(audit_rows.read_audit, limit=9999)
    exported = await run("audit", "export", env=environment(tmp_path))
    assert (exported.status, [json.loads(line) for line in exported.out.splitlines()]) == (0, rows)


async def test_audit_verify_says_that_rows_were_archived_before(tmp_path):
    async with opened(tmp_path) as store:
        archived = AuditEntry("operator", "audit.archive", "a.jsonl", "ok", {"through": 2})
        await store.write(
            audit_rows.append_audit, [*(AuditEntry("a", "act", f"{n}", "ok") for n in range(3)), archived]
        )
        (third,) = await store.read(audit_rows.read_audit, after=2, limit=1)
    database = Database(tmp_path / "usher.db", recursive_triggers=False)
    with database.conn:
        database.execute("DELETE FROM audit WHERE seq BETWEEN 1 AND 2")
    database.close()
    whole = await run("audit", "verify", "--seen", f"3:{third['hash']}", env=environment(tmp_path))
    assert (whole.status, whole.err) == (0, "")
    assert "It begins with row 3: the rows before were archived by a release before 0.4.0." in whole.out


async def test_an_empty_audit_is_whole(tmp_path):
    async with opened(tmp_path):
        pass
    ended = await run("audit", "verify", env=environment(tmp_path))
    whole = "The audit record is intact: it is empty.\n"
    assert (ended.status, ended.out) == (0, whole)


async def test_a_trial_is_in_the_record_before_anything_is_asked_of_the_provider(tmp_path):
    """The command doesn't need any of Slack's settings."""
    env = {name: value for name, value in environment(tmp_path).items() if "SLACK" not in name}
    ended = await run("try", "saturn", env=env)
    assert ended.status == 1
    assert "The answers ended before the questions, so nothing was done." in ended.err
    async with opened(tmp_path) as store:
        (entry,) = await store.read(audit_rows.read_audit)
    assert (entry["actor"], entry["action"], entry["target"]) == ("operator", "trial.begin", "saturn")


async def test_trial_without_an_answer_to_its_question_makes_nothing(tmp_path):
    """A username is piped in, and nobody can type yes."""
    async with posit_server() as posit:
        (tmp_path / "connections.toml").write_text(
            f'[connections.bench]\nprovider = "posit"\nbase_url = "{posit.url}"\n'
            'linking = ["admin"]\nsuper_admin_token = "su"\n'
        )
        (tmp_path / "connections.toml").chmod(0o600)
        trying = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "try", "bench"),
            env=environment(tmp_path) | {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
            cwd=tmp_path,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        out, err = await trying.communicate(b"alice\n")
    assert b"It costs what" in out, err
    assert (trying.returncode, err.decode()) == (
        1,
        "The answers ended before the questions, so nothing was done.\n",
    )


async def test_trial_whose_report_cannot_be_written_makes_nothing(tmp_path):
    for report in (tmp_path / "none" / "report.txt", tmp_path):
        ended = await run("try", "saturn", "--report", str(report), env=environment(tmp_path))
        said = f"{report} can't be written. Name a file in a folder of yours.\n"
        assert (ended.status, ended.out, ended.err) == (2, "", said)


async def test_a_trial_of_a_connection_that_is_not_there_names_those_that_are(tmp_path):
    env = {name: value for name, value in environment(tmp_path).items() if "SLACK" not in name}
    ended = await run("try", "nowhere", env=env)
    assert (ended.status, ended.err) == (2, "There's no connection nowhere. There are: saturn.\n")
