"""Tests of `usher usage`, which prints a row for each run within a window, and totals that are their sums."""

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial

import pytest

from bot.store import open_store, usage
from bot.store.tables import LIVES, USAGE_SUMS
from bot.support.clock import SystemClock, SystemIds
from tests.app.command_line import environment, run
from tests.project.repository import ROOT
from tests.rigs.lives import sum_up
from tests.rigs.store import ALICE, BOB

COLUMNS = (
    "life,kind,person,connection,name,size,template,began_earliest,began_latest,began_known,"
    "ended_earliest,ended_latest,ended_known,last_seen,last_opened,last_used,"
    "hours,hours_lowest,hours_highest,price_per_hour,currency,cost"
)
WINDOW = ("--from", "2025-11-01", "--to", "2025-12-01")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def life(number, began, ended, **more):
    known = "unknown" if more.pop("is_lost", False) else "told"
    ends = {"ended_earliest": ended, "ended_latest": ended, "ended_known": known} if ended else {}
    return {
        "id": f"life_{number}",
        "kind": "workspace",
        "subject": f"gate_{number}",
        "principal": ALICE,
        "connection": "hub",
        "name": "lab",
        "began_earliest": began,
        "began_latest": began,
        "began_known": "asked",
        "last_seen_at": ended or began + 3600.0,
        **ends,
        **more,
    }


LATE = at("2025-11-30T22:00")
MADE = (
    life(1, at("2025-10-31T20:00"), at("2025-11-01T04:00"), price="1.25", currency="EUR", template="gpu"),
    life(2, at("2025-11-10T08:00"), at("2025-11-10T18:00"), principal=BOB, name="=1+1", is_lost=True),
    life(3, at("2025-11-11T08:00"), at("2025-11-11T10:00"), price="0.1", currency="USD", connection="cloud"),
    life(4, LATE, None),
    life(5, at("2025-12-01T00:00"), at("2025-12-02T00:00")),
    life(6, at("2025-10-01T00:00"), at("2025-11-01T00:00")),
)


@pytest.fixture
async def env(tmp_path):
    store = await open_store(f"sqlite:///{tmp_path / 'usher.db'}", SystemClock(), SystemIds())
    await store.migrate()
    for row in MADE:
        await store.engine.write(lambda tx, row=row: LIVES.add(tx, **row))
    await store.close()
    return environment(tmp_path)


async def printed(env, *words):
    ended = await run("usage", *words, env=env)
    assert (ended.status, ended.err) == (0, "")
    return ended.out


async def test_both_formats_have_the_same_rows_and_columns(env):
    rows = list(csv.DictReader(io.StringIO(await printed(env, *WINDOW))))
    objects = [json.loads(line) for line in (await printed(env, *WINDOW, "--format", "json")).splitlines()]
    assert [",".join(row) for row in (*rows, *objects)] == [COLUMNS] * 8
    assert [row["life"] for row in rows] == ["life_1", "life_2", "life_3", "life_4"]
    for row, one in zip(rows, objects, strict=True):
        texts = {name: "" if value is None else str(value) for name, value in one.items()}
        texts["name"] = texts["name"].replace("=1+1", "'=1+1")
        assert {name: row[name] for name in COLUMNS.split(",")[:16]} == {
            name: texts[name] for name in COLUMNS.split(",")[:16]
        }
        assert float(row["hours"]) == one["hours"]
    first, second, third, fourth = objects
    assert (first["hours"], first["cost"], first["began_earliest"]) == (4.0, 5.0, "2025-10-31T20:00:00Z")
    assert (second["ended_known"], second["hours"], second["cost"]) == ("unknown", 10.0, None)
    assert (third["cost"], third["currency"]) == (0.2, "USD")
    # It was never seen again.
    assert (fourth["ended_known"], fourth["hours"]) == ("unknown", 1.0)


async def test_totals_are_the_sums_of_the_rows_and_of_the_answers(env, tmp_path):
    rows = [json.loads(line) for line in (await printed(env, *WINDOW, "--format", "json")).splitlines()]
    totals = list(csv.DictReader(io.StringIO(await printed(env, *WINDOW, "--totals"))))
    for by in ("person", "connection", "template"):
        sums = {}
        for row in rows:
            sums[row[by] or ""] = sums.get(row[by] or "", 0.0) + row["hours"]
        assert {one["of"]: float(one["hours"]) for one in totals if one["total"] == by} == sums
    assert {one["of"]: one["cost"] for one in totals if one["total"] == "person"} == {
        ALICE.key: "5.000000 EUR + 0.200000 USD",
        BOB.key: "",
    }
    store = await open_store(f"sqlite:///{tmp_path / 'usher.db'}", SystemClock(), SystemIds())
    window = at("2025-11-01"), at("2025-12-01")
    for principal in (ALICE, BOB):
        lives = await store.read(usage.read_lives_of_person, principal, *window)
        answered = sum_up(lives, "person", *window, now=at("2025-12-01"))[principal.key].hours.best
        exported = sum(row["hours"] for row in rows if row["person"] == principal.key)
        assert answered == pytest.approx(exported)
    await store.close()


async def test_months_of_old_lives_count_in_totals_of_no_person(env, tmp_path):
    store = await open_store(f"sqlite:///{tmp_path / 'usher.db'}", SystemClock(), SystemIds())
    key = {"connection": "hub", "kind": "workspace", "template": "gpu", "currency": "EUR"}
    numbers = {"hours": 100.0, "lowest": 100.0, "highest": 101.0, "unknown": 0, "cost": 125.0}
    for month in ("2025-01", "2025-02"):
        row = {"month": month, **key, "lives": 7, **numbers}
        await store.engine.write(lambda tx, row=row: USAGE_SUMS.add(tx, **row))
    await store.close()
    window = ("--from", "2025-01-01", "--to", "2025-02-15", "--totals", "--format", "json")
    totals = [json.loads(line) for line in (await printed(env, *window)).splitlines()]
    assert [(one["total"], one["of"], one["lives"], one["cost"]) for one in totals] == [
        ("connection", "hub", 7, "125.000000 EUR"),
        ("template", "gpu", 7, "125.000000 EUR"),
    ]


async def test_totals_accept_the_last_possible_day(env):
    window = ("--from", "2025-11-01", "--to", "9999-12-31", "--totals")
    assert (await printed(env, *window)).startswith("total,of,lives,")


async def test_all_wrong_words_are_named_at_once(env):
    ended = await run("usage", "--from", "yesterday", "--to", "2026-13-01", "--format", "xml", env=env)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "--from: 'yesterday' is no day like 2026-11-01.",
        "--to: '2026-13-01' is no day like 2026-11-01.",
        "--format: 'xml' is neither csv nor json.",
    ]
    ended = await run("usage", "--from", "2025-12-01", "--to", "2025-11-01", env=env)
    assert (ended.status, ended.err) == (2, "--to has to be later than --from.\n")


async def test_a_window_without_lives_still_names_the_columns(env):
    assert await printed(env, "--from", "2020-01-01", "--to", "2020-02-01") == f"{COLUMNS}\n"


@pytest.mark.parametrize(("reader", "status"), [(">/dev/full", 1), ("| true", 128 + signal.SIGPIPE)])
async def test_usage_into_a_full_or_closed_output_blames_no_database(env, reader, status):
    made = [life(number, LATE, None, name="n" * 200) for number in range(10, 2000)]
    store = await open_store(env["USHER_DATABASE_URL"], SystemClock(), SystemIds())
    await store.engine.write(lambda tx: [LIVES.add(tx, **row) for row in made])
    await store.close()
    words = f"{sys.executable} -m bot usage {' '.join(WINDOW)} {reader}; exit ${{PIPESTATUS[0]}}"
    where = env | {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    run_it = partial(subprocess.run, env=where, cwd="/", capture_output=True, check=False, text=True)
    ended = await asyncio.to_thread(run_it, ["bash", "-c", words])
    assert (ended.returncode, "database" in ended.stderr) == (status, False), ended.stderr


#: Fails once, after all rows have been read, as if the database were busy or the connection lost.
READ_TWICE = """
import sqlite3, sys
from bot.__main__ import main
from bot.store import usage

iterate, tries = usage.iterate_lives, []

def iterate_twice(*given):
    yield from iterate(*given)
    if not tries:
        tries.append(1)
        busy = sqlite3.OperationalError("busy")
        busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise busy

usage.iterate_lives = iterate_twice
sys.exit(main(["usage", *sys.argv[1:]]))
"""


async def test_rows_that_are_read_again_are_printed_once(env):
    words = [sys.executable, "-c", READ_TWICE, *WINDOW]
    where = env | {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    run_it = partial(subprocess.run, env=where, cwd="/", capture_output=True, check=False, text=True)
    ended = await asyncio.to_thread(run_it, words)
    assert (ended.returncode, ended.stdout) == (0, await printed(env, *WINDOW)), ended.stderr
