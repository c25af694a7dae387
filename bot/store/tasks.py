"""Tasks: what is to be done once, soon, by whichever process claims it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.domain.tasks import Task, TaskKind
from bot.store.queues import Queue, declare_queue
from bot.store.tables import TASKS
from bot.store.transaction import Priority, Row, Transaction, as_json, from_json, prioritize

TASK_QUEUE: Final = declare_queue(
    Queue(
        name="tasks",
        kind="tasks",
        table="tasks",
        due="due_at",
        where="COALESCE(kind, '') IN (SELECT wanted.key FROM json_each(:served) wanted)",
        only="{people_here}",
        changes="is_leased = 1, claims = claims + 1, claimed_at = :now, due_at = :until",
    )
)


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to add; while one with this kind and subject is open, a second one joins it.

    Joining keeps the open one's payload, except that a list under ``then`` (waiting commands) is extended. A
    task already running runs again afterwards with what was added, so nothing that waits for it is lost.
    """

    kind: TaskKind
    subject: str
    payload: dict[str, Any] = field(default_factory=dict)
    due_in: float = 0.0


@prioritize(Priority.URGENT)
def add_tasks(tx: Transaction, tasks: Sequence[NewTask]) -> None:
    """Write tasks, joining open ones of the same kind and subject."""
    for new in tasks:
        now, task_id = tx.now(), tx.ids.new("task")
        task = Task(task_id, new.kind, new.subject, new.payload, created_at=now, due_at=now + new.due_in)
        written = TASKS.add_new(tx, task)
        existing = None if written else TASKS.row(tx, kind=new.kind, subject=new.subject)
        if existing is not None:
            _join(tx, existing, new, now)


def take_over(tx: Transaction, former: str, account: str) -> None:
    """Queue an account's lists and offers for the work that waits for a former one's, also under way."""
    for row in tx.all("reads_of_account", account_id=former):
        TASKS.delete(tx, id=row["id"])
        payload = _merge_payload(from_json(row["payload"]), from_json(row["joined"]) or {})
        add_tasks(
            tx, [NewTask(TaskKind(row["kind"]), account + row["subject"].removeprefix(former), payload)]
        )


def _join(tx: Transaction, existing: Row, new: NewTask, now: float) -> None:
    if not existing["is_leased"]:
        payload = _merge_payload(from_json(existing["payload"]), new.payload)
        due_at = min(existing["due_at"], now + new.due_in)
        TASKS.change(tx, {"id": existing["id"]}, payload=payload, due_at=due_at)
        return
    # Its worker already has the payload: what is added now waits until the task runs again.
    joined = from_json(existing["joined"])
    if joined is None:
        joined = {**from_json(existing["payload"]), **new.payload}
        joined.pop("then", None)
    TASKS.change(tx, {"id": existing["id"]}, joined=_merge_payload(joined, new.payload))


def _merge_payload(payload: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    then = [*(payload.get("then") or []), *(more.get("then") or [])]
    return {**payload, "then": then} if then else payload


def _take_joined(payload: dict[str, Any], joined: dict[str, Any]) -> dict[str, Any]:
    """Return the payload of a task that didn't end: what joined is newer, and all waiting commands count."""
    newer = {name: value for name, value in joined.items() if name != "then"}
    return _merge_payload(payload | newer, joined)


def claim_tasks(
    tx: Transaction,
    limit: int,
    lease: float,
    owner: str = "",
    served: Iterable[TaskKind] = tuple(TaskKind),
) -> list[Task]:
    """Lease due tasks of the ``served`` kinds, oldest first; other kinds are left to whoever serves them.

    Whatever joined one whose worker died becomes part of it. Reading everybody is left to the process that
    has begun with it.
    """
    claimed: list[Task] = []
    kinds = as_json(dict.fromkeys(served, 1))
    for row in TASK_QUEUE.take(tx, lease, limit, owner=owner, served=kinds):
        if row["joined"] is not None:
            row["payload"] = as_json(_take_joined(from_json(row["payload"]), from_json(row["joined"])))
            TASKS.change(tx, {"id": row["id"]}, payload=row["payload"], joined=None)
        claimed.append(TASKS.parse(row))
    return sorted(claimed, key=lambda task: (task.created_at, task.id))


def _find_claimed(tx: Transaction, task: Task) -> Row | None:
    """Return the row of a task as long as its claim counts: a process that stood still may have lost it."""
    row = TASKS.row(tx, id=task.id)
    return row if row is not None and row["claims"] == task.claims else None


def finish_task(tx: Transaction, task: Task, *, then: Sequence[NewTask] = ()) -> None:
    """Close a task and add the tasks that follow from it.

    Do nothing if it was closed, or claimed again, meanwhile.

    It runs again for what joined meanwhile.
    """
    row = _find_claimed(tx, task)
    if row is None:
        return
    if row["joined"] is None:
        TASKS.delete(tx, id=task.id)
    else:
        _requeue(tx, task, from_json(row["joined"]), 0, tx.now())
    add_tasks(tx, then)


def retry_task(
    tx: Transaction, task: Task, due_in: float, *, counts: bool = True, then: Sequence[NewTask] = ()
) -> None:
    """Retry a task later, as ``finish_task`` closes one; ``counts``: this used up one of its attempts.

    ``then`` are its waiting commands, which no longer wait for it.
    """
    row = _find_claimed(tx, task)
    if row is None:
        return
    payload = from_json(row["payload"])
    if then:
        payload.pop("then", None)
    if row["joined"] is not None:
        payload = _take_joined(payload, from_json(row["joined"]))
    _requeue(tx, task, payload, row["attempts"] + counts, tx.now() + due_in)
    add_tasks(tx, then)


def _requeue(tx: Transaction, task: Task, payload: dict[str, Any], attempts: int, due_at: float) -> None:
    again = {"payload": payload, "attempts": attempts, "due_at": due_at}
    TASKS.change(tx, {"id": task.id}, **again, joined=None, is_leased=False)
