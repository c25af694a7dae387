"""A queue's first due time is never later than the time at which its claim takes a row, on any engine."""

import random
from functools import partial
from math import inf
from typing import get_args

import pytest

from bot.domain.notices import Urgency
from bot.domain.tasks import TaskKind
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
    upgrades,
    usage,
    workspaces,
)
from bot.store import courses as courses_store
from bot.store import hours as hours_store
from bot.store import waitlist as waitlist_store
from bot.store.due_work import list_kinds
from bot.store.queues import DECLARED_QUEUES, KINDS_BY_TABLE, Queue
from bot.store.tables import TABLES
from bot.store.tasks import NewTask
from bot.store.transaction import as_json
from tests.contract.store.field_values import BESIDE, made, stand_for
from tests.rigs.store import ALICE, BOB

#: Each claim, and each query for a first due time, is a different statement.
pytestmark = pytest.mark.both_engines

CONNECTIONS = ["saturn", "posit"]
SERVED = [TaskKind.SYNC_PEOPLE, TaskKind.DISCOVER]
WARN_SECONDS = 300.0
#: More than there are rows.
MANY = 100
#: Seconds relative to now. Every margin that a query waits for lies between two of these values.
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
#: The columns that decide when a row is due, by table, with their possible values.
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
    "tasks": {"kind": words("discover", "sync_people", "renew_credential"), "due_at": moments},
    "runs": {
        "outcome": words(None, None, "failed"),
        "next_step_at": moments,
        "leased_until": moments,
        "is_watched": words(0, 1),
        "is_orphan": words(0, 1),
        "remote_id": words(None, "r1"),
        **dict.fromkeys(("start_call", "stop_call"), CALLS),
    },
    "class_cards": {"done_at": maybe, "next_check_at": moments},
    "participants": {"due_at": maybe},
    "upgrade_losses": {"due_at": moments},
    "rules": {"next_check_at": maybe},
    "workspaces": {
        "state": words("running", "stopped", "failed"),
        "hidden": words(0, 0, 1),
        "stop_at": maybe,
        "stop_check_at": maybe,
        "stop_warned": words(0, 1),
        "stop_warning": SOME_IDS,
        "expires_at": maybe,
        "idle_check_at": moments,
    },
    "accounts": {"state": words("active", "active", "revoking"), "remind_at": maybe},
    "usage_mondays": {"principal": words("-:T1:UALICE"), "due_at": moments},
    "waitlist_entries": {
        "id": SOME_IDS,
        "kind": words("gpu", "memory"),
        "seq": words(1, 2),
        "state": words("waiting", "waiting", "trying", "granted"),
        "next_at": moments,
        "expires_at": moments,
        "attempted_at": maybe,
        "ended_at": maybe,
    },
    "notices": {
        "subject": SOME_IDS,
        "kind": KIND,
        "state": STATES,
        "urgency": lambda _: list(get_args(Urgency)),
        "due_at": moments,
        "created_at": moments,
        "sent_at": maybe,
        "message_ts": words(None, "", "1.2"),
        "combined_into": words(None, None, "one"),
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
    "owners": {
        "name": words("starts:saturn", "output:one", "output:two", "people"),
        "owner": words("me", "somebody else"),
        "until": moments,
    },
    "database_timeline": {"id": words(1), "server": words("s"), "detected_at": maybe},
    "outages": {"connection": words("saturn"), "since": moments},
    "pauses": {
        "connection": words("saturn"),
        "calls": words("any"),
        "account_id": words(""),
        "requested_at": moments,
        "paused_until": moments,
    },
}
#: How due rows of each kind are claimed, or read if they aren't claimed.
CLAIMS = {
    "operations": lambda tx: operations.claim_operations(tx, MANY, 60.0, "me"),
    "reads": lambda tx: [
        gate for one in CONNECTIONS for gate in gates.GATE_QUEUE.take(tx, 60.0, MANY, connection=one)
    ],
    "tasks": lambda tx: tasks.claim_tasks(tx, MANY, 60.0, "me", SERVED),
    "outages": lambda tx: [*outages.list_outages(tx), *pauses.list_pauses(tx)],
    "jobs": lambda tx: runs.claim_runs(tx, MANY, 60.0, "me"),
    "streams": lambda tx: runs.list_watched_runs(tx, "me"),
    "class": lambda tx: courses_store.CLASS_CARD_QUEUE.take(tx, 60.0, MANY),
    "hours": lambda tx: hours_store.claim_hours(tx, MANY, 60.0),
    "lessons": lambda tx: courses_store.claim_lessons(tx, MANY, 60.0),
    "timer": lambda tx: timers.claim_timers(tx, MANY, 60.0),
    "expiry": lambda tx: workspaces.claim_ending(tx, WARN_SECONDS, MANY, 20.0),
    "reminder": lambda tx: accounts.REMINDER_QUEUE.take(tx, 60.0, MANY),
    "needed": lambda tx: workspaces.claim_running(tx, MANY, 60.0),
    "wait": lambda tx: waitlist_store.WAIT_QUEUE.take(tx, 60.0, MANY),
    "notices": lambda tx: notices.claim_notices_once(tx, MANY, 60.0, owner="me"),
    "cards": lambda tx: cards.claim_cards(tx, MANY, 60.0, owner="me"),
    "upgrade_losses": lambda tx: upgrades.LOSS_QUEUE.take(tx, 60.0, MANY),
    "weekly": lambda tx: usage.claim_weekly(tx, MANY, 60.0),
}


def compare(tx, kind, number):
    """Fill the tables at random, and return whether anything was claimed.

    Nothing may be claimed before the time that ``find_next_due`` returns.
    """
    numbers, now = random.Random(f"{kind} {number}"), tx.now()
    for name in sorted(DECIDES, key=["operations", "workspaces"].count, reverse=True):
        tx.run(f"DELETE FROM {name}")
    tables = [
        name
        for name in DECIDES
        if kind in KINDS_BY_TABLE.get(name, ()) and (kind != "outages" or numbers.random() < 0.3)
    ]
    # Until a failover has settled, Slack has no capacity, and the query for due times doesn't check that.
    others = ["owners", "notices", *(() if kind in {"notices", "cards"} else ["database_timeline"])]
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
    _put(tx, name, {column: numbers.choice(some(now)) for column, some in DECIDES[name].items()})


def _put(tx, name, values, number=10):
    if name in {"owners", "database_timeline", "outages", "pauses"}:
        columns = ", ".join(values), ", ".join(f":{column}" for column in values)
        tx.run("INSERT INTO {} ({}) VALUES ({})".format(name, *columns), **values)
        return
    table = TABLES[name]
    row = {**table.columns(made(table, number)), **BESIDE.get(name, {})} if table.model else {}
    row |= {"gate_key": f"g{number}"} if name == "gates" else {}
    row |= values
    if name == "workspaces":
        TABLES["gates"].add_new(tx, gate_key=row["gate_key"], connection="saturn", remote_id="r")
    if name == "operations":
        row["workspace_id"] = made(TABLES["workspaces"], 10).id
    if name == "gates":
        row["remote_id"] = "r"
    if name == "waitlist_entries":
        row["workspace_id"] = f"of {row['id']}"
        stand_for(tx, row["workspace_id"])
    table.add_new(tx, **row)


@pytest.mark.parametrize("kind", CLAIMS)
async def test_first_due_time_is_not_later_than_its_claim(store, kind):
    taken = {await store.engine.write(partial(compare, kind=kind, number=number)) for number in range(150)}
    assert taken == {True, False}


#: Seconds from now. Like all other numbers here, it has a fraction.
AHEAD = 90.5
IN_A_FAILOVER = {"database_timeline": {"id": 1, "server": "s", "detected_at": -10.5}}


def owned(name):
    return {"owners": {"name": name, "owner": "somebody else", "until": AHEAD}}


CARD = {"id": "one", "subject": "one", "kind": "card", "is_dirty": 1, "is_notice": 0, "stage": "live"}
CARD |= {"message_ts": "1.2", "changed_at": 0.0, "updated_at": -10.5, "leased_until": 0.0, "over_at": None}
WORK_ITEM = {"id": "one", "outcome": None, "next_step_at": 0.0, "leased_until": 0.0, "start_call": "none"}
NOTICE = {"id": "one", "subject": "one", "kind": "outage", "state": "pending", "urgency": 0, "due_at": 0.0}
NOTICE |= {
    "created_at": -90.5,
    "combined_into": None,
    "unknown_since": None,
    "sent_at": None,
    "message_ts": None,
}
WAIT = {"id": "one", "kind": "gpu", "state": "waiting", "seq": 1, "next_at": 0.0, "expires_at": AHEAD}
WAIT |= {"attempted_at": None, "ended_at": None}
END = {"notices": NOTICE | {"kind": "ready"}}
#: For each queue: a row that it takes, with the rows of other tables that it needs, and changes that each
#: keep it out.
DUE = {
    "operations": (
        WORK_ITEM | {"verb": "start", "connection": "saturn", "workspaces": {}},
        {"outcome": "failed"},
        {"next_step_at": AHEAD},
        {"leased_until": AHEAD},
        IN_A_FAILOVER,
        owned("starts:saturn"),
    ),
    "gates": (
        {"connection": "saturn", "due_at": 0.0, "next_check_at": 0.0},
        {"connection": "posit"},
        {"due_at": None},
        {"due_at": AHEAD},
        {"next_check_at": AHEAD},
        IN_A_FAILOVER,
    ),
    "tasks": (
        {"kind": "discover", "due_at": 0.0},
        {"kind": "renew_credential"},
        {"due_at": AHEAD},
        {"kind": "sync_people", **owned("people")},
    ),
    "runs": (
        WORK_ITEM,
        {"outcome": "failed"},
        {"next_step_at": AHEAD},
        {"leased_until": AHEAD},
        IN_A_FAILOVER,
        owned("output:one"),
    ),
    "watched_runs": (
        {"is_watched": 1, "remote_id": "r1", "is_orphan": 0},
        {"is_watched": 0},
        {"remote_id": None},
        {"is_orphan": 1},
    ),
    "class_cards": ({"done_at": None, "next_check_at": 0.0}, {"done_at": -9.5}, {"next_check_at": AHEAD}),
    "rules": ({"next_check_at": 0.0}, {"next_check_at": None}, {"next_check_at": AHEAD}),
    "lessons": ({"due_at": 0.0}, {"due_at": None}, {"due_at": AHEAD}),
    "timers": (
        {"stop_at": 0.0, "stop_check_at": 0.0, "stop_warned": 1, "stop_warning": "one"},
        {"stop_check_at": None},
        {"stop_check_at": AHEAD},
        {"notices": NOTICE | {"state": "sent", "sent_at": -1.5, "message_ts": "1.2"}},
    ),
    "running_workspaces": (
        {"state": "running", "hidden": 0, "idle_check_at": 0.0},
        {"state": "stopped"},
        {"hidden": 1},
        {"idle_check_at": AHEAD},
    ),
    "ending_workspaces": (
        {
            "state": "running",
            "hidden": 0,
            "expires_at": AHEAD,
            "provider_end_check_at": 0.0,
            "accounts": {"state": "active"},
        },
        {"expires_at": None},
        {"expires_at": 0.0},
        {"expires_at": WARN_SECONDS + AHEAD},
        {"hidden": 1},
        {"provider_end_check_at": AHEAD},
        {"accounts": {"state": "revoking"}},
    ),
    "reminders": (
        {"state": "active", "remind_at": 0.0},
        {"state": "revoking"},
        {"remind_at": None},
        {"remind_at": AHEAD},
    ),
    "waitlist_entries": (
        WAIT,
        {"ended_at": -9.5},
        {"next_at": AHEAD},
        {"waitlist_entries": WAIT | {"id": "two", "seq": 2, "state": "trying", "next_at": AHEAD}},
    ),
    "notices_0": (
        NOTICE,
        {"urgency": 1},
        {"state": "sent"},
        {"due_at": AHEAD},
        {"combined_into": "two"},
    ),
    "changed_cards": (
        CARD,
        {"is_dirty": 0},
        {"message_ts": None},
        {"changed_at": None},
        {"changed_at": AHEAD},
        {"stage": "closed"},
        {"leased_until": AHEAD},
        END,
        {"updated_at": -1.5, "workspaces": {}, "operations": WORK_ITEM | {"planned_for": None}},
    ),
    "progressed_cards": (
        CARD | {"changed_at": None, "created_at": -AHEAD, "updated_at": -60.5},
        {"is_dirty": 0},
        {"message_ts": None},
        {"changed_at": -9.5},
        {"updated_at": -59.5},
        {"updated_at": -14.5, "created_at": -59.5},
        {"updated_at": -14.5, "runs": WORK_ITEM | {"started_at": -59.5}},
        {"leased_until": AHEAD},
        END,
    ),
    "over_cards": (
        CARD | {"over_at": -AHEAD},
        {"over_at": None},
        {"over_at": 0.0},
        {"message_ts": None},
        {"leased_until": AHEAD},
    ),
    "pauses": (
        {
            "connection": "saturn",
            "calls": "any",
            "account_id": "",
            "paused_until": AHEAD,
            "requested_at": -float(pauses.RETENTION_SECONDS),
        },
        {"paused_until": 0.0},
    ),
}


#: The same for claims that don't belong to a queue: a row, and changes that each keep it from being claimed.
CLAIMED = {
    "along": (
        {"connection": "saturn", "due_at": 2.5, "next_check_at": 0.0, "reader": "one"},
        {"connection": "posit"},
        {"due_at": 3.5},
        {"reader": "two"},
        {"next_check_at": AHEAD},
    ),
    "of_account": (
        WORK_ITEM | {"next_step_at": 2.5, "principal": ALICE.key, "connection": "saturn", "remote_id": "r1"},
        {"principal": BOB.key},
        {"connection": "posit"},
        {"outcome": "failed"},
        {"remote_id": None},
        {"next_step_at": 3.5},
        {"leased_until": AHEAD},
        owned("output:one"),
    ),
    "owed": (
        NOTICE | {"principal": ALICE.key},
        {"principal": "-:T2:U1"},
        {"state": "sent"},
        {"due_at": AHEAD},
        {"combined_into": "two"},
        IN_A_FAILOVER,
    ),
    "unsure": (
        NOTICE | {"principal": ALICE.key, "state": "leased"},
        {"principal": BOB.key},
        {"state": "pending"},
        {"state": "sent", "unknown_since": -9.5},
        {"due_at": AHEAD},
        {"combined_into": "two"},
        {"kind": "reply"},
        owned("output:one"),
    ),
}
CLAIM_OF = {
    "along": gates.ALONG_CLAIM,
    "of_account": runs.ACCOUNT_CLAIM,
    "owed": notices.PENDING_CLAIM,
    "unsure": notices.UNSURE_CLAIM,
}


def find_table(queue):
    return queue.table if isinstance(queue, Queue) else queue.partition(" UPDATE ")[2].split()[0]


def count_due(tx, queue, *rows):
    """Return how many of these rows the queue would take, and when its first row is due."""
    now = tx.now()
    for name in sorted(DECIDES, key=["operations", "workspaces"].count, reverse=True):
        tx.run(f"DELETE FROM {name}")
    for number, row in enumerate(rows, 10):
        others = {name: values for name, values in row.items() if isinstance(values, dict)}
        own = {name: value for name, value in row.items() if name not in others}
        for name, values in (*others.items(), (find_table(queue), own)):
            at = {key: now + one if isinstance(one, float) else one for key, one in values.items()}
            _put(tx, name, at, number)
    keys = {"names": [], "connections": ["saturn"], "served": SERVED}
    given = {name: as_json(dict.fromkeys(some, 1)) for name, some in keys.items()}
    given |= {"owner": "me", "connection": "saturn", "warn_seconds": WARN_SECONDS}
    given |= {"settled": now}
    if isinstance(queue, str):
        given |= {"now": now, "until": now, "limit": MANY, "soon": now + 2.5, "reader": "one"}
        given |= {"principal": ALICE.key, "people": "-:T1:%", "is_send": True, "claim": "c"}
        return len(tx.all(queue, **given)), None
    given |= queue.get_margins(now)
    first = tx.one(queue.first_due, **given)
    return tx.one(queue.count, **given)["count"], None if first is None else next(iter(first.values()))


@pytest.mark.parametrize("name", [*DUE, *CLAIMED], ids=str)
async def test_a_claim_takes_what_is_due_and_nothing_else(store, name):
    queue, (row, *changes) = (DECLARED_QUEUES | CLAIM_OF)[name], (DUE | CLAIMED)[name]

    async def count(*rows):
        return await store.engine.write(lambda tx: count_due(tx, queue, *rows))

    assert (await count(row))[0] == 1
    for change in changes:
        assert (await count(row | change))[0] == 0, change
        if isinstance(queue, Queue) and change == {queue.due: None}:
            other = row | ({"id": "two"} if "id" in row else {})
            assert (await count(row | change, other))[1] is not None


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
