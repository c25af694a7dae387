"""The records of usage. Each record is a *life*: one period during which a workspace or run was running.

The beginning and end of a life are recorded when a workspace is read, when workspaces or runs are listed, and
when a run's step is saved. Removing a workspace's row also ends its life. Queries add the lives up.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.people import Principal
from bot.domain.prices import parse_price
from bot.domain.runs import RunState
from bot.domain.time_parsing.days import RETENTION_DAYS
from bot.domain.usage import (
    MIN_IDLE_SECONDS,
    Hours,
    Idle,
    Known,
    Life,
    Moment,
    Sum,
    Usage,
    UsageLine,
    find_begin,
    find_end,
    list_months,
)
from bot.domain.work_items import Call
from bot.domain.workspaces import NOT_UP_STATES, State, Workspace, is_down
from bot.store import prices
from bot.store.fan_out import READ_BATCH_SIZE
from bot.store.queues import Queue, declare_queue
from bot.store.tables import MONDAYS, parse_enum, parse_principal
from bot.store.transaction import Row, Transaction, as_json

MONDAY_QUEUE: Final = declare_queue(
    Queue(
        name="weekly",
        kind="weekly",
        is_scheduled=True,
        table="usage_mondays",
        due="due_at",
        key="principal",
        returning="principal",
    )
)
#: How long, in seconds, a *life* (a period of running) is kept after it has ended.
RETENTION_SECONDS: Final = RETENTION_DAYS * 86_400.0
#: If there has been no sign of a workspace or run for this many seconds, it no longer counts as running, and
#: its state is unknown until a read finds it running. The workspace may be hidden, its link suspended, or its
#: provider down.
SILENT_SECONDS: Final = 86_400.0


# -- workspaces ----------------------------------------------------------------------------------------------


def note_read(
    tx: Transaction,
    before: Row,
    seen: Observed,
    seen_at: float,
    *,
    is_own: bool,
    came_up_again: bool = False,
) -> None:
    """Save the machine that a read reports, and begin or end the workspace's *life* (period of running).

    A life begins when a workspace comes up, and ends when it goes down. ``before`` is the row before the
    read, together with its open operation. ``is_own`` means that the workspace isn't one that somebody else
    shares. ``came_up_again`` means that, according to the provider, the workspace was down in between,
    although no read showed it.
    """
    if machine := prices.find_new_machine(before, seen.machine):
        prices.note_machine(tx, before["id"], machine)
    if not is_own:
        return
    was_running = before["state"] == State.RUNNING
    if seen.state is State.RUNNING:
        if came_up_again:
            # The time when the workspace went down is unknown, except that it was before the workspace came
            # up again.
            _end(tx, before, Observed(State.STOPPED), seen.started_at or seen_at)
        if came_up_again or not was_running:
            _begin(tx, before, seen.started_at, seen_at)
        elif seen.started_at is not None and before["started_at"] is None:
            _tell_begin(tx, before, seen.started_at)
    elif seen.state in NOT_UP_STATES and _find_last_sign(before) is not None:
        _end(tx, before, seen, seen_at)


def note_listed(tx: Transaction, before: Row, seen: Observed, seen_at: float, *, is_own: bool) -> None:
    """Save the data about a workspace in a list, as ``note_read`` does for a read.

    The machine of a workspace created by Usher isn't saved, because its price is already known from the form.
    """
    if before["spec"] is not None:
        seen = replace(seen, machine=None)
    is_own &= seen.state != before["state"]
    calls = tx.one("calls_of_workspace", workspace_id=before["id"]) if is_own else None
    note_read(tx, {**before, **calls} if calls else before, seen, seen_at, is_own=is_own)


def note_found(tx: Transaction, found: Workspace, seen_at: float) -> None:
    """Begin the *life* (period of running) of a workspace that a list has just shown for the first time."""
    _write_begin(tx, found.gate_key, found.id, find_begin(seen_at, None, None, None), seen_at)


def lose(tx: Transaction, workspace: Row) -> None:
    """End a workspace's *life* (period of running), because its row is being deleted.

    The workspace itself may keep running, and nobody will know for how long.
    """
    up_at = _find_last_sign(workspace)
    if up_at is not None:
        used = {"used_at": workspace["last_used_at"], "now": tx.now()}
        tx.run("lose_life", **_make_keys(workspace), up_at=up_at, **used)


def move(tx: Transaction, from_id: str, to_id: str) -> None:
    """Move the recorded periods of running from one workspace row to another."""
    tx.run("rename_life", from_id=from_id, to_id=to_id)


def note_opened(tx: Transaction, workspace_id: str) -> None:
    """Record that a running workspace was opened through Usher."""
    tx.run("open_life", workspace_id=workspace_id, now=tx.now())


def _find_last_sign(row: Row) -> float | None:
    """Return when a workspace was last seen running, or None if it is known to be down or was never up."""
    if row["state"] in NOT_UP_STATES or (row["state"] == State.UNKNOWN and row["up_at"] is None):
        return None
    at: float | None = row["up_at"] or row["observed_at"]
    return at


def _begin(tx: Transaction, before: Row, told_at: float | None, seen_at: float) -> None:
    was_down = before["state"] in NOT_UP_STATES - {State.GONE}
    down_at = before["observed_at"] if was_down else before["down_seen_at"]
    is_found = before["state"] in (State.GONE, State.UNKNOWN)
    if told_at is not None and is_found and tx.count("resume_life", **_make_keys(before), told_at=told_at):
        return
    began = find_begin(seen_at, down_at, told_at, _find_call(before, brings_down=False))
    _write_begin(tx, before["gate_key"], before["id"], began, seen_at)


def _write_begin(tx: Transaction, subject: str, workspace_id: str, began: Moment, seen_at: float) -> None:
    keys = {"subject": subject, "workspace_id": workspace_id}
    tx.run("begin_life", id=tx.ids.new("life"), **keys, **_make_params(began), seen_at=seen_at)


def _make_keys(row: Row) -> Row:
    return {"subject": row["gate_key"], "workspace_id": row["id"]}


def _tell_begin(tx: Transaction, before: Row, told_at: float) -> None:
    """Set the beginning of a *life* (period of running) to the start time that the provider now reports.

    Until now, only a list had shown that the workspace is running. If the start time is before the last sign
    of an earlier life whose end is unknown, that life continues instead.
    """
    keys = _make_keys(before)
    if tx.count("drop_continued_life", **keys, told_at=told_at):
        tx.run("resume_life", **keys, told_at=told_at)
        return
    tx.run("tell_begin", **keys, told_at=told_at)


def _end(tx: Transaction, before: Row, seen: Observed, seen_at: float) -> None:
    up_at = _find_last_sign(before) or seen_at
    is_certain = seen.state is not State.GONE and is_down(seen.state, seen.actions)
    called_at = _find_call(before, brings_down=True)
    ended = find_end(seen_at, up_at, seen.down_at, called_at, is_certain=is_certain)
    tx.run("end_life", **_make_keys(before), **_make_params(ended), up_at=up_at)


def _find_call(row: Row, *, brings_down: bool) -> float | None:
    """Return when a start or stop call was sent, by the open operation or by the one that it replaced."""
    if row.get("operation_verb") is None:
        return None
    verb = parse_enum(OperationVerb, row["operation_verb"])
    own, prior = row["stop_call" if brings_down else "start_call"], row["prior_call"]
    if own not in (None, Call.NONE):
        at: float | None = row["called_at"]
        return at
    is_opposite = verb.brings_down is not brings_down
    return row["prior_at"] if is_opposite and prior not in (None, Call.NONE) else None


def _make_params(moment: Moment) -> dict[str, Any]:
    return {"earliest": moment.earliest, "latest": moment.latest, "known": moment.known}


# -- runs ----------------------------------------------------------------------------------------------------


def note_run(tx: Transaction, before: Row | None, after: Row) -> None:
    """Record a run's *life* (period of running) after a change of its row.

    ``before`` is the former row, if any.
    """
    columns = ("state", "started_at", "finished_at", "outcome")
    if before is not None and all(before[column] == after[column] for column in columns):
        return
    state = parse_enum(RunState, after["state"])
    has_begun = after["started_at"] is not None or state in (RunState.RUNNING, RunState.SUCCEEDED)
    is_known = before is not None and before["state"] == RunState.RUNNING
    if not (has_begun or is_known) or (before is None and state.is_over and after["started_at"] is None):
        return
    seen_at = after["observed_at"] or tx.now()
    last_at = None if before is None else before["observed_at"] or before["called_at"]
    began = find_begin(seen_at, last_at, after["started_at"], after["called_at"] if not is_known else None)
    ended: Moment | None = None
    if state.is_over:
        stopped_at = after["called_at"] if after["requested_stop"] else None
        up_at = max(began.earliest, last_at or began.latest)
        ended = find_end(seen_at, up_at, after["finished_at"], stopped_at, is_certain=True)
        began = began._replace(latest=max(began.earliest, min(began.latest, ended.latest)))
    elif after["outcome"] is not None:
        ended = Moment(seen_at, max(seen_at, tx.now()), Known.UNKNOWN)
    tx.run(
        "save_life_of_run",
        id=after["id"],
        principal=after["principal"],
        connection=after["connection"],
        name=after["name"],
        **{column: after[column] for column in ("template", "size", "price", "currency")},
        **{f"began_{name}": value for name, value in _make_params(began).items()},
        **{
            f"ended_{name}": None if ended is None else value
            for name, value in _make_params(ended or began).items()
        },
        seen_at=seen_at,
    )


# -- on Mondays ----------------------------------------------------------------------------------------------


def is_weekly(tx: Transaction, principal: Principal) -> bool:
    """Return whether a person wants to get a summary of their hours of the past week every Monday."""
    return MONDAYS.row(tx, principal=principal) is not None


def claim_weekly(tx: Transaction, limit: int, lease: float) -> list[Principal]:
    """Claim the people who are due to get a summary of their hours of the past week."""
    return [parse_principal(row["principal"]) for row in MONDAY_QUEUE.take(tx, lease, limit)]


# -- sums of old lives ---------------------------------------------------------------------------------------


def fold(tx: Transaction, limit: int) -> bool:
    """Move some *lives* that are past their retention into monthly sums. Return whether there may be more."""
    rows = tx.all("old_lives", before=tx.now() - RETENTION_SECONDS, limit=limit)
    if rows:
        ids = as_json({row["id"]: 1 for row in rows})
        begins, ends = min(row["began_earliest"] for row in rows), rows[-1]["ended_latest"]
        for month, since, until in list_months(begins, ends):
            tx.run("add_to_sums", ids=ids, month=month, **_make_window(tx, since, until))
        tx.run("delete_lives", ids=ids)
    return len(rows) == limit


# -- reading -------------------------------------------------------------------------------------------------


def read_lives_of_person(tx: Transaction, principal: Principal, since: float, until: float) -> list[Life]:
    """Return a person's *lives* (periods of running) that overlap a time window, in the order they began."""
    rows = tx.all("lives_of_person", principal=principal, **_make_window(tx, since, until))
    return list(_parse_lives(rows, since))


def iterate_lives(tx: Transaction, since: float, until: float) -> Iterator[Life]:
    """Yield all *lives* that overlap a time window: ended ones ordered by their end, then open ones."""
    beginnings: Mapping[str, Row] = {
        "ended_lives": {"after_ended_latest": since, "after_id": "~"},
        "open_lives": {"after_subject": ""},
    }
    window = _make_window(tx, since, until)
    for query, beginning in beginnings.items():
        after = beginning
        while rows := tx.all(query, **window, limit=READ_BATCH_SIZE, **after):
            yield from _parse_lives(rows, since)
            after = {name: rows[-1][name.removeprefix("after_")] for name in after}


def read_usage(tx: Transaction, principal: Principal, since: float, until: float) -> Usage:
    """Return a person's usage in a time window, summed up for each workspace and each job."""
    lines: dict[tuple[str, str], UsageLine] = {}
    given = {"principal": principal, **_make_window(tx, since, until)}
    for row in tx.all("usage_of_person", **given):
        kind, key = row["kind"], row["line"]
        line = lines.setdefault((kind, key), UsageLine(kind, key, row["connection"]))
        # The rows are sorted by age, so the line ends up with the newest name and workspace.
        line.name, line.workspace_id = row["title"], row["workspace_id"]
        best, lowest, highest = (row[name] or 0.0 for name in ("hours", "lowest", "highest"))
        hours = Hours(best, lowest, highest, row["unknown"])
        line.add(
            Sum(row["lives"], hours, {parse_price(row["price"], row["currency"]): best}),
            is_open=bool(row["is_open"]),
            is_seen=bool(row["is_seen"]),
            is_least=row["least_from"] is not None,
            unknown_from=row["unknown_from"],
        )
    idle = tx.one("idle_of_person", **given, least=MIN_IDLE_SECONDS)
    return Usage(
        tuple(sorted(lines.values(), key=lambda one: (-one.sum.hours.best, one.name, one.key))),
        None if idle is None else Idle(**idle),
    )


def _make_window(tx: Transaction, since: float, until: float) -> Row:
    """Return the query parameters for a time window. The window may extend into the future."""
    now = tx.now()
    window = {"since": since, "before": until, "until": min(until, now)}
    return {**window, "now": now, "silent": now - SILENT_SECONDS}


def sum_connections(tx: Transaction, reach: str, since: float, until: float) -> list[tuple[str, int, Sum]]:
    """Return the connections used in a time window, the most used ones first.

    Each comes with the number of people who used it, and its total. ``reach`` is the prefix of the people's
    keys.
    """
    given = {"reach": reach, **_make_window(tx, since, until)}
    people = {row["connection"]: int(row["people"]) for row in tx.all("people_of_connections", **given)}
    return [(name, people[name], one) for name, one in _parse_sums(tx.all("sums_of_connections", **given))]


def sum_people(tx: Transaction, reach: str, since: float, until: float) -> list[tuple[str, Sum]]:
    """Return people's keys with their totals for a time window, the highest total first."""
    return _parse_sums(tx.all("sums_of_people", reach=reach, **_make_window(tx, since, until)))


def sum_class(tx: Transaction, card_id: str, since: float, until: float) -> dict[str, Sum]:
    """Map each member of a class to their workspaces' total for a time window, from when they joined."""
    return dict(_parse_sums(tx.all("sums_of_class", card_id=card_id, **_make_window(tx, since, until))))


def count_people(
    tx: Transaction, reach: str, since: float, until: float, connections: Collection[str]
) -> int:
    """Return how many people used any of these connections in a time window."""
    given = {"reach": reach, **_make_window(tx, since, until)}
    (row,) = tx.all("people_of_all", **given, connections=as_json(dict.fromkeys(connections, 1)))
    return int(row["people"])


def _parse_sums(rows: Iterable[Row]) -> list[tuple[str, Sum]]:
    sums: dict[str, Sum] = {}
    for row in rows:
        hours, price = float(row["hours"]), parse_price(row["price"], row["currency"])
        sums.setdefault(row["name"], Sum()).add(Hours(hours, hours, hours), price, int(row["lives"]))
    return sorted(sums.items(), key=lambda pair: (-pair[1].hours.best, pair[0]))


def read_old_sums(tx: Transaction, since: float, until: float) -> list[Row]:
    """Return the monthly sums of old periods of running, for the months entirely within a time window."""
    now = tx.now()  # The window may end far in the future, where no month has a sum.
    touched = list_months(min(since, now), min(until, now))
    months = {month for month, first, last in touched if since <= first and last <= until}
    return [row for row in tx.all("SELECT * FROM usage_sums ORDER BY month") if row["month"] in months]


def _parse_lives(rows: Iterable[Row], since: float) -> Iterator[Life]:
    """Yield the *lives* in these rows, except those last seen running before ``since``."""
    for row in rows:
        if row["ended_latest"] is None and not row["is_open"] and row["ended"] <= since:
            continue
        ended, used_at = None, row["last_used_at"]
        if row["ended_known"] is not None:
            known = parse_enum(Known, row["ended_known"])
            ended = Moment(row["ended_earliest"], row["ended_latest"], known)
        elif not row["is_open"]:
            ended = Moment(row["ended"], row["ended"], Known.UNKNOWN)
        best, lowest, highest = (max(row[name], 0.0) for name in ("hours", "lowest", "highest"))
        yield Life(
            id=row["id"],
            kind=row["kind"],
            line=(row["kind"], row["line"]),
            subject=row["subject"],
            principal=parse_principal(row["principal"]),
            connection=row["connection"],
            workspace_id=row["workspace_id"],
            name=row["title"],
            size=row["size"],
            template=row["template"],
            began=Moment(row["began_earliest"], row["began_latest"], parse_enum(Known, row["began_known"])),
            ended=ended,
            runs_from=row["began"],
            runs_until=row["ended"],
            hours=Hours(best, lowest, highest, row["unknown"]),
            last_seen_at=row["last_sign_at"],
            opened_at=row["opened_at"],
            used_at=None if used_at is None or used_at < row["began_earliest"] else used_at,
            price=parse_price(row["price"], row["currency"]),
        )
