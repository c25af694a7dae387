"""The command that prints how long workspaces and jobs ran: one row for each period of running, or totals."""

import argparse
import csv
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any, Final, TextIO

from bot.commands import complain, load, with_store
from bot.domain.prices import Price
from bot.domain.usage import Hours, Life, Moment, Sum
from bot.store import usage as rows
from bot.store.store import Store
from bot.store.transaction import Priority, Transaction
from bot.support.clock import SystemClock

Row = Mapping[str, Any]
#: The ways to group totals, in printing order. Each function returns the group of a ``Life``, which is one
#: period during which a workspace or job ran.
_TOTALS: Final[Mapping[str, Callable[[Life], str]]] = {
    "person": lambda life: life.principal.key,
    "connection": lambda life: life.connection,
    "template": lambda life: life.template or "",
}
#: The columns of the output. Don't rename them: people's scripts rely on the names.
_LIFE_COLUMNS: Final = (
    *("life", "kind", "person", "connection", "name", "size", "template"),
    *("began_earliest", "began_latest", "began_known", "ended_earliest", "ended_latest", "ended_known"),
    *("last_seen", "last_opened", "last_used", "hours", "hours_lowest", "hours_highest"),
    *("price_per_hour", "currency", "cost"),
)
_TOTAL_COLUMNS: Final = (
    *("total", "of", "lives", "hours", "hours_lowest", "hours_highest"),
    *("unknown_ends", "hours_without_price", "cost"),
)
#: Columns whose text comes from people or providers, and might look like a spreadsheet formula.
_WORDS: Final = frozenset({"name", "size", "template", "currency"})
#: Leading characters that make a spreadsheet treat a cell as a formula.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def print_usage(arguments: argparse.Namespace) -> int:
    """Print when workspaces and jobs ran, as CSV or JSON, from a single snapshot of the database."""
    since, until, problems = _read_window(arguments)
    write = {"csv": _write_csv, "json": _write_json}.get(arguments.format)
    if write is None:
        problems.append(f"--format: {arguments.format!r} is neither csv nor json.")
    if write is None or problems:
        complain(*problems)
        return 2
    settings, _ = load()
    make, columns = (_make_totals, _TOTAL_COLUMNS) if arguments.totals else (_make_lives, _LIFE_COLUMNS)

    async def run(store: Store) -> int:
        # The transaction may be run again, and mustn't last until somebody has read the output.
        with TemporaryFile("w+", encoding="utf-8", errors="backslashreplace", newline="") as file:

            def write_rows(tx: Transaction) -> None:
                file.seek(0)
                file.truncate()
                write(file, columns, make(tx, since, until))

            await store.engine.read(write_rows, Priority.IDLE)
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout)
        return 0

    return with_store(settings, run)


def _read_window(arguments: argparse.Namespace) -> tuple[float, float, list[str]]:
    now = datetime.fromtimestamp(SystemClock().now(), UTC)
    usual = {"--from": now.replace(day=1, hour=0, minute=0, second=0, microsecond=0), "--to": now}
    given = {"--from": arguments.since, "--to": arguments.until}
    found, problems = {}, []
    for flag, text in given.items():
        try:
            at = usual[flag] if text is None else datetime.fromisoformat(text)
            found[flag] = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            problems.append(f"{flag}: {text!r} is no day like 2026-11-01.")
    if len(found) == len(given) and found["--from"] >= found["--to"]:
        problems.append("--to has to be later than --from.")
    return found.get("--from", 0.0), found.get("--to", 0.0), problems


def _make_lives(tx: Transaction, since: float, until: float) -> Iterator[Row]:
    for life in rows.iterate_lives(tx, since, until):
        hours, price = life.hours, life.price
        yield {
            "life": life.id,
            "kind": life.kind,
            "person": life.principal.key,
            "connection": life.connection,
            "name": life.name,
            "size": life.size,
            "template": life.template,
            **_format_moment("began", life.began),
            **_format_moment("ended", life.ended),
            "last_seen": _format_time(life.last_seen_at),
            "last_opened": _format_time(life.opened_at),
            "last_used": _format_time(life.used_at),
            **_format_hours(hours),
            "price_per_hour": None if price is None else price.amount,
            "currency": None if price is None else price.currency,
            "cost": None if price is None else round(price.amount * Decimal(hours.best), 6),
        }


def _make_totals(tx: Transaction, since: float, until: float) -> Iterator[Row]:
    """Yield the totals. Deleted periods are included, but only as totals of whole months."""
    sums: dict[tuple[str, str], Sum] = {}
    for life in rows.iterate_lives(tx, since, until):
        for by, find_key in _TOTALS.items():
            sums.setdefault((by, find_key(life)), Sum()).add(life.hours, life.price)
    for old in rows.read_old_sums(tx, since, until):
        hours = Hours(old["hours"], old["lowest"], old["highest"], old["unknown"])
        # For deleted periods, only the average price can still be computed.
        average = Decimal(old["cost"]) / Decimal(old["hours"]) if old["currency"] and old["hours"] else None
        price = None if average is None else Price(average, old["currency"])
        for by in ("connection", "template"):
            sums.setdefault((by, old[by]), Sum()).add(hours, price, old["lives"])
    for (by, key), total in sorted(sums.items(), key=lambda one: ([*_TOTALS].index(one[0][0]), one[0][1])):
        money = sorted(total.money.items())
        yield {
            "total": by,
            "of": key,
            "lives": total.lives,
            **_format_hours(total.hours),
            "unknown_ends": total.hours.unknown,
            "hours_without_price": round(total.unpriced, 6),
            "cost": " + ".join(f"{round(cost, 6)} {currency}" for currency, cost in money),
        }


def _format_moment(name: str, moment: Moment | None) -> Row:
    earliest, latest = (None, None) if moment is None else (moment.earliest, moment.latest)
    known = None if moment is None else str(moment.known)
    return {
        f"{name}_earliest": _format_time(earliest),
        f"{name}_latest": _format_time(latest),
        f"{name}_known": known,
    }


def _format_hours(hours: Hours) -> Row:
    return {
        "hours": round(hours.best, 6),
        "hours_lowest": round(hours.lowest, 6),
        "hours_highest": round(hours.highest, 6),
    }


def _format_time(at: float | None) -> str | None:
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _write_json(file: TextIO, _columns: Sequence[str], found: Iterator[Row]) -> None:
    for row in found:
        print(json.dumps(row, ensure_ascii=False, default=float), file=file)


def _write_csv(file: TextIO, columns: Sequence[str], found: Iterator[Row]) -> None:
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    for row in found:
        writer.writerow({name: _make_cell(name, value) for name, value in row.items()})


def _make_cell(column: str, value: Any) -> Any:
    is_formula = column in _WORDS and isinstance(value, str) and value.startswith(_FORMULAS)
    return f"'{value}" if is_formula else value
