"""The look says that something is due exactly where its claim would take something, on any engine."""

import random
from functools import partial
from typing import get_args

import pytest

from bot.domain.kinds import Urgency
from bot.store import cards, look, notices, timers
from bot.store.look import KINDS, kinds_of
from bot.store.schema import named_queries
from bot.store.tables import TABLES
from bot.store.transaction import as_json
from tests.contract.store.test_every_field import BESIDE, made, stand_for

CONNECTIONS = ["saturn", "posit"]
#: What a process claims by.
BY = ("me", CONNECTIONS, ["sync_people", "discover"], 15.0, 300.0)
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


CALLS = words("none", "calling", "accepted", "unknown", "a later word")
SOME_IDS = words("one", "two", "three")
KIND = words(
    "card", "ready", "summary", "reply", "job_card", "job_ended", "class_card", "outage", "a later word"
)
STATES = words("pending", "retry", "leased", "sent", "dead")
#: What decides when a row is due, by its table: the values that it may have.
DECIDES = {
    "operations": {
        "connection": words("saturn", "posit"),
        "outcome": words(None, None, "failed"),
        "verb": words("start", "stop", "a later word"),
        "next_step_at": moments,
        "leased_until": moments,
        **dict.fromkeys(("start_call", "stop_call", "prior_call"), CALLS),
    },
    "gates": {"connection": words("saturn", "posit", "gone"), "due_at": maybe, "next_check_at": moments},
    "tasks": {"kind": words("discover", "sync_people", "renew", "a later word"), "due_at": moments},
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
CLAIMS = {
    "notices": lambda tx: notices.claim_notices(tx, MANY, 60.0, owner="me"),
    "cards": lambda tx: cards.claim_cards(tx, MANY, 15.0, 60.0, owner="me"),
    "timer": lambda tx: timers.claim_timers(tx, MANY, 60.0),
}


def claimed(tx, kind):
    """Take what is due of a kind."""
    if kind in CLAIMS:
        return CLAIMS[kind](tx)
    now = tx.now()
    given = {
        "now": now,
        "limit": MANY,
        "owner": "me",
        "claim": "c",
        "next_check_at": now + 60,
        "again": now + 60,
        "served": as_json(dict.fromkeys(BY[2], 1)),
    }
    given |= {"team": "T", "method": "m", "since": now, "most": MANY, "noted_before": now - 60}
    given["until"] = now + (BY[4] if kind == "expiry" else 60)
    rows = []
    for query in KINDS[kind]:
        for one in CONNECTIONS if query == "claim_gates" else ("",):
            rows += tx.all(query, **given, connection=one)
    return rows


def compare(tx, kind, number):
    """Fill the tables at random; return whether something was due."""
    numbers, now = random.Random(f"{kind} {number}"), tx.now()
    for name in sorted(DECIDES, key=["operations", "workspaces"].count, reverse=True):
        tx.run(f"DELETE FROM {name}")
    tables = [
        name for name in DECIDES if kind in kinds_of(name) and (kind != "outages" or numbers.random() < 0.3)
    ]
    # Where a failover hasn't settled, Slack has no room, which no look asks about.
    others = ["owners", "notices", *(() if kind in {"notices", "cards", "homes"} else ["lineage"])]
    tables = [name for name in [*tables, *others] if name not in others or numbers.random() < 0.3]
    tables = [*{"operations": ["workspaces"], "expiry": ["accounts"]}.get(kind, ()), *tables]
    for name in tables:
        _fill(tx, name, numbers, now)
    says, quiet = look.look(tx, [kind], 5.0, BY)
    before = tx.changes
    takes = bool(claimed(tx, kind)) or tx.changes > before
    assert (kind in says) == takes
    assert not (takes and quiet)
    return takes


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


@pytest.mark.parametrize("kind", KINDS)
async def test_something_is_due_exactly_where_the_claim_takes_something(store, kind):
    found = {await store.engine.write(partial(compare, kind=kind, number=number)) for number in range(150)}
    assert found == {True, False}


#: Claims that no tick makes: of what another claim found, of one that is known, or while Slack is away.
OTHERS = {"claim_gates_along", "claim_runs_of", "claim_owed", "claim_unsure", "claim_renewal"}


def test_every_claim_is_looked_for():
    claims = {name for name in named_queries() if name.startswith("claim_")}
    assert claims - OTHERS <= {query for queries in KINDS.values() for query in queries}
