"""What is found to be due first is never later than what its claim would take, on any engine."""

import random
from functools import partial
from math import inf
from typing import get_args

import pytest

from bot.domain.message_kinds import Urgency
from bot.domain.tasks import TaskKind
from bot.features.courses import lesson_store
from bot.features.courses import store as courses_store
from bot.features.home import store as home_store
from bot.features.hours import store as hours_store
from bot.features.waitlist import store as waitlist_store
from bot.store import (
    accounts,
    cards,
    due_work,
    gates,
    notices,
    operations,
    outages,
    pauses,
    runs,
    tasks,
    timers,
    workspaces,
)
from bot.store.due_work import find_kinds, list_kinds
from bot.store.queues import DECLARED_QUEUES
from bot.store.tables import TABLES
from bot.store.tasks import NewTask
from tests.contract.store.field_values import BESIDE, made, stand_for

#: Each first due time and claim is another statement.
pytestmark = pytest.mark.both_engines

CONNECTIONS = ["saturn", "posit"]
SERVED = [TaskKind.SYNC_PEOPLE, TaskKind.DISCOVER]
WARN_SECONDS = 300.0
#: More than there are rows.
MANY = 100
#: Before and after now: each margin by which something waits lies between two of them.
TIMES = (-900.0, -61.0, -16.0, -6.0, -4.0, -2.0, -0.01, 0.01, 4.0, 61.0, 301.0)


def moments(now):
    return [now + one for one in TIMES]


def maybe(now):
    return [*[None] * len(TIMES), *moments(now)]


def words(*some):
    return lambda _: some


CALLS = words("none", "calling", "accepted", "unknown")
SOME_IDS = words("one", "two", "three")
KIND = words("card", "ready", "summary", "reply", "job_card", "job_ended", "class_card", "outage")
STATES = words("pending", "retry", "leased", "sent", "dead")
#: What decides when a row is due, by its table: the values that it may have.
DECIDES = {
    "operations": {
        "connection": words("saturn", "posit"),
        "outcome": words(None, None, "failed"),
        "verb": words("start", "stop"),
        "next_step_at": moments,
        "leased_until": moments,
        **dict.fromkeys(("start_call", "stop_call", "prior_call"), CALLS),
    },
    "gates": {"connection": words("saturn", "posit", "gone"), "due_at": maybe, "next_check_at": moments},
    "tasks": {"kind": words("discover", "sync_people", "renew"), "due_at": moments},
    "runs": {
        "outcome": words(None, None, "failed"),
        "next_step_at": moments,
        "leased_until": moments,
        "is_watched": words(0, 1),
        "is_orphan": words(0, 1),
        "remote_id": words(None, "r1"),
        **dict.fromkeys(("start_call", "stop_call"), CALLS),
    },
    "class_cards": {"done_at": maybe, "look_at": moments, "follow_at": maybe},
    "rules": {"look_at": maybe, "lesson_look_at": maybe},
    "workspaces": {
        "state": words("running", "stopped", "failed"),
        "hidden": words(0, 0, 1),
        "stop_at": maybe,
        "stop_look_at": maybe,
        "stop_warned": words(0, 1),
        "stop_warning": SOME_IDS,
        "ends_at": maybe,
        "left_look_at": moments,
    },
    "accounts": {"state": words("active", "active", "revoking"), "remind_at": maybe},
    "waits": {
        "id": SOME_IDS,
        "kind": words("gpu", "memory"),
        "seq": words(1, 2),
        "state": words("waiting", "waiting", "trying", "got"),
        "next_at": moments,
        "until": moments,
        "tried_at": maybe,
        "ended_at": maybe,
    },
    "notices": {
        "subject": SOME_IDS,
        "kind": KIND,
        "state": STATES,
        "class": lambda _: list(get_args(Urgency)),
        "due_at": moments,
        "created_at": moments,
        "sent_at": maybe,
        "message_ts": words(None, "", "1.2"),
        "held_until": maybe,
        "held_by": words(None, None, "one"),
        "unknown_since": words(None),
    },
    "cards": {
        "subject": SOME_IDS,
        "kind": KIND,
        "is_dirty": words(0, 1),
        "is_notice": words(0, 1),
        "message_ts": words(None, "1.2"),
        "changed_at": maybe,
        "updated_at": moments,
        "leased_until": moments,
        "stage": words("live", "closing", "closed"),
    },
    "homes": {"wanted_at": maybe, "leased_until": moments, "look_at": maybe},
    "owners": {
        "name": words("starts:saturn", "output:one", "output:two", "people"),
        "owner": words("me", "somebody else"),
        "until": moments,
    },
    "lineage": {"id": words(1), "server": words("s"), "noted_at": maybe},
    "outages": {"connection": words("saturn"), "since": moments},
    "pauses": {
        "connection": words("saturn"),
        "calls": words("any"),
        "who": words(""),
        "noted_at": moments,
        "until": moments,
    },
}
#: How due rows of each kind are claimed, or read where nobody claims them.
CLAIMS = {
    "operations": lambda tx: operations.claim_operations(tx, MANY, 60.0, "me"),
    "reads": lambda tx: [
        gate for one in CONNECTIONS for gate in gates.GATE_QUEUE.take(tx, 60.0, MANY, connection=one)
    ],
    "tasks": lambda tx: tasks.claim_tasks(tx, MANY, 60.0, "me", SERVED),
    "outages": lambda tx: [*outages.outages(tx), *pauses.pauses(tx)],
    "jobs": lambda tx: runs.claim_runs(tx, MANY, 60.0, "me"),
    "streams": lambda tx: runs.watched_runs(tx, "me"),
    "class": lambda tx: courses_store.claim_class_cards(tx, MANY, 60.0),
    "members": lambda tx: courses_store.claim_followed(tx, 60.0),
    "hours": lambda tx: hours_store.claim_hours(tx, MANY, 60.0),
    "lessons": lambda tx: lesson_store.claim_lessons(tx, MANY, 60.0),
    "timer": lambda tx: timers.claim_timers(tx, MANY, 60.0),
    "expiry": lambda tx: workspaces.claim_ending(tx, WARN_SECONDS, MANY, 20.0),
    "reminder": lambda tx: accounts.claim_reminders(tx, MANY, 60.0),
    "needed": lambda tx: workspaces.claim_running(tx, MANY, 60.0),
    "wait": lambda tx: waitlist_store.claim(tx, MANY, 60.0),
    "notices": lambda tx: notices.claim_notices_once(tx, MANY, 60.0, owner="me"),
    "cards": lambda tx: cards.claim_cards(tx, MANY, 15.0, 60.0, owner="me"),
    "homes": lambda tx: [
        *home_store.claim_wanted_homes(tx, MANY, 60.0),
        *home_store.claim_homes_to_look_at(tx, MANY),
    ],
}


def compare(tx, kind, number):
    """Fill the tables at random; return whether something was due."""
    numbers, now = random.Random(f"{kind} {number}"), tx.now()
    for name in sorted(DECIDES, key=["operations", "workspaces"].count, reverse=True):
        tx.run(f"DELETE FROM {name}")
    tables = [
        name for name in DECIDES if kind in find_kinds(name) and (kind != "outages" or numbers.random() < 0.3)
    ]
    # Where a failover hasn't settled, Slack has no room, which no look asks about.
    others = ["owners", "notices", *(() if kind in {"notices", "cards", "homes"} else ["lineage"])]
    tables = [name for name in [*tables, *others] if name not in others or numbers.random() < 0.3]
    tables = [*{"operations": ["workspaces"], "expiry": ["accounts"]}.get(kind, ()), *tables]
    for name in tables:
        _fill(tx, name, numbers, now)
    seconds = due_work.find_next_due(tx, [kind], CONNECTIONS, SERVED, WARN_SECONDS)[kind]
    before = tx.changes
    is_taken = bool(CLAIMS[kind](tx)) or tx.changes > before
    assert seconds <= 0.0 or not is_taken
    return is_taken


def _fill(tx, name, numbers, now):
    values = {column: numbers.choice(some(now)) for column, some in DECIDES[name].items()}
    if name in {"owners", "lineage", "outages", "pauses"}:
        columns = ", ".join(values), ", ".join(f":{column}" for column in values)
        tx.run("INSERT INTO {} ({}) VALUES ({})".format(name, *columns), **values)
        return
    table = TABLES[name]
    row = {**table.columns(made(table, 10)), **BESIDE.get(name, {})} if table.model else {"gate_key": "g"}
    row |= values
    if name == "workspaces":
        TABLES["gates"].add_new(tx, gate_key=row["gate_key"], connection="saturn", remote_id="r")
    if name == "operations":
        row["workspace_id"] = made(TABLES["workspaces"], 10).id
    if name == "gates":
        row["remote_id"] = "r"
    if name == "waits":
        row["workspace_id"] = f"of {row['id']}"
        stand_for(tx, row["workspace_id"])
    table.add_new(tx, **row)


@pytest.mark.parametrize("kind", CLAIMS)
async def test_first_due_time_is_not_later_than_its_claim(store, kind):
    taken = {await store.engine.write(partial(compare, kind=kind, number=number)) for number in range(150)}
    assert taken == {True, False}


def test_every_kind_of_work_has_a_queue_and_a_claim():
    assert CLAIMS.keys() == set(list_kinds())
    names = [queue.name for queue in DECLARED_QUEUES.values()]
    assert len(set(names)) == len(names)


async def test_nothing_due_is_found_in_an_empty_database(store):
    found = await store.read(due_work.find_next_due, list_kinds(), CONNECTIONS, SERVED, WARN_SECONDS)
    assert found == dict.fromkeys(list_kinds(), inf)


async def test_first_due_time_is_in_seconds_from_now(store):
    await store.write(
        tasks.add_tasks,
        [NewTask(TaskKind.DISCOVER, "a", due_in=30.0), NewTask(TaskKind.DISCOVER, "b", due_in=9.0)],
    )
    assert await store.read(due_work.find_next_due, ["tasks"], CONNECTIONS, SERVED, WARN_SECONDS) == {
        "tasks": pytest.approx(9.0)
    }
    assert await store.read(due_work.find_next_due, ["tasks"], [], [TaskKind.REPLAY], WARN_SECONDS) == {
        "tasks": inf
    }
