"""The look: one statement that says of which kinds something is due, made from the text of their claims.

A part of it is what a claim chooses from, lease and served kinds included: whoever changes when a row is due
changes the look with it. Claims at every tick, of which nearly all found nothing, were seven transactions a
second at rest.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

from bot.store import cards, notices, owners, pauses, timers
from bot.store.schema import named_queries
from bot.store.tables import SERVING
from bot.store.transaction import SKIPS, Transaction, as_json

#: What each kind is claimed with, or read with where nobody claims it.
KINDS: Final[Mapping[str, Collection[str]]] = {
    "operations": ["claim_operations"],
    "reads": ["claim_gates"],
    "tasks": ["claim_tasks"],
    "outages": ["outages", "pauses"],
    "jobs": ["claim_runs"],
    "streams": ["watched_runs"],
    "class": ["claim_class_cards"],
    "members": ["claim_followed"],
    "hours": ["claim_rules", "claim_lessons"],
    "timer": ["claim_timers"],
    "expiry": ["ending_workspaces"],
    "reminder": ["due_reminders"],
    "needed": ["claim_running"],
    "wait": ["claim_waits"],
    "notices": ["claim_notices"],
    "cards": ["claim_changed_cards", "claim_progressed_cards", "claim_over_cards"],
    "homes": ["claim_wanted_homes", "claim_homes_to_look_at"],
}
#: What features have done in time. Doing it makes a row due later, so one that stays due is done by nobody.
TIMED: Final = ("class", "members", "hours", "timer", "reminder", "needed", "wait")
#: What is claimed for one of several at a time; the parameter with ``_each`` has all of them.
_EACH: Final = {":connection": "one.key", ":class": "CAST(one.key AS INTEGER)"}
#: What a process claims by: its name, its connections, the kinds of tasks that it does, how often cards are
#: redrawn, how soon ends are told.
By = tuple[str, Collection[str], Collection[str], float, float]
_CHOSEN = re.compile(rf"unnest\(ARRAY\( \*/(.*?)/\* postgresql: {SKIPS}", re.DOTALL)
_LIMIT = re.compile(r"(ORDER BY [\w., ]+?) LIMIT .*", re.DOTALL)
_FROM = re.compile(r"\bFROM (\w+)")


def _chosen(query: str) -> str:
    """Return what a claim chooses from."""
    text = named_queries()[query]
    if (chosen := _CHOSEN.search(text)) is not None:
        text = chosen[1]
    # The order stays: it is what has PostgreSQL take the index.
    return _LIMIT.sub(r"\1", text).strip()


def _is_due(part: str) -> str:
    exists = f"EXISTS (SELECT 1 FROM ({part} LIMIT 1) chosen)"  # noqa: S608 - of named queries alone
    for one, key in _EACH.items():
        if f"= {one} " in part:
            each = exists.replace(f"= {one} ", f"= {key} ")
            return f"EXISTS (SELECT 1 FROM json_each({one}_each) one WHERE {each})"  # noqa: S608
    return exists


@cache
def statement() -> str:
    """Return the look. Its parameter ``kinds`` says which are asked about."""
    cases = [
        f"WHEN '{kind}' THEN {' OR '.join(_is_due(_chosen(query)) for query in queries)}"
        for kind, queries in KINDS.items()
    ]
    asked = "SELECT wanted.key AS kind FROM json_each(:kinds) wanted WHERE CASE wanted.key"
    return "\n".join([asked, *cases, "END"])


@cache
def kinds_of(table: str) -> frozenset[str]:
    """Return the kinds that may become due when a table is written."""
    return frozenset(
        kind
        for kind, queries in KINDS.items()
        if any(_FROM.search(_chosen(query))[1] == table for query in queries)  # type: ignore[index]
    )


def look(tx: Transaction, kinds: Collection[str], ahead: float, by: By) -> tuple[set[str], set[str]]:
    """Return the kinds of which something is due, and those of which nothing will be for so many seconds."""
    owner, connections, served, card_interval, warn_seconds = by
    names = {
        "connection_each": as_json(dict.fromkeys(connections, 1)),
        "served": as_json(dict.fromkeys(served, 1)),
        "class_each": notices.NUMBERS,
    }

    def due(kinds: Collection[str], now: float) -> set[str]:
        given = notices.looked_for(now) | cards.looked_for(now, card_interval)
        given |= pauses.looked_for(now) | timers.looked_for(now) | {"now": now, "until": now + warn_seconds}
        asked = as_json(dict.fromkeys(kinds, 1))
        return {row["kind"] for row in tx.all(statement(), kinds=asked, owner=owner, **names, **given)}

    found = due(kinds, tx.now())
    rest = set(kinds) - found if ahead else set()
    return found, rest - (due(rest, tx.now() + ahead) if rest else set())


def overdue(tx: Transaction, seconds: float) -> dict[str, int]:
    """Count what nobody has done so long after it was due, tasks by their own kinds.

    Nothing is overdue because no process was running: where one has the database to itself, it counts until
    that was last alive.
    """
    alive = SERVING.row(tx, id=1)
    if alive is None and not owners.is_worked(tx):
        return {}
    at = (tx.now() if alive is None else alive["seen_at"]) - seconds
    found = {row["kind"]: row["count"] for row in tx.all("overdue_tasks", now=at)}
    for kind in TIMED:
        counted = " UNION ALL ".join(f"SELECT * FROM ({_chosen(query)}) one" for query in KINDS[kind])  # noqa: S608
        count = f"SELECT COUNT(*) AS count FROM ({counted}) chosen"  # noqa: S608 - of named queries alone
        if (row := tx.one(count, now=at, **timers.looked_for(at))) is not None and row["count"]:
            found[kind] = row["count"]
    return dict(sorted(found.items()))
