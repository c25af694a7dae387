"""Every time column of the schema, and how it is healed if the clock was moved while nobody served.

Only the serving process heals them, when it starts (``docs/adr/0019-who-heals-clocks.md``). A test checks
this table against the schema: a new column needs an entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.telling import FARTHEST


class Kind(StrEnum):
    """Name what kind of time a column holds."""

    PAST = "past"  #: when something happened: a value in the future counts as now
    SINCE = "since"  #: the same, but its age matters: if that can't be known, it counts from now
    DUE = "due"  #: a lease, a retry, a look: due if further ahead than it can be
    GATE = "gate"  #: the poll gate's own two, healed by ``heal_gates``: they never open early
    STAYS = "stays"  #: a moment named by people or providers, or covered by a hash


@dataclass(frozen=True, slots=True)
class Column:
    """Hold a time column's kind and, for DUE, how far ahead it can be, in seconds."""

    kind: Kind
    farthest: float = 0.0


PAST: Final = Column(Kind.PAST)
SINCE: Final = Column(Kind.SINCE)
STAYS: Final = Column(Kind.STAYS)
_GATE: Final = Column(Kind.GATE)
#: ``Numbers.lease`` and ``Timing.lease`` are shorter.
_LEASE: Final = Column(Kind.DUE, 60.0)
#: ``Numbers.slow_tick``; a provider's *Retry-After* may be longer, and is then simply received again.
_STEP: Final = Column(Kind.DUE, 600.0)
#: The longest waits of ``bot.slack.notifier``.
_SEND: Final = Column(Kind.DUE, 300.0)
#: What happened within so many seconds moves back with a clock that was set back: open work is no older.
_RECENT: Final = 86_400.0
#: ``USHER_DEADLINE_MINUTES``, at most a day; *Keep waiting* sets it to that long again from then on.
_DEADLINE: Final = Column(Kind.DUE, 86_400.0)

#: Ended rows keep how long things took. The next operation looks for the result of what a replaced one sent.
_OPEN: Final = {
    "runs": "outcome IS NULL",
    "operations": "(outcome IS NULL OR (outcome = 'replaced' AND workspace_id IN ("
    "SELECT workspace_id FROM operations WHERE outcome IS NULL)))",
}

#: By table and column.
TIMES: Final[Mapping[str, Mapping[str, Column]]] = {
    "conversations": {"spoken_at": PAST},
    "accounts": {
        "linked_at": PAST,
        "discovered_at": PAST,
        "unlinked_at": PAST,
        "refused_since": PAST,
        "looked_at": PAST,
        "runs_read_at": PAST,
        # Providers name when credentials end, and reminders come so long before that.
        "ends_at": STAYS,
        "remind_at": STAYS,
        # A duration.
        "refused_for": STAYS,
    },
    "approvals": {"asked_at": PAST, "decided_at": PAST},
    "audit": {"at": STAYS},
    # ``USHER_SESSION_HOURS`` at most.
    "browser_sessions": {
        "created_at": PAST,
        "seen_at": PAST,
        "expires_at": Column(Kind.DUE, 7 * 86_400.0),
    },
    "cards": {"changed_at": PAST, "updated_at": PAST, "created_at": PAST, "leased_until": _SEND},
    "class_cards": {
        "created_at": PAST,
        "stops_at": STAYS,
        "closed_at": PAST,
        "done_at": PAST,
        "counted_at": PAST,
        "changed_at": PAST,
        # It may be as far ahead as the end of the class; an extra look does no harm.
        "look_at": Column(Kind.DUE, 60.0),
    },
    "contacts": {"met_at": PAST},
    "participants": {
        "joined_at": PAST,
        "consented_at": PAST,
        "withdrawn_at": PAST,
        "warned_at": PAST,
        "ended_at": PAST,
    },
    # ``Pace.unused`` is the longest pause between two reads.
    "gates": {
        "due_at": Column(Kind.DUE, 1_800.0),
        "next_check_at": _GATE,
        "claimed_at": _GATE,
        "wanted_at": PAST,
    },
    # ``Timing.lease`` and Slack's *Retry-After*; ``bot.domain.models.homes.REDRAW_SECONDS``.
    "homes": {
        "used_at": PAST,
        "answered_at": PAST,
        "wanted_at": PAST,
        "leased_until": _SEND,
        "look_at": _SEND,
    },
    "inbox": {"seen_at": PAST},
    "runs": {
        "created_at": PAST,
        "started_at": STAYS,
        "finished_at": STAYS,
        "observed_at": PAST,
        "called_at": SINCE,
        # Compared with the provider's clock: a clock that is set moves it, a sleep of the machine doesn't.
        "sent_at": PAST,
        "unknown_since": SINCE,
        "asked_at": PAST,
        "held_since": PAST,
        "deadline_at": _DEADLINE,
        "doubt_since": SINCE,
        "next_step_at": _STEP,
        "ended_at": PAST,
        "leased_until": _LEASE,
    },
    # A token that seems to last longer is refused by Slack, and replaced then.
    "installations": {
        "expires_at": STAYS,
        "renewing_until": _LEASE,
        "installed_at": PAST,
        "removed_at": PAST,
        "lost_at": PAST,
    },
    # ``bot.services.linking``: ten minutes for the page, and ten for the code.
    "links": {"created_at": PAST, "expires_at": Column(Kind.DUE, 1_200.0), "ends_at": STAYS},
    "migrations": {"applied_at": STAYS},
    "notices": {
        "created_at": PAST,
        "due_at": _SEND,
        "leased_at": PAST,
        "sent_at": PAST,
        "unknown_since": PAST,
        # The end of quiet hours; whether they have ended is asked again before anything is sent.
        "held_until": Column(Kind.DUE, FARTHEST),
    },
    # ``bot.store.installations.STATE_KEPT``.
    "oauth_states": {"expires_at": Column(Kind.DUE, 900.0)},
    "outages": {"since": PAST},
    # ``bot.reconciler.runtimes.LONGEST_ASKED``.
    "pauses": {"noted_at": PAST, "until": Column(Kind.DUE, 300.0)},
    # ``bot.store.owners.LEASE``.
    "owners": {"until": _LEASE},
    "people": {"seen_at": PAST},
    # After ten minutes; a request that old is refused anyway.
    "signatures": {"seen_at": PAST},
    # After another boot the clock is believed: what that may cost is refusals by Slack, for a minute.
    "slack_calls": {"made_at": PAST},
    # Slack's *Retry-After*; a longer one is simply received again.
    "slack_methods": {"paused_until": _SEND},
    "serving": {"seen_at": STAYS, "ahead": STAYS, "slept": STAYS},
    "snapshots": {"read_at": PAST},
    # ``bot.services.linking.UNUSED_SECONDS``.
    "tasks": {"created_at": PAST, "due_at": Column(Kind.DUE, 1_320.0), "claimed_at": PAST},
    "upkeep": {"done_at": PAST},
    "operations": {
        "created_at": PAST,
        "deadline_at": _DEADLINE,
        "called_at": SINCE,
        # Compared with the provider's clock: a clock that is set moves it, a sleep of the machine doesn't.
        "sent_at": PAST,
        "planned_for": STAYS,
        # Durations.
        "usual_seconds": STAYS,
        "slow_seconds": STAYS,
        "unknown_since": SINCE,
        "prior_at": SINCE,
        "asked_at": PAST,
        "held_since": PAST,
        "read_since": PAST,
        "next_step_at": _STEP,
        "ended_at": PAST,
        "leased_until": _LEASE,
    },
    "workspaces": {
        "ends_at": STAYS,
        "stop_at": STAYS,
        # It may be as far ahead as the timer; an extra look does no harm.
        "stop_look_at": Column(Kind.DUE, 60.0),
        "observed_at": PAST,
        "verified_at": PAST,
        "used_at": PAST,
        "created_at": PAST,
        "tried_at": PAST,
        "up_at": PAST,
        "started_at": STAYS,
        "last_used_at": STAYS,
        "doubt_since": PAST,
    },
}


def healing_queries() -> dict[str, str]:
    """Return a statement for each table with times to heal, as ``queries.sql`` would name it.

    Parameters: ``now``; ``is_unknown``, whether the time that has passed is unknown; ``back``, how many
    seconds the clock was set back since the times were written. Times in the future move back by that, and so
    does what happened in the last day, which keeps the order of all that open work compares.
    """
    return {f"heal_times_of_{table}": _statement(table, columns) for table, columns in _healed().items()}


def _healed() -> dict[str, dict[str, Column]]:
    kinds = (Kind.PAST, Kind.SINCE, Kind.DUE)
    healed = {
        table: {name: column for name, column in columns.items() if column.kind in kinds}
        for table, columns in TIMES.items()
    }
    return {table: columns for table, columns in healed.items() if columns}


def _statement(table: str, columns: Mapping[str, Column]) -> str:
    is_open = _OPEN.get(table, "1 = 1")
    sets = ", ".join(f"{name} = {_healthy(name, column, is_open)}" for name, column in columns.items())
    where = " OR ".join(_is_ill(name, column, is_open) for name, column in columns.items())
    return f"UPDATE {table} SET {sets} WHERE {where}"  # noqa: S608 - of the names above alone


def _healthy(name: str, column: Column, is_open: str) -> str:
    moved, limit = f"{name} - :back", f":now + {column.farthest!r}"
    counts = f"WHEN {_counts(name, is_open)} THEN :now " if column.kind is Kind.SINCE else ""
    stays = f"{name} <= :now" if column.kind is Kind.DUE else f"{name} <= :now - {_RECENT!r}"
    return f"CASE {counts}WHEN {stays} THEN {name} WHEN {moved} > {limit} THEN :now ELSE {moved} END"


def _is_ill(name: str, column: Column, is_open: str) -> str:
    since = ":now" if column.kind is Kind.DUE else f":now - {_RECENT!r}"
    is_ahead = f"{name} > :now + {column.farthest!r} OR (:back > 0.0 AND {name} > {since})"
    return f"{is_ahead} OR ({_counts(name, is_open)})" if column.kind is Kind.SINCE else is_ahead


def _counts(name: str, is_open: str) -> str:
    return f":is_unknown = 1 AND {name} IS NOT NULL AND {is_open}"
