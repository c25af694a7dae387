"""A database's schema: migrations, and the repair of stored times at start-up.

Only the serving process repairs times (``docs/adr/0019-who-heals-clocks.md``). As long as the machine hasn't
been rebooted, its monotonic clock shows whether the wall clock was changed. If the clock was changed or the
machine was rebooted, there is no way to tell how much time has passed. Anything that mustn't happen too early
then waits its full time again, counted from now.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from bot.store import leases
from bot.store.engine import Engine
from bot.store.maintenance import AWAY
from bot.store.statements import fill_changes
from bot.store.tables import MIGRATIONS, OPERATIONS, RUNS, SCHEMA_CHANGES, SERVING, UPKEEP
from bot.store.time_repair import build_healing_queries
from bot.store.transaction import ClockReading, Priority, Transaction, Work, prioritize
from bot.support.errors import StoreTooNew, StoreTooOld, StoreUnreleased
from bot.support.release import RELEASE, find_newest

#: Statements that create the two tables of completed migrations. The second table also records which release
#: ran each migration, so that the error for a database that is too new can name the release. Release 0.1.0
#: reads only the first table.
CREATE_MIGRATIONS: Final = (
    "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)",
    """CREATE TABLE IF NOT EXISTS schema_changes (
        name TEXT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL, oldest TEXT NOT NULL
    )""",
)
TEXT_PATTERN = re.compile(r"\bTEXT\b")
_TABLE_PATTERN: Final = re.compile(r"\b(?:CREATE TABLE(?: IF NOT EXISTS)?|RENAME TO) (\w+)")
_UNRELEASED = (
    "The database {path} was made by a development version of Usher, whose tables no release can bring up to "
    "date: set USHER_DATABASE_URL to a new one, where people link their accounts again."
)
_TOO_OLD = (
    "The database {path} was last served by a release before 0.3.1, from which {release} can't go on. "
    "Install 0.4.1 and start it once, or run its usher migrate; then install {release} again."
)
_TOO_NEW = (
    "The database was migrated by a newer release of Usher ({names}): it needs {needed} or later, and this "
    "is {release}. Run that release, or restore the backup made before it: `usher docs upgrade#going-back`."
)
OLDER: Final = (
    "{name} is of an earlier release. Make a backup, which is the way back, and bring it up to date: "
    "`usher docs upgrade`."
)
#: Matches the list of replaced migrations in the opening comment of a squashed migration.
_REPLACED_PATTERN = re.compile(r"-- in place of:\n((?:--   .*\n)+)")


def list_replaced_migrations(script: str) -> tuple[str, ...]:
    """Return the migrations that a squashed script replaces, in order. An ordinary script replaces none."""
    found = _REPLACED_PATTERN.search(script)
    return tuple(found[1].replace("--", " ").split()) if found is not None else ()


def record_migration(tx: Transaction, name: str, script: str) -> None:
    """Record that a migration ran. For a squashed one, record the migrations that it replaces."""
    for one in list_replaced_migrations(script) or (name,):
        MIGRATIONS.add(tx, name=one, applied_at=tx.now())
        SCHEMA_CHANGES.add(tx, name=one, applied_at=tx.now(), oldest=RELEASE)


def find_missing_migrations(applied: Mapping[str, str], scripts: Mapping[str, str], path: str) -> list[str]:
    """Return the migrations that have yet to run, in order.

    ``applied`` maps each migration to the release that ran it ("" if that isn't recorded). A squashed
    migration counts as run once all the migrations that it replaces have run. If only some of them have,
    raise StoreTooOld. If the database has run migrations that this release doesn't know, raise StoreTooNew if
    they come from a newer release. That is the case if all known migrations have run, and the unknown ones
    come later and have a release recorded. Otherwise, they come from a development version, so raise
    StoreUnreleased.
    """
    stood_for = {name: list_replaced_migrations(script) for name, script in scripts.items()}
    before = {one for names in stood_for.values() for one in names}
    known = scripts.keys() - {name for name, names in stood_for.items() if names} | before
    unknown = sorted(applied.keys() - known)
    if applied and not unknown and not before <= applied.keys():
        raise StoreTooOld(_TOO_OLD.format(path=path, release=RELEASE))
    is_later = not unknown or (unknown[0] > max(scripts) and known <= applied.keys())
    if not (is_later and all(applied[name] for name in unknown)):
        raise StoreUnreleased(_UNRELEASED.format(path=path))
    if unknown:
        needed = find_newest(applied[name] for name in unknown)
        raise StoreTooNew(_TOO_NEW.format(names=", ".join(unknown), needed=needed, release=RELEASE))
    return [name for name in scripts if not {*(stood_for[name] or (name,))} <= applied.keys()]


#: A table to be copied to another database: its name, its columns, and its rows in order.
TableCopy = tuple[str, Sequence[str], Iterator[tuple[Any, ...]]]


@cache
def read_migrations() -> dict[str, str]:
    """Map the names of migrations (``0001_initial``) to their scripts, in the order in which they run."""
    folder = files(__package__).joinpath("migrations")
    scripts = {
        entry.name.removesuffix(".sql"): entry for entry in folder.iterdir() if entry.name.endswith(".sql")
    }
    return {name: scripts[name].read_text(encoding="utf-8") for name in sorted(scripts)}


@cache
def list_own_tables() -> frozenset[str]:
    """Return the names of the tables that any migration creates. All other tables belong to other tools."""
    scripts = (*CREATE_MIGRATIONS, *read_migrations().values())
    return frozenset(name for script in scripts for name in _TABLE_PATTERN.findall(script))


@cache
def read_latest_schema() -> tuple[str, ...]:
    """Return the statements that create the latest schema in a new SQLite file.

    They run sixty times as fast as all migrations. ``test_new_database_equals_a_migrated_one`` compares the
    results, and can regenerate the file with these statements.
    """
    text = files(__package__).joinpath("migrations", "latest", "sqlite.sql").read_text(encoding="utf-8")
    return tuple(text.split(";\n")[:-1])


#: A change of the wall clock by at most this many seconds counts as ordinary slewing (gradual correction).
#: The margins between polls are larger, so such a change can't make a poll come too early.
MAX_SLEW_SECONDS: Final = 0.1
#: If the wall clock has changed by more than this many seconds, the clock reading is stored again. Smaller
#: changes can be ignored, because the margins between polls are larger.
CLOCK_READING_SECONDS: Final = 0.05
MAX_GATE_SECONDS: Final = 600.0
#: How long, in seconds, a message can take to appear in Slack after an attempt to send it
#: (``Timing.send_timeout`` plus ``Timing.settles``). A message that isn't there by then never will be, even
#: if the process that was sending it has died.
SEND_CONFIRM_SECONDS: Final = 25.0

#: Minimum gap between heartbeats that counts as downtime, in seconds. A restart takes less time.
AWAY_SECONDS: Final = 3600.0


async def begin_serving(engine: Engine, check: Work[None]) -> list[str]:
    """Begin serving: migrate the database, check its contents with ``check``, and repair stored times.

    Times in a shared database aren't repaired. Errors from ``migrate`` and ``check`` propagate.
    """
    applied = await engine.migrate(serves=True)
    await engine.read(check)
    if engine.is_shared:
        return applied
    await engine.write(lambda tx: heal(tx, engine.clock_reading()))
    if engine.is_exclusive:
        # Free the leases after the repair of times, because this sets when to search for messages that may
        # have been sent.
        await engine.write(lambda tx: leases.free(tx, SEND_CONFIRM_SECONDS))
    # Begin to serve only now. Serving overwrites the clock reading that the repair needs.
    engine.serves()
    return applied


async def write_heartbeat(engine: Engine) -> None:
    """Write a heartbeat with a clock reading, except to a shared database, which has its own clock."""
    if not engine.is_shared:
        # The reading is taken inside the transaction, so that it includes a clock jump noticed only by this
        # write.
        await engine.write(lambda tx: save_heartbeat(tx, tx.now(), engine.clock_reading()))


def heal(tx: Transaction, clock_reading: ClockReading) -> None:
    """Repair the times stored by the previous serving process, then write a heartbeat."""
    last = SERVING.row(tx, id=1)
    now, moved, is_unknown = tx.now(), 0.0, True
    if last is not None and clock_reading.boot and last["boot"] == clock_reading.boot:
        moved = clock_reading.ahead - last["ahead"]
        is_unknown = abs(moved) > MAX_SLEW_SECONDS
    elif last is not None:
        # After a reboot, or on another machine, the elapsed time can only be estimated from the last
        # heartbeat.
        moved = now - last["seen_at"]
    _heal(tx, now, is_unknown=is_unknown, back=-moved if moved < -MAX_SLEW_SECONDS else 0.0)
    save_heartbeat(tx, now, clock_reading)


def move_times(tx: Transaction, jump: float, clock_reading: ClockReading) -> None:
    """Repair times because the wall clock jumped ahead, or the machine slept, while this process was serving.

    Leases of work in progress are extended by the length of the jump.
    """
    before = tx.now()
    for work_items in (OPERATIONS, RUNS):
        tx.run(fill_changes("move_leases", work_items=work_items.name), jump=jump, before=before)
    tx.run("move_sends", jump=jump, before=before)
    _heal(tx, before + jump, is_unknown=True)
    save_heartbeat(tx, before + jump, clock_reading._replace(ahead=clock_reading.ahead + jump))


def _heal(tx: Transaction, now: float, *, is_unknown: bool, back: float = 0.0) -> None:
    """Repair all stored times. If the elapsed time is unknown, restart every wait that must not end early."""
    if is_unknown:
        tx.run("heal_sends", settled=now + SEND_CONFIRM_SECONDS)
    for query in build_healing_queries():
        tx.run(query, now=now, back=back, is_unknown=is_unknown)
    tx.run("heal_gates", now=now, is_unknown=is_unknown, longest=MAX_GATE_SECONDS)


def save_heartbeat(tx: Transaction, now: float, clock_reading: ClockReading) -> None:
    """Write a heartbeat with a reading of the clock, as part of this transaction."""
    last = SERVING.row(tx, id=1)
    if last is None or now - last["seen_at"] > AWAY_SECONDS:
        UPKEEP.upsert(tx, work=AWAY, done_at=now)
    SERVING.upsert(tx, id=1, seen_at=now, ahead=clock_reading.ahead, slept=0.0, boot=clock_reading.boot)


@prioritize(Priority.STEADY)
def list_migrations(tx: Transaction) -> dict[str, str]:
    """Map each migration that ran to "", because the table ``migrations`` doesn't record releases."""
    return {row["name"]: "" for row in tx.all("migrated")}


@prioritize(Priority.STEADY)
def list_schema_changes(tx: Transaction) -> dict[str, str]:
    """Map each migration that ran to the release that ran it."""
    return {row["name"]: row["oldest"] for row in tx.all("schema_changes")}
