"""Tasks, and what processes share about connections: providers' last answers, outages, owners, pauses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from bot.domain.notices import NewNotice
from bot.domain.people import Principal, Reached, Snapshot, Task, TaskKind
from bot.store.notices import add_notices
from bot.store.schema import setting
from bot.store.tables import (
    ACCOUNTS,
    LATER_TASKS,
    OUTAGES,
    OWNERS,
    REACHED,
    REMEMBERED,
    SNAPSHOTS,
    TASKS,
    Table,
)
from bot.store.transaction import Row, Transaction, as_json, from_json
from bot.support.release import RELEASE

#: The tables that have tasks of a kind that this release knows.
_IN_USE: Final = tuple(
    table
    for table in (TASKS, LATER_TASKS)
    if any(kind.is_later == (table is LATER_TASKS) for kind in TaskKind)
)


@dataclass(frozen=True, slots=True)
class NewTask:
    """Describe a task; while one with this kind and subject is open, a second one joins it.

    Joining keeps the open one's payload, except that a list under ``then`` (waiting commands) is extended. A
    task already running runs again afterwards with what was added, so nothing that waits for it is lost.
    """

    kind: TaskKind
    subject: str
    payload: dict[str, Any] = field(default_factory=dict)
    due_in: float = 0.0


def add_tasks(tx: Transaction, tasks: Sequence[NewTask]) -> None:
    """Write tasks, joining open ones of the same kind and subject."""
    for new in tasks:
        now, task_id = tx.now(), tx.ids.new("task")
        task = Task(task_id, new.kind, new.subject, new.payload, created_at=now, due_at=now + new.due_in)
        table = _table(new.kind)
        written = table.add_new(tx, task)
        if written and new.kind is TaskKind.SCHEDULE:
            # None of the earlier ones about the same is carried out after this one.
            tx.run("have_turn", account_id=str(new.payload["account"]))
            tx.run("replace_tasks", kind=new.kind, about=_about(new.payload), id=task_id)
        existing = None if written else table.row(tx, kind=new.kind, subject=new.subject)
        if existing is not None:
            _join(tx, table, existing, new, now)


def _table(kind: TaskKind) -> Table[Task]:
    return LATER_TASKS if kind.is_later else TASKS


def task_turn(tx: Transaction, task: Task) -> bool | None:
    """Return whether a task may be carried out now; None if a later one has taken its place.

    What was asked for earlier about the same may be on its way: its end, or that of its lease, comes first.
    """
    row = TASKS.row(tx, id=task.id)
    if row is None or row["is_replaced"]:
        return None
    about = _about(task.payload)
    return tx.one("task_under_way", kind=task.kind, about=about, id=task.id, now=tx.now()) is None


def _about(payload: Mapping[str, Any]) -> str:
    """Return how the subjects of all requests for a job's schedule begin."""
    return f"{payload['account']}/{payload['job']}"


def _join(tx: Transaction, table: Table[Task], existing: Row, new: NewTask, now: float) -> None:
    if not existing["is_leased"]:
        payload = _extended(from_json(existing["payload"]), new.payload)
        due_at = min(existing["due_at"], now + new.due_in)
        table.change(tx, {"id": existing["id"]}, payload=payload, due_at=due_at)
        return
    # Its worker already has the payload: what is added now waits until the task runs again.
    joined = from_json(existing["joined"])
    if joined is None:
        joined = {**from_json(existing["payload"]), **new.payload}
        joined.pop("then", None)
    table.change(tx, {"id": existing["id"]}, joined=_extended(joined, new.payload))


def _extended(payload: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    then = [*(payload.get("then") or []), *(more.get("then") or [])]
    return {**payload, "then": then} if then else payload


def claim_tasks(tx: Transaction, limit: int, lease: float, owner: str = "") -> list[Task]:
    """Lease due tasks, oldest first; whatever joined one whose worker died becomes part of it.

    Reading everybody is left to the process that has begun with it.
    """
    now = tx.now()
    claimed: list[Task] = []
    for table in _IN_USE:
        query, left = setting("claim_tasks", tasks=table.name), limit - len(claimed)
        for row in tx.all(query, now=now, until=now + lease, limit=left, owner=owner) if left > 0 else ():
            if row["joined"] is not None:
                row["payload"] = as_json(_extended(from_json(row["payload"]), from_json(row["joined"])))
                table.change(tx, {"id": row["id"]}, payload=row["payload"], joined=None)
            claimed.append(table.of(row))
    return sorted(claimed, key=lambda task: (task.created_at, task.id))


def _claimed(tx: Transaction, task: Task) -> Row | None:
    """Return the row of a task as long as its claim counts: a process that stood still may have lost it."""
    row = _table(task.kind).row(tx, id=task.id)
    return row if row is not None and row["claims"] == task.claims else None


def task_done(
    tx: Transaction, task: Task, *, then: Sequence[NewTask] = (), notices: Sequence[NewNotice] = ()
) -> None:
    """Close a task and write what follows from it; do nothing if it was closed, or claimed again, meanwhile.

    It runs again for what joined meanwhile.
    """
    row = _claimed(tx, task)
    if row is None:
        return
    if row["joined"] is None:
        _table(task.kind).delete(tx, id=task.id)
    else:
        _requeue(tx, task, from_json(row["joined"]), 0, tx.now())
    add_tasks(tx, then)
    add_notices(tx, notices)


def task_retry(
    tx: Transaction, task: Task, due_in: float, *, counts: bool = True, then: Sequence[NewTask] = ()
) -> None:
    """Retry a task later, as ``done`` closes one; ``counts``: this used up one of its attempts.

    ``then`` are its waiting commands, which no longer wait for it.
    """
    row = _claimed(tx, task)
    if row is None:
        return
    payload = from_json(row["payload"])
    if then:
        payload.pop("then", None)
    if row["joined"] is not None:
        payload = _extended(payload, from_json(row["joined"]))
    _requeue(tx, task, payload, row["attempts"] + counts, tx.now() + due_in)
    add_tasks(tx, then)


def _requeue(tx: Transaction, task: Task, payload: dict[str, Any], attempts: int, due_at: float) -> None:
    again = {"payload": payload, "attempts": attempts, "due_at": due_at}
    _table(task.kind).change(tx, {"id": task.id}, **again, joined=None, is_leased=False)


def save_snapshot(tx: Transaction, snapshot: Snapshot[Any]) -> None:
    """Write a provider's answer; the newer one wins.

    It is dropped if ``owner`` isn't an account, or is one being revoked.
    """
    if snapshot.owner:
        account = ACCOUNTS.row(tx, id=snapshot.owner)
        if account is None or account["state"] == "revoking":
            return
    tx.run("save_snapshot", **SNAPSHOTS.columns(snapshot) | {"payload": as_json(snapshot.payload)})


def snapshot(tx: Transaction, connection: str, owner: str, kind: str) -> Snapshot[Any] | None:
    """Return a provider's latest answer."""
    return SNAPSHOTS.one(tx, connection=connection, owner=owner, kind=kind)


def remember(
    tx: Transaction, principal: Principal, connection: str, purpose: str, values: Mapping[str, Any]
) -> None:
    """Keep a person's form values for the next time; an unlink deletes them."""
    REMEMBERED.put(tx, principal=principal, connection=connection, purpose=purpose, payload=dict(values))


def remembered(tx: Transaction, principal: Principal, connection: str, purpose: str) -> dict[str, Any]:
    """Return the person's latest form values, or an empty dict."""
    row = REMEMBERED.row(tx, principal=principal, connection=connection, purpose=purpose)
    values: dict[str, Any] = {} if row is None else from_json(row["payload"])
    return values


#: The name of what isn't an outage of a connection: another Usher answers people of the same app.
TWICE: Final = "#twice"


def outages(tx: Transaction) -> Mapping[str, float]:
    """Return the current outages: since when (epoch seconds), by connection."""
    return {row["connection"]: float(row["since"]) for row in tx.all("outages")}


def begin_outage(tx: Transaction, connection: str, since: float, notices: Sequence[NewNotice] = ()) -> float:
    """Write an outage with its notices; return since when it has lasted.

    If another process has already written it, nothing is written. That one may have ended it just now.
    """
    if OUTAGES.add_new(tx, connection=connection, since=since):
        add_notices(tx, notices)
        return since
    return outages(tx).get(connection, since)


def end_outage(tx: Transaction, connection: str, notices: Sequence[NewNotice] = ()) -> bool:
    """End an outage and write its notices; return False, nothing written, if it was already over."""
    if not OUTAGES.delete(tx, connection=connection):
        return False
    add_notices(tx, notices)
    return True


def silent(tx: Transaction, name: str, since: float, answered_at: float | None) -> float:
    """Note that something doesn't answer; return since when by its row: another process may have noted it."""
    row = tx.one("silent", name=name, since=since, answered_at=answered_at)
    return since if row is None else float(row["silent_since"])


def answered(tx: Transaction, name: str, at: float) -> bool:
    """Note when something answered; return whether it hadn't before that."""
    is_over = tx.run("silence_over", name=name, at=at) == 1
    REACHED.put(tx, name=name, answered_at=at)
    return is_over


def reached(tx: Transaction) -> dict[str, Reached]:
    """Return what each connection, and Slack, last answered and since when it doesn't.

    A process of an earlier release writes only outages.
    """
    away = {name: Reached(name, silent_since=since) for name, since in outages(tx).items()}
    return away | {one.name: one for one in REACHED.known(tx.all("reached"))}


#: How many seconds something stays a process's without being renewed: who is dead is replaced after that.
LEASE: Final = 10.0
#: What the name of a process's presence begins with: its role.
ROLES: Final = ("serve", "web", "worker")


@dataclass(frozen=True, slots=True)
class Owned:
    """Hold what a process of a release owns, and for how many seconds more unless it is renewed."""

    name: str
    owner: str
    seconds: float
    release: str


def own(tx: Transaction, owner: str, names: Sequence[str]) -> list[str]:
    """Take what nobody else owns, or keep it; return which of the names are the owner's now."""
    now = tx.now()
    given = {"owner": owner, "now": now, "until": now + LEASE, "release": RELEASE}
    return [name for name in names if tx.one("own", name=name, **given)]


def renew_owned(tx: Transaction, owner: str) -> list[str]:
    """Keep everything of an owner's for longer; return the names of what it was."""
    return [row["name"] for row in tx.all("renew_owned", owner=owner, until=tx.now() + LEASE)]


def disown(tx: Transaction, owner: str, names: Sequence[str]) -> None:
    """Hand back what others may take at once."""
    for name in names:
        OWNERS.delete(tx, owner=owner, name=name)


def disown_all(tx: Transaction, owner: str) -> None:
    """Hand back everything of an owner's."""
    OWNERS.delete(tx, owner=owner)


def owned(tx: Transaction) -> list[Owned]:
    """Return what is owned by processes that live, by name."""
    now = tx.now()
    return [
        Owned(row["name"], row["owner"], row["until"] - now, row["release"])
        for row in tx.all("owned", now=now)
    ]


def running(tx: Transaction) -> list[Owned]:
    """Return the processes that live, each as the presence that it owns."""
    return [one for one in owned(tx) if one.name.partition(":")[0] in ROLES]


def is_worked(tx: Transaction) -> bool:
    """Return whether a process lives that does the work in the background."""
    return tx.one("is_worked", now=tx.now()) is not None


#: How long a pause is kept after its end, in seconds: several people's within a minute are everybody's.
KEPT = 60.0


Calls = Literal["any", "start"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Describe a pause that a provider asked for, ``ago`` seconds ago, with ``left`` seconds to go.

    ``calls``: ``any``, or ``start`` for those that start something. ``who`` is an account, "" for everybody.
    """

    connection: str
    calls: Calls
    who: str
    ago: float
    left: float


def note_pauses(tx: Transaction, connection: str, calls: Calls, seconds: Mapping[str, float]) -> None:
    """Write for how many seconds an account, or everybody (""), has to pause; the longer pause wins."""
    now = tx.now()
    tx.run("forget_pauses", now=now, before=now - KEPT)
    for who, wait in seconds.items():
        tx.run("note_pause", connection=connection, calls=calls, who=who, now=now, until=now + wait)


def pauses(tx: Transaction) -> list[Pause]:
    """Return the pauses of all connections that still matter."""
    now = tx.now()
    return [
        Pause(row["connection"], row["calls"], row["who"], now - row["noted_at"], row["until"] - now)
        for row in tx.all("pauses", now=now, before=now - KEPT)
    ]
