"""Commands that read or change an installation's database."""

import argparse
import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from bot.commands import complain, load, with_store
from bot.commands.account_import import as_lines, import_rows, open_for_operator, read_rows
from bot.commands.account_import import retire as retire_connection
from bot.domain.accounts import Account
from bot.services.audit_witness import AuditWitness
from bot.services.backups import make_folder
from bot.services.encryption_keys import format_secret_count
from bot.services.encryption_keys import rotate as encrypt_again
from bot.services.restored_backups import format_counts, pause_restored
from bot.store import accounts, audit, name_of, revocations
from bot.store.copies import replace_database, save_readable_rows, write_backup
from bot.store.maintenance import mark, note_same_data
from bot.store.store import Store
from bot.store.transaction import StoreTime
from bot.support.clock import SystemClock, SystemIds
from bot.support.environment import command
from bot.support.errors import NotDone, StoreUnavailable
from bot.support.settings.database import find_database_file
from bot.support.vault import Vault

log = structlog.get_logger(__name__)


def migrate(arguments: argparse.Namespace) -> int:
    """Migrate the database to this release."""
    settings, _ = load()

    async def run(store: Store) -> int:
        log.info("database opened", database=name_of(settings.database_url))
        applied = await store.migrate()
        if arguments.has_same_data:
            await store.write(note_same_data)
        print("\n".join(applied) if applied else "The database is up to date.")
        return 0

    return with_store(settings, run, may_be_new=True, may_be_older=True)


def rotate(arguments: argparse.Namespace) -> int:
    """Re-encrypt every secret with the newest key."""
    settings, connections = load()
    unlinked = [name for name, one in connections.items() if "none" in one.linking]
    vault = Vault(settings.keys())

    async def run(store: Store) -> int:
        rotation = await encrypt_again(store, vault, forget=arguments.forget, unlinked=unlinked)
        print(f"{format_secret_count(rotation.done)} encrypted with the newest key.")
        if rotation.recalled:
            print(f"Links that go on, as their secrets open again: {rotation.recalled}.")
        if rotation.forgotten:
            print(f"Links ended, whose people are asked to link again: {rotation.forgotten}.")
        if not rotation.is_whole:
            complain(*rotation.problems())
        return 0 if rotation.is_whole else 1

    return with_store(settings, run)


def import_accounts(arguments: argparse.Namespace) -> int:
    """Link the accounts of the people listed in a file."""
    settings, connections = load()
    rows = read_rows(arguments.file)

    async def run(store: Store) -> int:
        async with open_for_operator(settings, connections, store) as context:
            results = await import_rows(context, rows, apply=arguments.apply)
        print("\n".join(as_lines(rows, results, apply=arguments.apply)))
        return 1 if any(outcome == "problem" for outcome, _ in results) else 0

    return with_store(settings, run)


def format_ended_links(name: str, count: int, *, is_known: bool) -> str:
    """Say how many links on a connection ended, and whether the connection's name is unknown."""
    said = f"Links on {name} that ended, whose people are told: {count}."
    return said if is_known else f"{said} No connection and no link has this name."


def retire(arguments: argparse.Namespace) -> int:
    """End all links on a connection that is about to be removed from the connections file."""
    settings, connections = load()
    name = arguments.connection

    async def run(store: Store) -> int:
        owed = await store.read(revocations.list_pending_revocations)
        async with open_for_operator(settings, connections, store) as context:
            ended, pending = await retire_connection(context, name)
        is_known = bool(ended) or name in {*connections, *(one.connection for one in owed)}
        print(format_ended_links(name, ended, is_known=is_known))
        if pending:
            until = f"until {command('doctor')} lists nothing owed there"
            print(f"Keep it in the connections file {until}: {pending}.")
        return 0 if is_known else 1

    return with_store(settings, run)


#: Phrases that say how Usher learned an account's id at the provider, keyed by the source stored with the id.
#: The source "link" has no phrase. It means that the id was learned when the account was linked.
_ID_SOURCES: Final = {
    "token": "its account id was told to its person's token on {at}",
    "email": "its account id was found by its e-mail address on {at}",
    "seen": "its account id is the first one seen, on {at}",
}


def _format_day(at: float | None) -> str:
    return f"{datetime.fromtimestamp(at or 0.0, UTC):%Y-%m-%d}"


def _format_id(account: Account) -> str:
    if account.remote_id is None:
        return "its account id isn't known yet"
    template = _ID_SOURCES.get(account.remote_id_source, "")
    return template.format(at=_format_day(account.remote_id_at))


def _format_rest(account: Account) -> str:
    if account.resting_since is None:
        return ""
    since = _format_day(account.resting_since)
    return f"rests since {since}, as {account.username} is another account there now"


def list_accounts(_arguments: argparse.Namespace) -> int:
    """Print every link, with the person, the username, the proof and the expiry date."""
    settings, _ = load()

    async def run(store: Store) -> int:
        every = await store.perform(accounts.list_active_and_resting_accounts)
        linked = [one for one in every if one.username or one.link_source]
        for one in sorted(linked, key=lambda one: (one.connection, one.linked_at, one.id)):
            until = "" if one.expires_at is None else f" until {_format_day(one.expires_at)}"
            how = f"{'proven' if one.is_proven else 'not proven'} ({one.link_source or 'unknown'}){until}"
            sentence = "; ".join(filter(None, (how, _format_id(one), _format_rest(one))))
            print(f"{one.principal.key} at {one.connection} as {one.username or '-'}: {sentence}")
        return 0

    return with_store(settings, run)


def backup(arguments: argparse.Namespace) -> int:
    """Copy this installation's database to a new file while Usher is running."""
    settings, _ = load()
    path, target = find_database_file(settings.database_url), arguments.file
    if path is None:
        complain("On PostgreSQL, backups are pg_dump's: `usher docs operate#backups`.")
        return 2
    _require_file(path)
    try:
        make_folder(path, target.absolute().parent)
        write_backup(path, target, partial(mark, left="copied"), StoreTime(SystemClock()), SystemIds())
    except (OSError, StoreUnavailable) as failed:
        why = failed.strerror if isinstance(failed, OSError) else failed
        raise NotDone(f"{target.absolute()} can't be written: {why}.") from None
    print(f"Written: {target.absolute()}. Keep the encryption keys elsewhere.")
    return 0


def save(arguments: argparse.Namespace) -> int:
    """Save the readable rows of this installation's damaged database to a new file, and count them."""
    settings, _ = load()
    path, target = find_database_file(settings.database_url), arguments.file
    if path is None:
        complain("This is for a SQLite file: on PostgreSQL, use its own tools.")
        return 2
    _require_file(path)
    leave, time = partial(mark, left="copied"), StoreTime(SystemClock())
    try:
        saved, others = save_readable_rows(path, target, leave, time, SystemIds())
    except StoreUnavailable as failed:
        raise NotDone(f"{path.absolute()} can't be saved to {target.absolute()}: {failed}.") from None
    for name, table in saved.items():
        if table.rows or table.is_damaged:
            print(f"{name}: {table.rows} rows{_UNREADABLE * table.is_damaged}")
    if others:
        print(f"Not saved, as it isn't Usher's: {', '.join(others)}.")
    print(f"Written: {target.absolute()}. {command(f'restored {target}')} puts it in place.")
    return 0


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise NotDone(f"There's no database in {path.absolute()}.")


_UNREADABLE: Final = ", and some that can't be read"


def restored(arguments: argparse.Namespace) -> int:
    """Restore a backup and pause the plans in it. Ask the plans' owners whether they still want them."""
    settings, connections = load()
    path = find_database_file(settings.database_url)
    if arguments.file is not None:
        if path is None:
            complain("On PostgreSQL, restore with its own tools, and run this without a file.")
            return 2
        replace_database(arguments.file, path.resolve(), StoreTime(SystemClock()), SystemIds())
    administrators = settings.admin_ids() | settings.global_admin_ids()

    async def run(store: Store) -> int:
        name = name_of(settings.database_url)
        if await store.list_missing_migrations(name) is None:
            raise NotDone(_EMPTY.format(name=name))
        await store.migrate()
        # A running process would carry out plans while they are being put on hold.
        await store.engine.exclude_others()
        # Leave out connections without user accounts, because they have no links.
        apart = {name for name, one in connections.items() if "none" not in one.linking}
        backup_at, held, linked = await pause_restored(store, administrators, apart)
        await AuditWitness(path).note(store)
        day = datetime.fromtimestamp(backup_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        print(f"Restored from a backup that was made on {day}.")
        print(f"On hold, and their people are asked: {format_counts(held)}.")
        print(f"Told that a link may be back: {linked}. Now start Usher.")
        return 0

    return with_store(settings, run, may_be_older=True)


_EMPTY: Final = "{name} is empty: restore the backup into it first: `usher docs operate#backups`."
_NOT_NOTED: Final = (
    "Row {seen} isn't the one that was noted: the record was rewritten or cut, or restored from a backup."
)


def verify_audit(arguments: argparse.Namespace) -> int:
    """Find the first invalid row of the audit log."""
    settings, _ = load()

    async def run(store: Store) -> int:
        bad = await store.perform(audit.verify_audit)
        if bad is None:
            length, last = await store.read(audit.read_audit_head)
            ends = f"{length} rows, the last of which is {length}:{last}" if last else "it is empty"
            print(f"The audit record is intact: {ends}.")
            first = next(iter(await store.read(audit.read_audit, limit=1)), {"seq": 1})["seq"]
            if first > 1:
                print(f"It begins with row {first}: the rows before were archived by a release before 0.4.0.")
            seen, noted = arguments.seen or (0, "")
            rows = await store.read(audit.read_audit, after=seen - 1, limit=1)
            known = {row["seq"]: row["hash"] for row in rows}
            if arguments.seen and known.get(seen) != noted:
                complain(_NOT_NOTED.format(seen=seen))
                return 1
            if arguments.seen:
                print(f"Row {seen} is the one that was noted.")
            return 0
        complain(
            f"The audit record is broken at row {bad}: somebody edited, removed or added a row by hand. "
            "Compare it with an earlier backup."
        )
        return 1

    return with_store(settings, run)


def print_audit(_arguments: argparse.Namespace) -> int:
    """Print the audit log, one entry per line."""
    settings, _ = load()

    async def run(store: Store) -> int:
        after = 0
        while rows := await store.read(audit.read_audit, after=after):
            for row in rows:
                print(json.dumps(dict(row), ensure_ascii=False))
            after = rows[-1]["seq"]
        return 0

    return with_store(settings, run)
